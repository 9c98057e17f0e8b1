/** Both databases, empty and migrated, for suites that must hold on either. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Database, openDatabase } from '../../src/adapters/db/open.ts';
import { createStore } from '../../src/adapters/db/store.ts';
import type { Store } from '../../src/core/ports/storePorts.ts';
import { createTestDatabase } from './testDatabase.ts';

export interface TestStore {
  store: Store;
  database: Database;
  url: string;
  close(): Promise<void>;
}

export const STORE_KINDS = ['sqlite', 'postgresql'] as const;

/** The database of suites that take long: one while people work, the other with the slow tests (test/e2e/vitest.config.ts). */
export const SLOW_STORE_KINDS: readonly (typeof STORE_KINDS)[number][] = [
  process.env.DEXOPS_TEST_STORE === 'postgresql' ? 'postgresql' : 'sqlite',
];

export async function openTestStore(kind: (typeof STORE_KINDS)[number]): Promise<TestStore> {
  const dir = await mkdtemp(join(tmpdir(), 'dexops-store-'));
  const url = kind === 'postgresql' ? await createTestDatabase() : `sqlite:///${join(dir, 'test.db')}`;
  const database = await openDatabase(url);
  return {
    store: createStore(database.em),
    database,
    url,
    async close() {
      await database.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
