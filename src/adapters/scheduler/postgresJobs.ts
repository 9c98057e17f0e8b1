/** Jobs shared in PostgreSQL, in a way that a restart of it does not take the process down, behind a pooler too. */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { PostgresBackend, PostgresJobRepository } from '@agendajs/postgres-backend';
import type { Pool, PoolClient } from 'pg';
import type { JobStorage, OpenPostgresPool } from './jobStorage.ts';

/** Connections of a process to a queue in PostgreSQL; one of them listens. */
const POOL_SIZE = 5;

/** The advisory lock of whoever makes the tables: any number that nothing else takes. */
const SCHEMA_LOCK = 7_351_022;

/** For a notification to come back to who sent it; on a slow line it takes some tenths of a second. Milliseconds. */
const ECHO_MS = 1000;

const SILENT =
  'The pooler before the queue (RUN_QUEUE_URL) keeps notifications back, as transaction pooling does: jobs begin up to a second after they are asked for. Session pooling, or the server itself, avoids that.';

/** @throws what the driver says when there is no way in */
export async function postgresJobs(
  url: string,
  openPool: OpenPostgresPool,
  onError: (error: Error) => void,
): Promise<JobStorage> {
  const { pool, pooled } = await openPool(url, 'dexops-queue', POOL_SIZE, onError);
  const listens = !pooled || (await hearsItself(pool));
  const backend = new PostgresBackend({ pool, ensureSchema: false, disableNotifications: !listens });
  return {
    backend,
    async connect() {
      await makeTables(pool);
      await backend.connect();
    },
    async oldestDue() {
      const { rows } = await pool.query<{ due: Date | null }>(
        'select min(next_run_at) as due from agenda_jobs where next_run_at <= now() and locked_at is null and not disabled',
      );
      return rows[0]?.due ?? null;
    },
    close: () => pool.end(),
    remark: () => (listens ? null : SILENT),
  };
}

/** Agenda makes its tables with each start; two that do so at once trip over each other. All on one connection: a pooler may have no second. */
async function makeTables(pool: Pool): Promise<void> {
  const holder = await pool.connect();
  try {
    await holder.query('begin');
    await holder.query('select pg_advisory_xact_lock($1)', [SCHEMA_LOCK]);
    await new PostgresJobRepository({ pool: lent(pool, holder) }).connect();
    await holder.query('commit');
    holder.release();
  } catch (error) {
    holder.release(true); // and with it the lock, and what was begun
    throw error;
  }
}

/** The pool as one that has this connection only, and keeps it when it is given back. */
function lent(pool: Pool, holder: PoolClient): Pool {
  const kept: PoolClient = Object.assign(Object.create(holder), {
    query: holder.query.bind(holder),
    release: () => {},
  });
  return Object.assign(Object.create(pool), { connect: async () => kept });
}

/** Whether a session outlives its statements: only then does anybody hear what others notify of. */
async function hearsItself(pool: Pool): Promise<boolean> {
  const listener = await pool.connect();
  try {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    listener.once('notification', () => resolve(true));
    const channel = `dexops_echo_${randomBytes(8).toString('hex')}`;
    await listener.query(`listen ${channel}`);
    await pool.query(`notify ${channel}, 'hello'`);
    const waited = new AbortController();
    const silence = delay(ECHO_MS, false, { signal: waited.signal }).catch(() => false);
    return await Promise.race([promise, silence]).finally(() => waited.abort());
  } finally {
    listener.release(true); // it goes on listening for as long as it lives
  }
}
