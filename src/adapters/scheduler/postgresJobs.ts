/** Jobs shared in PostgreSQL, in a way that a restart of it does not take the process down. */
import { PostgresBackend } from '@agendajs/postgres-backend';
import { Pool } from 'pg';
import type { JobStorage } from './jobStorage.ts';

/** Connections of a process to a queue in PostgreSQL; one of them listens. */
const POOL_SIZE = 5;

/** Statements on a queue are short; one that is not is stuck, and must not hold a connection for ever. Milliseconds. */
const LIMITS = { connectionTimeoutMillis: 10_000, statement_timeout: 60_000, keepAlive: true };

/** The advisory lock of whoever makes the tables: any number that nothing else takes. */
const SCHEMA_LOCK = 7_351_022;

export function postgresJobs(connectionString: string, onError: (error: Error) => void): JobStorage {
  // A pool without a listener throws what happens to its idle connections, and with it ends the process.
  const pool = new Pool({ connectionString, max: POOL_SIZE, application_name: 'dexops-queue', ...LIMITS });
  pool.on('error', onError);
  const backend = new PostgresBackend({ pool });
  return {
    backend,
    async connect() {
      // Agenda makes its tables with each start; two that do so at once trip over each other.
      const holder = await pool.connect();
      try {
        await holder.query('select pg_advisory_lock($1)', [SCHEMA_LOCK]);
        await backend.connect();
      } finally {
        holder.release(true); // the lock goes with its connection
      }
    },
    async oldestDue() {
      const { rows } = await pool.query<{ due: Date | null }>(
        'select min(next_run_at) as due from agenda_jobs where next_run_at <= now() and locked_at is null and not disabled',
      );
      return rows[0]?.due ?? null;
    },
    close: () => pool.end(),
  };
}
