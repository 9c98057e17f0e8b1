/** A database that is gone in the middle of work: reads and writes say so alike, and go on when it is back. */
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../../src/adapters/db/open.ts';
import { createStore } from '../../../src/adapters/db/store.ts';
import type { Store } from '../../../src/core/ports/storePorts.ts';
import { NOW, registration } from '../../helpers/rows.ts';
import { createTestDatabase } from '../../helpers/testDatabase.ts';

/** Stands between the store and the server, and can be cut. */
const cables = new Set<Socket>();
let isCut = false;
let target: URL;
const socket = createServer((near) => {
  if (isCut) return near.destroy();
  const far = connect(Number(target.port), target.hostname);
  for (const [end, other] of [
    [near, far],
    [far, near],
  ] as const) {
    cables.add(end);
    end.on('error', () => {}).on('close', () => other.destroy());
  }
  near.pipe(far).pipe(near);
});

let database: Database;
beforeAll(async () => {
  target = new URL(await createTestDatabase());
  await new Promise<void>((listening) => socket.listen(0, '127.0.0.1', listening));
  const address = socket.address();
  const through = new URL(target);
  through.port = String(typeof address === 'object' && address ? address.port : 0);
  database = await openDatabase(through.href);
});
afterAll(async () => {
  await database.close();
  socket.close();
});

test('every call is answered with unavailable while it is gone', async () => {
  const store = createStore(database.em);
  await store.endpoints.register(registration({ hostname: 'pc-1' }), null, NOW);
  isCut = true;
  for (const cable of cables) cable.destroy();
  const calls = [
    () => store.endpoints.get('pc-1'),
    () => store.runs.inStatus(['running']),
    () => store.outbox.due('slack', NOW, 10),
    () => store.endpoints.register(registration({ hostname: 'pc-2' }), null, NOW),
    () => store.transaction((inner) => inner.endpoints.get('pc-1')),
    () => store.ping(),
  ];
  for (const call of calls) await expect(call()).rejects.toMatchObject({ kind: 'unavailable' });
  isCut = false;
  expect(await store.endpoints.get('pc-1')).toMatchObject({ hostname: 'pc-1' });
  expect(await store.endpoints.get('pc-2')).toBeNull();
});

test('transactions that were cut off while they began take no place of the pool with them', async () => {
  const store = createStore(database.em);
  const POOL_SIZE = 10;
  for (let tries = 0; tries <= POOL_SIZE; tries++) {
    await store.ping();
    const cutOff = store.transaction((inner) => inner.endpoints.get('pc-1'));
    // By now the first statement is on its way, and its answer is not.
    setImmediate(() => {
      for (const cable of cables) cable.destroy();
    });
    await expect(cutOff).rejects.toMatchObject({ kind: 'unavailable' });
  }
  await store.transaction((inner) => inner.endpoints.get('pc-1'));
}, 60_000);

describe('SQLite', () => {
  let dir: string;
  let file: string;
  let sqlite: Database;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'dexops-away-'));
    file = join(dir, 'away.db');
    sqlite = await openDatabase(`sqlite:///${file}`);
  });
  afterAll(async () => {
    await sqlite.close();
    await rm(dir, { recursive: true, force: true });
  });
  const register = (store: Store, hostname: string, tags = {}) =>
    store.endpoints.register(registration({ hostname, tags }), null, NOW);

  test('a disk that was full is written again once there is room', async () => {
    const store = createStore(sqlite.em);
    const [size] = await sqlite.em.execute<{ page_count: number }[]>('pragma page_count');
    await sqlite.em.execute(`pragma max_page_count = ${size?.page_count}`);
    const long = { note: 'x'.repeat(1_000_000) };
    await expect(store.transaction((inner) => register(inner, 'pc-1', long))).rejects.toMatchObject({
      kind: 'unavailable',
    });
    await expect(register(store, 'pc-1', long)).rejects.toMatchObject({ kind: 'unavailable' });
    await sqlite.em.execute('pragma max_page_count = 1000000');
    await store.transaction((inner) => register(inner, 'pc-1'));
    expect(await store.endpoints.get('pc-1')).toMatchObject({ hostname: 'pc-1' });
  });

  test('a transaction that did not get its turn costs the next ones nothing', async () => {
    const store = createStore(sqlite.em);
    await sqlite.em.execute('pragma busy_timeout = 50');
    const other = new DatabaseSync(file);
    other.exec('begin immediate');
    for (let tries = 0; tries < 2; tries++)
      await expect(store.transaction((inner) => inner.runs.inStatus(['queued']))).rejects.toMatchObject({
        kind: 'unavailable',
      });
    other.exec('rollback');
    other.close();
    await store.transaction((inner) => register(inner, 'pc-2'));
    expect(await store.endpoints.get('pc-2')).toMatchObject({ hostname: 'pc-2' });
  });
});
