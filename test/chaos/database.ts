/** The databases of a storm: a PostgreSQL that can be restarted, and a SQLite file on a disk that can be filled. */
import { execFile } from 'node:child_process';
import { appendFileSync, chmodSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { serveFrom } from '../helpers/postgres.ts';

const run = promisify(execFile);

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

export interface SmallDisk {
  dir: string;
  fill(): void;
  free(): void;
  remove(): Promise<void>;
}

const SIZE_MB = 48;

/** A disk of its own for the data. Null, with the reason printed, where none can be made. */
export async function createSmallDisk(dir: string, say: (line: string) => void): Promise<SmallDisk | null> {
  const mount = join(dir, 'disk');
  mkdirSync(mount);
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${SIZE_MB}m`, 'tmpfs', mount]);
  } catch (error) {
    say(`NOT DONE: the full disk. A file system of its own cannot be mounted here: ${(error as Error).message.trim()}`);
    return null;
  }
  const ballast = join(mount, 'ballast');
  return {
    dir: mount,
    fill() {
      const chunk = Buffer.alloc(64 * 1024);
      try {
        for (;;) appendFileSync(ballast, chunk);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    },
    free: () => rmSync(ballast, { force: true }),
    remove: async () => void (await run('umount', ['-l', mount])),
  };
}
