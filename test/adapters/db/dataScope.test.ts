/** What a narrowed store shows: every table is under a rule, and no statement that reads gets around it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RULES, SHARED_TABLES } from '../../../src/adapters/db/dataScope.ts';
import { type Database, openDatabase } from '../../../src/adapters/db/open.ts';
import { createStore } from '../../../src/adapters/db/store.ts';
import type { DataScope, Store } from '../../../src/core/ports/storePorts.ts';
import { NOW, registration } from '../../helpers/rows.ts';
import { createTestDatabase } from '../../helpers/testDatabase.ts';

const SCOPE: DataScope = {
  selection: [{ dept: "R&D 'x'?" }, { persona: 'developer' }],
  ownerEmail: 'me@example.com',
  actorId: 'key:me',
};

test('every table is under a rule, or named as one that says nothing of machines', async () => {
  const database = await openDatabase('sqlite://:memory:');
  const tables = [...database.orm.getMetadata().getAll().values()].map(({ tableName }) => tableName).filter(Boolean);
  await database.close();
  expect(tables.length).toBeGreaterThan(25);
  expect([...new Set(tables)].sort()).toEqual([...RULES.keys(), ...SHARED_TABLES].sort());
});

describe.each(['sqlite', 'postgresql'])('on %s', (kind) => {
  let database: Database;
  let store: Store;
  let team: Store;
  beforeAll(async () => {
    database = await openDatabase(kind === 'sqlite' ? 'sqlite://:memory:' : await createTestDatabase());
    store = createStore(database.em);
    team = store.within(SCOPE);
    const add = (hostname: string, more: object) =>
      store.endpoints.register(registration({ hostname, ...more }), null, NOW);
    await add('in-1.example.com', { tags: { dept: "R&D 'x'?" } });
    await add('in-2', { persona: 'developer', tags: { dept: 'finance' } });
    await add('in-3', { ownerEmail: 'Me@example.com' });
    await add('out-1.example.com', { tags: { dept: 'finance' } });
    await add('out-2', { tags: { other: "R&D 'x'?" } });
  });
  afterAll(() => database.close());

  test('lists, counts, sums and searches hold the machines of the scope alone', async () => {
    const { items, total } = await team.endpoints.list({}, { limit: 10, offset: 0 }, NOW);
    expect(items.map(({ hostname }) => hostname)).toEqual(['in-1.example.com', 'in-2', 'in-3']);
    expect(total).toBe(3);
    expect(await team.endpoints.count()).toBe(3);
    expect((await team.endpoints.members()).length).toBe(3);
    expect((await team.endpoints.fleet()).reduce((sum, { endpoints }) => sum + endpoints, 0)).toBe(3);
    expect(await team.endpoints.get('out-1.example.com')).toBeNull();
    expect(await team.endpoints.byIds([4, 5])).toEqual([]);
    expect(await team.endpoints.byNamesOrAddresses(['out-2', 'in-2'])).toMatchObject([{ hostname: 'in-2' }]);
    expect((await team.endpoints.list({ search: 'out' }, { limit: 10, offset: 0 }, NOW)).total).toBe(0);
    expect(await team.aliases.byValues(['in-1', 'out-1'])).toMatchObject([{ hostname: 'in-1.example.com' }]);
    expect(await store.endpoints.count()).toBe(5);
  });
  test('a transaction stays within the scope, and the store beside it does not', async () => {
    await team.transaction(async (inner) => expect(await inner.endpoints.count()).toBe(3));
    expect(await store.endpoints.count()).toBe(5);
  });
  test('a change that takes a machine out of sight is undone', async () => {
    const [machine] = await team.endpoints.byHostnames(['in-1.example.com']);
    await expect(team.endpoints.update(machine!.id, { tags: { dept: 'finance' } }, NOW)).rejects.toMatchObject({
      kind: 'denied',
    });
    expect((await store.endpoints.get('in-1.example.com'))?.tags).toEqual({ dept: "R&D 'x'?" });
  });
  test('of no selection and no address nothing is seen', async () => {
    expect(await store.within({ selection: [], ownerEmail: null, actorId: 'x' }).endpoints.count()).toBe(0);
    expect(await store.within({ selection: [{}], ownerEmail: null, actorId: 'x' }).endpoints.count()).toBe(0);
  });
});
