/** PostgreSQL as SQL, by its own pg_dump and psql; the password travels in the environment, never among the arguments. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AppError } from '../../../core/errors.ts';
import type { PostgresTarget } from '../../../core/processes/postgresUrl.ts';
import { plainDump } from './dumpLines.ts';

const HINT =
  'Install the PostgreSQL client of the server’s version or newer (Debian: postgresql-client), or use the backups of your provider.';

export async function* dumpPostgres(target: PostgresTarget): AsyncGenerator<string> {
  const child = spawn('pg_dump', ['--format=plain', '--clean', '--if-exists', '--no-owner', '--no-privileges'], {
    env: environment(target),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = outcome(child, 'pg_dump');
  ended.catch(() => {}); // awaited below, after its output
  yield* createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY });
  await ended;
}

/** Our tables of this user go first: what the backup does not know of must not stay behind. All of it happens, or nothing. */
const DROP_ALL = `do $$ declare t record; begin
  for t in select tablename from pg_tables where schemaname = current_schema() and tableowner = current_user
  loop execute format('drop table if exists %I cascade', t.tablename); end loop;
end $$;
`;

export async function loadPostgres(target: PostgresTarget, lines: AsyncIterable<string>): Promise<void> {
  const args = ['--no-psqlrc', '--quiet', '--single-transaction', '--set=ON_ERROR_STOP=1', '--output=/dev/null'];
  const child = spawn('psql', args, { env: environment(target), stdio: ['pipe', 'ignore', 'pipe'] });
  const ended = outcome(child, 'psql');
  const text = async function* () {
    yield DROP_ALL;
    for await (const line of plainDump(lines)) yield `${line}\n`;
  };
  let refusal: AppError | null = null;
  const sending = pipeline(Readable.from(text()), child.stdin).catch((error: unknown) => {
    // When psql stops early the pipe breaks; its own words say why.
    if (!(error instanceof AppError)) return;
    refusal = error;
    child.kill();
  });
  await Promise.all([sending, ended]).catch((error: unknown) => {
    throw refusal ?? error;
  });
}

function environment(target: PostgresTarget): NodeJS.ProcessEnv {
  const named: Record<string, string | null> = {
    PGHOST: target.host,
    PGPORT: String(target.port),
    PGUSER: target.user,
    PGPASSWORD: target.password,
    PGDATABASE: target.database,
    PGSSLMODE: target.tls,
    PGSSLROOTCERT: target.rootCertFile,
    PGSSLCERT: target.certFile,
    PGSSLKEY: target.keyFile,
    PGOPTIONS: target.options,
    PGCONNECT_TIMEOUT: target.connectTimeoutMs === null ? null : String(target.connectTimeoutMs / 1000),
    PGCLIENTENCODING: 'UTF8',
  };
  const set = Object.entries(named).filter((entry): entry is [string, string] => entry[1] !== null);
  return { PATH: SYSTEM_PATH, ...Object.fromEntries(set) };
}

/** Where distributions put the client; the service's own PATH may begin with folders of packages. */
const SYSTEM_PATH = '/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin';

async function outcome(child: ChildProcess, program: string): Promise<void> {
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString('utf8')).slice(-2000);
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  child.once('error', () => reject(new AppError('unavailable', `${program} is not installed here. ${HINT}`)));
  child.once('close', (code) => {
    if (code === 0) resolve();
    else reject(new AppError('unavailable', `${program} failed: ${said.trim()}\n${HINT}`));
  });
  return promise;
}
