/** A PostgreSQL server of a test's own that it may stop and start again, with its data kept in between. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serveFrom } from './postgres.ts';

export interface RestartedPostgres {
  createDatabase(name: string): Promise<string>;
  down(): Promise<void>;
  up(): Promise<void>;
  remove(): Promise<void>;
}

export async function startRestartedPostgres(): Promise<RestartedPostgres> {
  const dir = await mkdtemp(join(tmpdir(), 'dexops-restarted-'));
  const { server, createDatabase } = await serveFrom(dir, { persistent: true });
  return {
    createDatabase,
    down: () => server.stop(),
    up: () => server.start(),
    async remove() {
      await server.stop().catch(() => {}); // a test that failed may have left it down
      await rm(dir, { recursive: true, force: true });
    },
  };
}
