/** The database of a storm: a PostgreSQL that can be restarted. */
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { serveFrom } from '../helpers/postgres.ts';

export interface ChaosPostgres {
  url: string;
  start(): Promise<void>;
  /** Ends it as a restart does: at once, whoever is connected. */
  halt(): Promise<void>;
  /** Ends every connection of others. */
  cut(): Promise<void>;
}

export async function createPostgres(dir: string): Promise<ChaosPostgres> {
  const ours = join(dir, 'postgres');
  mkdirSync(ours);
  chmodSync(dir, 0o755); // the server's own user has to get through to its data
  const { server, createDatabase } = await serveFrom(ours, { persistent: true });
  return {
    url: await createDatabase('chaos'),
    start: () => server.start(),
    halt: () => server.stop(),
    async cut() {
      const client = server.getPgClient('postgres', '127.0.0.1');
      await client.connect();
      await client.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()",
      );
      await client.end();
    },
  };
}
