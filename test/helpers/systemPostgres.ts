/** A PostgreSQL server of this machine whose pg_dump fits it: the one from npm brings no pg_dump, and an older one refuses it. */
import { execFile } from 'node:child_process';
import { chown, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findBinary } from './findBinary.ts';
import { freePort } from './freePort.ts';
import type { PostgresServer } from './postgres.ts';

const run = promisify(execFile);

/** Null when the machine has no server, or no client. */
export async function startSystemPostgres(): Promise<PostgresServer | null> {
  const versions = await readdir('/usr/lib/postgresql').catch(() => []);
  const bin = versions.length > 0 ? `/usr/lib/postgresql/${versions.sort().at(-1)}/bin` : null;
  if (!bin || !findBinary('pg_dump') || !findBinary('psql')) return null;
  const owner: { uid?: number; gid?: number } | null = process.getuid?.() === 0 ? await postgresUser() : {};
  if (!owner) return null;
  const dir = await mkdtemp(join(tmpdir(), 'dexops-pg-'));
  if (owner.uid && owner.gid) await chown(dir, owner.uid, owner.gid);
  const data = join(dir, 'data');
  const port = await freePort();
  const options = { ...owner, env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' }, cwd: dir };
  await run(join(bin, 'initdb'), ['-D', data, '-U', 'dexops', '--auth=trust', '--no-sync'], options);
  const settings = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off`;
  await run(join(bin, 'pg_ctl'), ['-D', data, '-w', '-o', settings, '-l', join(dir, 'log'), 'start'], options);
  return {
    async createDatabase(name) {
      await run('psql', [
        '-h',
        '127.0.0.1',
        '-p',
        String(port),
        '-U',
        'dexops',
        '-c',
        `create database ${name}`,
        'postgres',
      ]);
      return `postgresql://dexops:dexops@127.0.0.1:${port}/${name}`;
    },
    async stop() {
      await run(join(bin, 'pg_ctl'), ['-D', data, '-m', 'immediate', 'stop'], options);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** The server refuses to run as root; the distribution's package comes with a user for it. */
export async function postgresUser(): Promise<{ uid: number; gid: number } | null> {
  const { stdout } = await run('getent', ['passwd', 'postgres']).catch(() => ({ stdout: '' }));
  const [, , uid, gid] = stdout.split(':').map(Number);
  return uid && gid ? { uid, gid } : null;
}
