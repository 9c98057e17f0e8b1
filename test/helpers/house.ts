/** Reads the house from its own text: files, rooms, who imports what from whom, and which exports nobody uses. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..', '..');

/** What the rooms of an area share stands at its root; it is no room, and its arrows are everybody's. */
const SHARED = [
  'mcp',
  'src',
  'src/adapters',
  'src/adapters/collectors',
  'src/adapters/db',
  'src/core',
  'src/core/tools',
  'src/domain',
  'src/surfaces',
  'src/surfaces/slack',
];

export interface SourceFile {
  path: string;
  text: string;
  lines: number;
  imports: Import[];
}

export interface Import {
  from: string;
  /** A path from the root when it is ours, else a package. */
  target: string;
  ours: boolean;
  /** The names that are taken; null for all, or for none by name. */
  names: string[] | null;
}

export interface Room {
  path: string;
  files: number;
  lines: number;
  /** Rooms that it imports from. */
  arrows: string[];
}

export function readHouse(folders: readonly string[]): SourceFile[] {
  return folders
    .flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts'))
        .map((name) => join(folder, name)),
    )
    .map((path) => {
      const text = readFileSync(join(ROOT, path), 'utf8');
      return { path, text, lines: text.split('\n').length - 1, imports: importsOf(path, text) };
    });
}

function importsOf(from: string, text: string): Import[] {
  const named = text.matchAll(/(?:^|\n)\s*(?:import|export)\s(?:([^'";]*?)\sfrom\s)?'([^']+)'/g);
  const loaded = text.matchAll(/import\('([^']+)'\)/g);
  const toImport = (specifier: string, names: string[] | null): Import => {
    const ours = specifier.startsWith('.');
    return { from, ours, names, target: ours ? relative(ROOT, resolve(ROOT, dirname(from), specifier)) : specifier };
  };
  return [
    ...[...named].map(([, clause, specifier = '']) => toImport(specifier, namesIn(clause))),
    ...[...loaded].map(([, specifier = '']) => toImport(specifier, null)),
  ];
}

function namesIn(clause = ''): string[] | null {
  const [, list] = /\{([^}]*)\}/.exec(clause) ?? [];
  if (list === undefined) return null;
  return list.split(',').flatMap((part) => /^(?:type\s+)?([\w$]+)/.exec(part.trim())?.[1] ?? []);
}

/** Exports that no other file takes, as `file: name`. */
export function unusedExports(files: readonly SourceFile[], users: readonly SourceFile[]): string[] {
  const takers = Map.groupBy(
    users.flatMap(({ imports }) => imports),
    ({ target }) => target,
  );
  const textOf = new Map(users.map(({ path, text }) => [path, text]));
  return files.flatMap(({ path, text }) => {
    const taken = takers.get(path) ?? [];
    const isUsed = (name: string) =>
      taken.some(({ from, names }) =>
        names === null ? new RegExp(`\\b${name}\\b`).test(textOf.get(from) ?? '') : names.includes(name),
      );
    return exportsOf(text)
      .filter((name) => !isUsed(name))
      .map((name) => `${path}: ${name}`);
  });
}

function exportsOf(text: string): string[] {
  const declared = text.matchAll(
    /^export (?:declare )?(?:abstract )?(?:async )?(?:function\*?|const|let|class|interface|type|enum) ([\w$]+)/gm,
  );
  return [...new Set([...declared].map(([, name = '']) => name))];
}

export function roomOf(path: string): string {
  return dirname(path);
}

export function isShared(room: string): boolean {
  return SHARED.includes(room);
}

export function roomsOf(files: readonly SourceFile[]): Room[] {
  return [...Map.groupBy(files, ({ path }) => roomOf(path))]
    .map(([path, members]) => ({
      path,
      files: members.length,
      lines: members.reduce((sum, { lines }) => sum + lines, 0),
      arrows: [
        ...new Set(
          members.flatMap(({ imports }) => imports.filter(({ ours }) => ours).map(({ target }) => roomOf(target))),
        ),
      ]
        .filter((target) => target !== path)
        .sort(),
    }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Every circle of these arrows, each once, as the way around it. */
export function circlesIn(arrows: ReadonlyMap<string, readonly string[]>): string[] {
  const circles: string[] = [];
  const done = new Set<string>();
  const visit = (node: string, path: string[]): void => {
    if (path.includes(node)) circles.push([...path.slice(path.indexOf(node)), node].join(' → '));
    if (done.has(node) || path.includes(node)) return;
    for (const target of arrows.get(node) ?? []) visit(target, [...path, node]);
    done.add(node);
  };
  for (const node of arrows.keys()) visit(node, []);
  return circles;
}
