/** One starter at a time brings the schema up to date; whoever starts beside it waits until that is done. */
import { DatabaseSync } from 'node:sqlite';
import type { Transaction } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';

/** An arbitrary constant that all DexOps processes share. */
const POSTGRES_LOCK = 7_305_113;

/** Longer than any migration of a database of a size that SQLite is for. */
const SQLITE_WAIT_MS = 120_000;

/**
 * Without the time limits that hold for ordinary work: building an index on a large table takes what it takes, and so does
 * waiting for whoever builds it.
 * @param work is handed the transaction that holds the lock; what it does in there needs no other connection
 */
export function withPostgresLock<T>(
  em: SqlEntityManager,
  work: (transaction: Transaction | undefined) => Promise<T>,
): Promise<T> {
  return em.fork().transactional(async (inner) => {
    for (const limit of ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout']) {
      await inner.execute(`set local ${limit} = 0`);
    }
    await inner.execute('select pg_advisory_xact_lock(?)', [POSTGRES_LOCK]);
    return work(inner.getTransactionContext());
  });
}

/**
 * The lock lies on an empty file beside the database, because a lock on the database itself would keep the migration out too.
 * SQLite takes it from the operating system, so it does not outlive its process.
 * @param path the database's file
 */
export async function withSqliteLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const lock = new DatabaseSync(`${path}.lock`, { timeout: SQLITE_WAIT_MS });
  try {
    lock.exec('begin exclusive');
    return await work();
  } finally {
    lock.close();
  }
}
