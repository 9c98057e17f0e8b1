/** Opening a database: beside others on an empty one, and with limits on what a statement may take. */
import { chmod, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeFolder } from '../../../src/adapters/db/makeFolder.ts';
import { withPostgresLock } from '../../../src/adapters/db/migrationLock.ts';
import { openDatabase } from '../../../src/adapters/db/open.ts';
import { createStore } from '../../../src/adapters/db/store.ts';
import { createTestDatabase } from '../../helpers/testDatabase.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dexops-open-'));
});
afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
});

test('a SQLite database, its log and its folder are for this user alone, older ones too', async () => {
  const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
  const path = join(dir, 'private', 'store.db');
  for (const _ of ['new', 'old']) {
    const database = await openDatabase(`sqlite:///${path}`);
    await createStore(database.em).jobs.ended('x', new Date(), new Date(), null);
    expect(await mode(join(dir, 'private'))).toBe('700');
    for (const file of [path, `${path}-wal`, `${path}-shm`]) expect(await mode(file), file).toBe('600');
    await database.close();
    await chmod(path, 0o644);
  }
});

test('a folder that can never be made is an error with the reason, and no endless try', () => {
  // Node's own recursive mkdir does not return from this one.
  expect(() => makeFolder('/proc/dexops/data')).toThrow(/\/proc\/dexops cannot be made: \/proc takes no folders/);
  expect(() => makeFolder('/dev/null/data')).toThrow(/cannot be made/);
  makeFolder(join(dir, 'a/b/c'));
  makeFolder(join(dir, 'a/b/c'));
});

test('a statement on PostgreSQL has a time limit, and says whose it is', async () => {
  const database = await openDatabase(await createTestDatabase());
  const setting = async (name: string) => {
    const [row] = await database.em.fork().execute<{ value: string }[]>('select current_setting(?) as value', [name]);
    return row?.value;
  };
  expect(await setting('statement_timeout')).toBe('1min');
  expect(await setting('lock_timeout')).toBe('30s');
  expect(await setting('idle_in_transaction_session_timeout')).toBe('1min');
  expect(await setting('application_name')).toBe('dexops');
  await database.close();
});

test('what brings the schema up to date has no time limit, and holds the lock for as long as it works', async () => {
  const url = await createTestDatabase();
  const [one, two] = await Promise.all([openDatabase(url), openDatabase(url)]);
  const order: string[] = [];
  await Promise.all([
    withPostgresLock(one.em, async (transaction) => {
      const limits = await one.em
        .fork()
        .getConnection()
        .execute<{ setting: string }[]>(
          "select setting from pg_settings where name in ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout')",
          [],
          'all',
          transaction,
        );
      expect(limits.map(({ setting }) => setting)).toEqual(['0', '0', '0']);
      order.push('first begins');
      await new Promise((resolve) => setTimeout(resolve, 300));
      order.push('first ends');
    }),
    new Promise((resolve) => setTimeout(resolve, 100)).then(() =>
      withPostgresLock(two.em, async () => order.push('second')),
    ),
  ]);
  expect(order).toEqual(['first begins', 'first ends', 'second']);
  await Promise.all([one.close(), two.close()]);
});

test('a connection that is cut off fails as unavailable, and the next one works', async () => {
  const url = await createTestDatabase();
  const database = await openDatabase(url, 2);
  const store = createStore(database.em);
  const killer = new pg.Client(url);
  await killer.connect();
  const cutOff = async () => {
    const ours = "datname = current_database() and application_name = 'dexops'";
    const { rows } = await killer.query(`select pg_terminate_backend(pid) from pg_stat_activity where ${ours}`);
    return rows.length;
  };
  try {
    // More often than the pool has places: none may be lost.
    for (let times = 0; times < 3; times++) {
      const transaction = store.transaction(async (inner) => {
        await inner.endpoints.count();
        await cutOff();
        await inner.endpoints.count();
      });
      await expect(transaction).rejects.toMatchObject({ kind: 'unavailable' });
    }
    await expect.poll(() => store.endpoints.count().catch(() => 'away'), { timeout: 20_000 }).toBe(0);
  } finally {
    await Promise.all([killer.end(), database.close()]);
  }
}, 60_000);
