/** The drill on both stores: load, back up while writing, destroy, restore, compare; and all that must be refused. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createBackups } from '../../../src/adapters/db/backup/backup.ts';
import { restoreBackup } from '../../../src/adapters/db/backup/restore.ts';
import { type Database, openDatabase } from '../../../src/adapters/db/open.ts';
import { createStore } from '../../../src/adapters/db/store.ts';
import type { Store } from '../../../src/core/ports/storePorts.ts';
import type { PostgresServer } from '../../helpers/postgres.ts';
import { registration, run, score, snapshot } from '../../helpers/rows.ts';
import { SLOW_STORE_KINDS } from '../../helpers/stores.ts';
import { startSystemPostgres } from '../../helpers/systemPostgres.ts';

const NOW = new Date('2026-03-02T09:00:00.123Z');
const VERSION = '9.9.9';
let postgres: PostgresServer | null = null;
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dexops-backup-'));
  if (SLOW_STORE_KINDS.includes('postgresql')) postgres = await startSystemPostgres();
});
afterAll(async () => {
  await postgres?.stop();
  await rm(dir, { recursive: true, force: true });
});

/** Text that a dump can get wrong. */
const AWKWARD = [
  "it's",
  'a\nb\r\nc',
  'tab\tback\\slash',
  '-- dexops-backup {}',
  "'); drop table run; --",
  '𝔘 ☃ é',
  '\\.',
];

async function fill(store: Store): Promise<void> {
  const tags = Object.fromEntries(AWKWARD.map((text, i) => [`t${i}`, text]));
  const endpoint = await store.endpoints.register(registration({ hostname: 'full', tags }), 'digest', NOW);
  await store.snapshots.add([snapshot(endpoint.id, NOW), snapshot(endpoint.id, NOW, 0.01, { memoryPct: 3 })]);
  await store.scores.add([score(endpoint.id, NOW, 61.3)]);
  for (const [i, goal] of AWKWARD.entries()) await store.runs.add(run(`run-${i}`, { goal, result: { goal } }));
}

async function everything({ em, kind }: Database): Promise<Record<string, unknown[]>> {
  const query =
    kind === 'sqlite'
      ? "select name from sqlite_master where type = 'table' and name not like 'sqlite_%' order by name"
      : 'select tablename as name from pg_tables where schemaname = current_schema() order by tablename';
  const tables = await em.fork().execute<{ name: string }[]>(query);
  expect(tables.length).toBeGreaterThan(8);
  const rows: Record<string, unknown[]> = {};
  for (const { name } of tables) rows[name] = await em.fork().execute(`select * from "${name}" order by 1`);
  return rows;
}

describe.each(SLOW_STORE_KINDS)('%s', (kind) => {
  async function place(name: string) {
    const home = join(dir, `${kind}-${name}`);
    const databaseUrl =
      kind === 'sqlite'
        ? `sqlite:///${join(home, 'data.db')}`
        : await postgres!.createDatabase(name.replaceAll('-', '_'));
    return { databaseUrl, backupDir: join(home, 'backups'), uploadsDir: join(home, 'runbooks'), version: VERSION };
  }
  const skipWithout = (skip: (note: string) => never) => {
    if (kind === 'postgresql' && !postgres) skip('no PostgreSQL server with its pg_dump and psql on this machine');
  };

  test('what was there comes back equal, after everything was lost', async ({ skip }) => {
    skipWithout(skip);
    const places = await place('drill');
    const database = await openDatabase(places.databaseUrl);
    const store = createStore(database.em);
    await fill(store);
    await mkdir(join(places.uploadsDir, 'team'), { recursive: true });
    await writeFile(join(places.uploadsDir, 'team', 'vpn page.md'), '# VPN\n');
    const before = await everything(database);
    // Somebody writes all the time.
    let writing = true;
    const writer = (async () => {
      for (let i = 0; writing; i++) {
        await store.runs.add(run(`late-${i}`));
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      return 'done';
    })();
    const { file, bytes, sha256 } = await createBackups(database, places).create(NOW);
    writing = false;
    expect(await writer).toBe('done');
    expect(file).toMatch(/orchestrator_20260302_090000\.sql\.gz$/);
    expect(bytes).toBeGreaterThan(500);
    expect(await readFile(`${file}.sha256`, 'utf8')).toBe(`${sha256}  orchestrator_20260302_090000.sql.gz\n`);
    expect((await readdir(places.backupDir)).length).toBe(2);

    await database.em.fork().execute('drop table run');
    await database.em.fork().execute('update endpoint set hostname = ?', ['vandalised']);
    await database.close();
    await rm(places.uploadsDir, { recursive: true });

    expect(await restoreBackup(file, places, NOW)).toMatchObject({ store: kind, version: VERSION });
    const restored = await openDatabase(places.databaseUrl);
    const after = await everything(restored);
    after.run = after.run!.filter((row) => !(row as { id: string }).id.startsWith('late-'));
    expect(after).toEqual(before);
    // Counters of ids go on behind what was restored.
    const endpoint = await createStore(restored.em).endpoints.register(registration({ hostname: 'next' }), null, NOW);
    expect(endpoint.id).toBeGreaterThan(1);
    await restored.close();
    expect(await readFile(join(places.uploadsDir, 'team', 'vpn page.md'), 'utf8')).toBe('# VPN\n');
  }, 60_000);

  test('whatever is refused changes nothing', async ({ skip }) => {
    skipWithout(skip);
    const places = await place('refusals');
    const database = await openDatabase(places.databaseUrl);
    const store = createStore(database.em);
    await fill(store);
    const { file } = await createBackups(database, places).create(NOW);
    const before = await everything(database);
    const refusal = (path: string) =>
      restoreBackup(path, places, NOW, { unverified: path !== file }).then(
        () => 'restored',
        (error) => error.kind,
      );

    // While the service runs.
    await store.workers.beat({ id: 'w', host: 'h', pid: 1, startedAt: NOW, seenAt: NOW, works: true });
    expect(await refusal(file)).toBe('conflict');
    await store.workers.leave('w', NOW);
    await database.close();

    // Broken in every way: cut, bits flipped, another text, a line lost, SQL that fails half way, a newer schema.
    const whole = await readFile(file);
    const text = gunzipSync(whole).toString('utf8');
    const lines = text.trimEnd().split('\n');
    const variant = async (name: string, content: Buffer) => {
      await writeFile(join(dir, `${kind}-${name}`), content);
      return refusal(join(dir, `${kind}-${name}`));
    };
    const flipped = Buffer.from(whole);
    flipped[Math.floor(flipped.length / 2)]! ^= 0xff;
    expect(await refusal(join(dir, 'absent.sql.gz'))).toBe('not_found');
    expect(await variant('cut', whole.subarray(0, whole.length - 20))).toBe('invalid');
    expect(await variant('flipped', flipped)).toBe('invalid');
    expect(await variant('text', Buffer.from('hello'))).toBe('invalid');
    expect(await variant('foreign', gzipSync('select 1;\n'))).toBe('invalid');
    expect(await variant('unended', gzipSync(lines.slice(0, -1).join('\n')))).toBe('invalid');
    const failing = [
      ...lines.slice(0, -1),
      kind === 'sqlite' ? 'insert into no_such_table values (1);' : 'ALTER TABLE no_such_table ADD x int;',
      lines.at(-1),
    ].join('\n');
    expect(await variant('failing', gzipSync(failing))).toBe(kind === 'sqlite' ? 'invalid' : 'unavailable');
    expect(await variant('newer', gzipSync(text.replace(/Migration\d+_/, 'Migration29991231235959_')))).toBe('refused');
    await writeFile(`${file}.sha256`, `${'0'.repeat(64)}  x\n`);
    expect(await refusal(file)).toBe('invalid');
    expect(await restoreBackup(file, places, NOW, { unverified: true }).catch(({ kind }) => kind)).toBe('invalid');
    await rm(`${file}.sha256`);
    expect(await refusal(file)).toBe('refused');

    // A backup that somebody made to do more than fill tables.
    const stolen = join(dir, `${kind}-stolen`);
    const hostile = {
      sqlite: [
        `attach '${stolen}' as other; create table other.x (y);`,
        "select load_extension('/nonexistent');",
        "insert into run (id) values (readfile('/etc/passwd'));",
        'pragma writable_schema = on;',
        'commit; vacuum;',
        'create trigger t after insert on run begin delete from endpoint; end;',
        'create view v as select 1;',
        'drop table run;',
      ],
      postgresql: [
        `\\! touch ${stolen}`,
        `SET x = 1; \\! touch ${stolen}`,
        `COPY run (id) TO PROGRAM 'touch ${stolen}';`,
        `/*\nCOPY run (id) FROM stdin;\n*/\n\\! touch ${stolen}`,
        `SET search_path = 'a\nb'; \\! touch ${stolen}`,
        'DO $$ begin end $$;',
        'CREATE FUNCTION f() RETURNS int LANGUAGE sql RETURN 1;',
        "SELECT pg_read_file('/etc/passwd');",
      ],
    }[kind];
    for (const [index, statement] of hostile.entries()) {
      const made = [...lines.slice(0, -1), statement, lines.at(-1)].join('\n');
      expect(await variant(`hostile-${index}`, gzipSync(made)), statement).toBe('invalid');
    }
    expect(existsSync(stolen)).toBe(false);

    const untouched = await openDatabase(places.databaseUrl);
    expect(await everything(untouched)).toEqual(before);
    await untouched.close();
  }, 60_000);
});

test('SQLite is not restored under another process that has it open, and is at once after that was killed', async () => {
  const home = join(dir, 'in-use');
  const databaseUrl = `sqlite:///${join(home, 'data.db')}`;
  const places = { databaseUrl, backupDir: home, uploadsDir: join(home, 'runbooks'), version: VERSION };
  const database = await openDatabase(databaseUrl);
  const { file } = await createBackups(database, places).create(NOW);
  await database.close();
  const code = `const { DatabaseSync } = require('node:sqlite');
    const db = new DatabaseSync(${JSON.stringify(join(home, 'data.db'))}); db.exec('pragma journal_mode = wal');
    db.prepare('select count(*) from run').get(); console.log('open'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await new Promise((resolve) => child.stdout.once('data', resolve));
    await expect(restoreBackup(file, places, NOW)).rejects.toMatchObject({ kind: 'conflict' });
  } finally {
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('close', resolve));
  }
  await restoreBackup(file, places, NOW);
  expect(existsSync(join(home, 'data.db.before-restore'))).toBe(true);
  expect((await readdir(home)).filter((name) => name.startsWith('.'))).toEqual([]);
});

test('a backup never replaces another', async () => {
  const home = join(dir, 'twice');
  const databaseUrl = `sqlite:///${join(home, 'data.db')}`;
  const database = await openDatabase(databaseUrl);
  const backups = createBackups(database, { databaseUrl, backupDir: home, uploadsDir: home, version: VERSION });
  await backups.create(NOW);
  await expect(backups.create(NOW)).rejects.toMatchObject({ kind: 'conflict' });
  await database.close();
});
