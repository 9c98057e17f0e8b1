/** Mends what the query builder leaves behind in the pool when PostgreSQL cuts a connection off in mid-transaction. */
import type { Pool } from 'pg';

/**
 * Kysely gives a transaction's connection back only after a rollback that worked, and on a connection that is cut off none
 * does: each would take its place in the pool with it, and after a restart of the server none would be left. Nothing is
 * hidden by letting it pass: the server has rolled back already, and the pool throws a broken connection away.
 */
export function letGoOfBrokenConnections(pool: Pool): void {
  pool.on('connect', (client) => {
    const { query } = client;
    Object.assign(client, {
      query(...given: unknown[]): unknown {
        const answer: unknown = Reflect.apply(query, client, given);
        return given[0] === 'rollback' && answer instanceof Promise ? answer.catch(() => ({ rows: [] })) : answer;
      },
    });
  });
}
