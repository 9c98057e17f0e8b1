/** The house's rules, read from the code itself: who may import whom, how large files and rooms are, and that nothing lies unused. */
import { afterAll, describe, expect, test } from 'vitest';
import {
  circlesIn,
  type Import,
  isShared,
  type Room,
  readHouse,
  roomOf,
  roomsOf,
  type SourceFile,
  unusedExports,
} from './helpers/house.ts';

const FILES = readHouse(['src', 'mcp']);
const IMPORTS = FILES.flatMap(({ imports }) => imports);
const OURS = IMPORTS.filter(({ ours }) => ours);
const ROOMS = roomsOf(FILES);

type Area = 'domain' | 'core' | 'adapters' | 'surfaces' | 'mcp' | 'agent' | 'config' | 'app' | 'entry';

/** What each area may import of ours: domain ← core ← { adapters | surfaces | mcp } ← app ← main. */
const MAY_IMPORT: Record<Area, Area[]> = {
  domain: ['domain'],
  core: ['core', 'domain'],
  adapters: ['core', 'domain'],
  surfaces: ['core', 'domain'],
  mcp: ['core', 'domain'],
  config: ['core', 'domain', 'config'],
  app: ['core', 'domain', 'adapters', 'config', 'app'],
  agent: ['core', 'domain', 'adapters', 'config', 'agent'],
  entry: ['core', 'domain', 'surfaces', 'mcp', 'app', 'config', 'entry'],
};

/** Programs: each starts the application and one or more interfaces. */
const ENTRIES = [
  'src/main.ts',
  'src/serve.ts',
  'src/service.ts',
  'src/compileCache.ts',
  'src/worker.ts',
  'src/surfaces/cli/cli.ts',
  'src/surfaces/cli/runCli.ts',
  'mcp/stdio.ts',
];

function areaOf(file: string): Area {
  if (ENTRIES.includes(file)) return 'entry';
  if (file === 'src/app.ts' || file.startsWith('src/composition/')) return 'app';
  if (file === 'src/config.ts' || file === 'src/environment.ts' || file === 'src/projectDir.ts') return 'config';
  if (file === 'src/agent.ts') return 'agent';
  const [top, second] = file.split('/');
  return top === 'mcp' ? 'mcp' : (second as Area);
}

/** The part of an area whose members may know each other: one adapter's folder, one surface's folder. */
function family(file: string): string {
  const [, kind, name] = file.split('/');
  return `${kind}/${name?.replace(/\.ts$/, '')}`;
}

const MOST_LINES = 350;
const ROOM_FILES = { least: 3, most: 16 };
const APP_LINES = 200;

/** Migrations are generated, one with each change of the schema, and found by their names. */
function isMigration(path: string): boolean {
  return path.includes('/migrations/');
}

describe('imports', () => {
  test('enough was read to mean something', () => {
    expect(FILES.length).toBeGreaterThan(200);
    expect(OURS.length).toBeGreaterThan(500);
  });

  test('point only where the house allows', () => {
    const breaches = OURS.filter(({ from, target }) => !MAY_IMPORT[areaOf(from)].includes(areaOf(target)))
      // An area's own files, within one family.
      .filter(
        ({ from, target }) =>
          !(areaOf(from) === areaOf(target) && (areaOf(from) === 'mcp' || family(from) === family(target))),
      );
    expect(breaches.map(arrow)).toEqual([]);
  });

  test('core takes nothing from outside but zod, domain nothing at all', () => {
    const breaches = IMPORTS.filter(({ from, target, ours }) => {
      if (ours) return false;
      if (areaOf(from) === 'domain') return true;
      return areaOf(from) === 'core' && target !== 'zod';
    });
    expect(breaches.map(arrow)).toEqual([]);
  });

  test('make no circle between files, types included', () => {
    expect(circlesIn(new Map(FILES.map(({ path, imports }) => [path, targets(imports)])))).toEqual([]);
  });

  test('make no circle between rooms, types included', () => {
    expect(roomCircles()).toEqual([]);
  });
});

describe('sizes', () => {
  test(`a file has at most ${MOST_LINES} lines, and app.ts ${APP_LINES}`, () => {
    const most = ({ path }: SourceFile) => (path === 'src/app.ts' ? APP_LINES : MOST_LINES);
    const tooLong = FILES.filter((file) => !isMigration(file.path) && file.lines > most(file));
    expect(tooLong.map(({ path, lines }) => `${path}: ${lines}`)).toEqual([]);
  });

  test(`a room has ${ROOM_FILES.least} to ${ROOM_FILES.most} files`, () => {
    const breaches = ROOMS.filter(({ path, files }) => {
      if (isMigration(`${path}/`)) return false;
      const isTooSmall = files < ROOM_FILES.least && !isShared(path);
      return isTooSmall || files > ROOM_FILES.most;
    });
    expect(breaches.map(({ path, files }) => `${path}: ${files}`)).toEqual([]);
  });
});

test('every export is used by another file', () => {
  const exporting = FILES.filter(({ path }) => !isMigration(path));
  expect(unusedExports(exporting, [...FILES, ...readHouse(['test'])])).toEqual([]);
});

test('only environment.ts reads the environment', () => {
  const readers = FILES.filter(({ text }) => /process\.env/.test(text)).map(({ path }) => path);
  expect(readers.filter((path) => path !== 'src/environment.ts')).toEqual([]);
});

afterAll(() => {
  process.stdout.write(`${picture(ROOMS)}\n`);
});

function roomCircles(): string[] {
  const arrows = ROOMS.filter(({ path }) => !isShared(path)).map(({ path, arrows }): [string, string[]] => [
    path,
    arrows.filter((target) => !isShared(target)),
  ]);
  return circlesIn(new Map(arrows));
}

function targets(imports: readonly Import[]): string[] {
  return imports.filter(({ ours }) => ours).map(({ target }) => target);
}

function arrow({ from, target }: Import): string {
  return `${from} → ${target}`;
}

/** The house as a table; what an area's rooms share is marked, and its arrows are not counted as the rooms' own. */
function picture(rooms: readonly Room[]): string {
  const rows = rooms.map(({ path, files, lines, arrows }) => [
    `${path}${isShared(path) ? ' *' : ''}`,
    String(files),
    String(lines),
    arrows.filter((target) => !isShared(target)).join(' '),
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(5, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = ([room = '', files = '', lines = '', arrows = '']: readonly string[]) =>
    `${room.padEnd(widths[0] ?? 0)}  ${files.padStart(widths[1] ?? 0)}  ${lines.padStart(widths[2] ?? 0)}  ${arrows}`.trimEnd();
  const fileArrows = OURS.length;
  const roomArrows = new Set(OURS.map(({ from, target }) => `${roomOf(from)} ${roomOf(target)}`)).size;
  const lines = rooms.reduce((sum, room) => sum + room.lines, 0);
  return [
    line(['room', 'files', 'lines', 'imports from']),
    ...rows.map(line),
    '* shared by the rooms of its area',
    `${rooms.length} rooms, ${FILES.length} files, ${lines} lines; ${fileArrows} arrows between files, ${roomArrows} between rooms; ${roomCircles().length} circles`,
  ].join('\n');
}
