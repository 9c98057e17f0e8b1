/** Debian's pgbouncer before a PostgreSQL, as operators set it up: it takes none of the settings that a session begins with. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProgram } from './childProcess.ts';
import { findBinary } from './findBinary.ts';
import { freePort } from './freePort.ts';

export const PGBOUNCER = findBinary('pgbouncer');

interface Pooler {
  /** Of the same database, through the pooler. */
  url: string;
  stop(): Promise<void>;
}

/**
 * @param url of the database behind it
 * @param poolMode pgbouncer's `pool_mode`
 * @param settings further lines of its configuration
 */
export async function startPgbouncer(url: string, poolMode: string, settings: string[] = []): Promise<Pooler> {
  if (!PGBOUNCER) throw new Error('pgbouncer is not on this machine (Debian: pgbouncer)');
  const { hostname, port: behind, username, password, pathname } = new URL(url);
  const dir = await mkdtemp(join(tmpdir(), 'dexops-pgbouncer-'));
  await chmod(dir, 0o755);
  const port = await freePort();
  await writeFile(join(dir, 'users.txt'), `"${username}" "${password}"\n`);
  const lines = [
    '[databases]',
    `* = host=${hostname} port=${behind}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'auth_type = md5',
    `auth_file = ${join(dir, 'users.txt')}`,
    `pool_mode = ${poolMode}`,
    ...settings,
  ];
  const file = join(dir, 'pgbouncer.ini');
  await writeFile(file, `${lines.join('\n')}\n`);
  // It refuses to run as root; the distribution's servers come with a user for it.
  const asUser = process.getuid?.() === 0 ? ['-u', 'postgres'] : [];
  const program = await startProgram(PGBOUNCER, [...asUser, file], /process up/);
  return {
    url: `postgresql://${username}:${password}@127.0.0.1:${port}${pathname}`,
    async stop() {
      await program.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
