/** Mends what the query builder leaves behind in the pool when PostgreSQL cuts a connection off in mid-transaction. */
import type { Pool } from 'pg';

const NOTHING = { rows: [] };

/**
 * Kysely gives a transaction's connection back only after a beginning, a commit or a rollback that worked, and on a connection
 * that is cut off none does: each would take its place in the pool with it, and after a restart of the server none would be left.
 * So a transaction that could not begin fails at its first statement instead, and a rollback never fails: the server has rolled
 * back already, and the pool throws a broken connection away.
 */
export function letGoOfBrokenConnections(pool: Pool): void {
  pool.on('connect', (client) => {
    const { query } = client;
    let failedBegin: Error | null = null;
    Object.assign(client, {
      query(...given: unknown[]): unknown {
        const [text] = given;
        if (failedBegin) {
          if (text !== 'rollback') return Promise.reject(failedBegin);
          failedBegin = null;
          return Promise.resolve(NOTHING);
        }
        const answer: unknown = Reflect.apply(query, client, given);
        if (!(answer instanceof Promise)) return answer;
        if (text === 'begin')
          return answer.catch((error: Error) => {
            failedBegin = error;
            return NOTHING;
          });
        return text === 'rollback' ? answer.catch(() => NOTHING) : answer;
      },
    });
  });
}
