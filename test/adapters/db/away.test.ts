/** A database that is gone in the middle of work: reads and writes say so alike, and go on when it is back. */
import { connect, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../../src/adapters/db/open.ts';
import { createStore } from '../../../src/adapters/db/store.ts';
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
