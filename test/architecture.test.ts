/** The house's import rule, read from the code itself: domain ← core ← { adapters | surfaces | mcp } ← app ← main. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');
const FILES = ['src', 'mcp'].flatMap((dir) =>
  readdirSync(join(ROOT, dir), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(dir, name)),
);

type Room = 'domain' | 'core' | 'adapters' | 'surfaces' | 'mcp' | 'agent' | 'config' | 'app' | 'entry';

/** What each room may import of ours. */
const MAY_IMPORT: Record<Room, Room[]> = {
  domain: ['domain'],
  core: ['core', 'domain'],
  adapters: ['core', 'domain'],
  surfaces: ['core', 'domain'],
  mcp: ['core', 'domain'],
  config: ['core'],
  app: ['core', 'domain', 'adapters', 'config', 'app'],
  agent: ['core', 'domain', 'adapters', 'config'],
  entry: ['core', 'domain', 'surfaces', 'mcp', 'app', 'config', 'entry'],
};

/** Programs: each starts the application and one or more faces. */
const ENTRIES = [
  'src/main.ts',
  'src/serve.ts',
  'src/service.ts',
  'src/compileCache.ts',
  'src/worker.ts',
  'src/surfaces/cli.ts',
  'mcp/stdio.ts',
];

function room(file: string): Room {
  if (ENTRIES.includes(file)) return 'entry';
  if (file === 'src/app.ts' || file.startsWith('src/composition/')) return 'app';
  if (file === 'src/config.ts') return 'config';
  if (file === 'src/agent.ts') return 'agent';
  const [top, second] = file.split('/');
  return top === 'mcp' ? 'mcp' : (second as Room);
}

/** The part of a room whose members may know each other: one adapter's folder, one surface's folder. */
function family(file: string): string {
  const [, kind, name] = file.split('/');
  return `${kind}/${name?.replace(/\.ts$/, '')}`;
}

interface Import {
  from: string;
  target: string;
  ours: boolean;
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  return [...text.matchAll(/(?:^|\n)\s*(?:import|export)\s(?:[^'";]*?\sfrom\s)?'([^']+)'|import\('([^']+)'\)/g)].map(
    (match) => {
      const specifier = match[1] ?? match[2] ?? '';
      const ours = specifier.startsWith('.');
      return { from: file, target: ours ? relative(ROOT, resolve(ROOT, dirname(file), specifier)) : specifier, ours };
    },
  );
}

const IMPORTS = FILES.flatMap(importsOf);
const OURS = IMPORTS.filter(({ ours }) => ours);

describe('imports', () => {
  test('enough was read to mean something', () => {
    expect(FILES.length).toBeGreaterThan(30);
    expect(OURS.length).toBeGreaterThan(100);
  });

  test('point only where the house allows', () => {
    const breaches = OURS.filter(({ from, target }) => !MAY_IMPORT[room(from)].includes(room(target)))
      // A room's own files, within one family.
      .filter(
        ({ from, target }) =>
          !(room(from) === room(target) && (room(from) === 'mcp' || family(from) === family(target))),
      );
    expect(breaches.map(({ from, target }) => `${from} → ${target}`)).toEqual([]);
  });

  test('core takes nothing from outside but zod, domain nothing at all', () => {
    const breaches = IMPORTS.filter(({ from, target, ours }) => {
      if (ours) return false;
      if (room(from) === 'domain') return true;
      return room(from) === 'core' && target !== 'zod';
    });
    expect(breaches.map(({ from, target }) => `${from} → ${target}`)).toEqual([]);
  });

  test('make no circle', () => {
    const next = new Map<string, string[]>();
    for (const { from, target } of OURS) next.set(from, [...(next.get(from) ?? []), target]);
    const circles: string[] = [];
    const done = new Set<string>();
    const visit = (file: string, path: string[]): void => {
      if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' → '));
      if (done.has(file) || path.includes(file)) return;
      for (const target of next.get(file) ?? []) visit(target, [...path, file]);
      done.add(file);
    };
    for (const file of FILES) visit(file, []);
    expect(circles).toEqual([]);
  });
});

test('only config.ts reads the environment', () => {
  const readers = FILES.filter((file) => /process\.env/.test(readFileSync(join(ROOT, file), 'utf8')));
  expect(readers.filter((file) => file !== 'src/config.ts')).toEqual([]);
});
