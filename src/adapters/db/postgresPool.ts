/** Connections of a pool: mended when PostgreSQL cuts one off in mid-transaction, and limited where a pooler keeps the limits out. */
import { Client, type ClientBase, Pool } from 'pg';
import { readPostgresUrl } from '../../core/processes/postgresUrl.ts';
import { connectPostgres, POSTGRES_LIMITS } from './postgresConnection.ts';

const NOTHING = { rows: [] };

/** Behind a pooler a session is lent for one transaction, so the limits come with each; together with its begin they cost no further way. */
const LIMITS_OF_A_TRANSACTION = Object.entries(POSTGRES_LIMITS)
  .map(([name, ms]) => `; set local ${name} = ${ms}`)
  .join('');

/** What the driver says when it has waited for an answer for as long as it may. */
const OVERDUE = 'Query read timeout';

/**
 * Kysely gives a transaction's connection back only after a beginning, a commit or a rollback that worked, and on a connection
 * that is cut off none does: each would take its place in the pool with it, and after a restart of the server none would be left.
 * So a transaction that could not begin fails at its first statement instead, and a rollback never fails: the server has rolled
 * back already, and the pool throws a broken connection away.
 */
export function guardConnections(pool: Pool, { pooled }: { pooled: boolean }): void {
  pool.on('connect', (client) => {
    const query = pooled ? limitedQuery(client) : client.query;
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

/** Within a transaction the server keeps the limits; a statement by itself is waited for no longer than they say. */
function limitedQuery(client: ClientBase): (...given: unknown[]) => unknown {
  const { query } = client;
  let inTransaction = false;
  return (text, ...more) => {
    if (typeof text !== 'string') return Reflect.apply(query, client, [text, ...more]);
    if (/^(begin|start transaction)\b/i.test(text)) {
      inTransaction = true;
      return Reflect.apply(query, client, [text + LIMITS_OF_A_TRANSACTION]);
    }
    if (inTransaction) {
      inTransaction = !/^(commit|rollback)$/i.test(text);
      return Reflect.apply(query, client, [text, ...more]);
    }
    const values = more.find((each) => Array.isArray(each));
    const callback = more.find((each) => typeof each === 'function');
    const limited = { text, values, query_timeout: POSTGRES_LIMITS.statement_timeout };
    const answer: unknown = Reflect.apply(query, client, callback === undefined ? [limited] : [limited, callback]);
    if (!(answer instanceof Promise)) return answer;
    return answer.catch((error: Error) => {
      // Its answer may still come, and the next statement would wait behind it.
      if (error.message === OVERDUE && client instanceof Client) void client.end();
      throw error;
    });
  };
}

/**
 * A pool beside the store's, for a queue.
 * @param onError called for connections that broke while idle; without it they would end the process
 */
export async function openPostgresPool(
  url: string,
  applicationName: string,
  max: number,
  onError: (error: Error) => void,
): Promise<{ pool: Pool; pooled: boolean }> {
  const { target, mistakes } = readPostgresUrl(url);
  if (mistakes.length > 0) throw new Error(mistakes.join('; '));
  const { options, pooled } = await connectPostgres(target, applicationName);
  const pool = new Pool({ ...options, max });
  pool.on('error', onError);
  // While it is lent out a connection that breaks says so to nobody but those who listen.
  pool.on('connect', (client) => client.on('error', onError));
  if (pooled) guardConnections(pool, { pooled });
  return { pool, pooled };
}
