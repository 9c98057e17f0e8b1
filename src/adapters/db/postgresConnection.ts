/** How this process talks to a PostgreSQL: encrypted as asked, within time limits, and past a pooler that refuses some of it. */
import { readFile } from 'node:fs/promises';
import { checkServerIdentity, getCACertificates, type PeerCertificate } from 'node:tls';
import { Client, type ClientConfig, type PoolConfig } from 'pg';
import { AppError } from '../../core/errors.ts';
import type { PostgresTarget } from '../../core/processes/postgresUrl.ts';

/**
 * No statement of ours takes long; one that does is stuck behind a lock or a missing index, and must not hold a connection of
 * the pool for ever. Milliseconds.
 */
export const POSTGRES_LIMITS = {
  statement_timeout: 60_000,
  lock_timeout: 30_000,
  idle_in_transaction_session_timeout: 60_000,
};

/** How long to wait for a connection unless the URL says so. */
const CONNECT_MS = 10_000;

/** A connection is renewed now and then, so that after a failover none stays with a server that only reads. */
const LIFETIME_S = 1800;

/** PostgreSQL's code of a message it does not expect; pgbouncer refuses settings at the start with it. */
const PROTOCOL_VIOLATION = '08P01';

interface PostgresConnection {
  options: PoolConfig & { database?: string };
  /** A pooler lies between (pgbouncer): the limits did not arrive, and a session may not last longer than its transaction. */
  pooled: boolean;
}

/** For messages: no user, no password. */
export function placeOf({ host, port }: PostgresTarget): string {
  if (host.startsWith('/')) return host;
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/**
 * Connects once to find out what this server takes.
 * @param applicationName how the server lists the connections, unless the URL names them
 * @throws the driver's error when there is no way in, with what to do about it
 */
export async function connectPostgres(target: PostgresTarget, applicationName: string): Promise<PostgresConnection> {
  const { host, port, user, password, database, options } = target;
  const base: PoolConfig = {
    host,
    port,
    ...(user !== null && { user }),
    ...(password !== null && { password }),
    ...(database !== null && { database }),
    ...(options !== null && { options }),
    application_name: target.applicationName ?? applicationName,
    connectionTimeoutMillis: target.connectTimeoutMs ?? CONNECT_MS,
    keepAlive: true,
    maxLifetimeSeconds: LIFETIME_S,
  };
  let ssl = await tlsOptions(target);
  let limits: Partial<typeof POSTGRES_LIMITS> = POSTGRES_LIMITS;
  for (;;) {
    const settled = { ...base, ssl, ...limits };
    try {
      const limitMs = await statementLimitMs(settled);
      const pooled = limitMs !== POSTGRES_LIMITS.statement_timeout;
      return { options: pooled ? { ...base, ssl } : settled, pooled };
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      if (ssl !== false && target.tls === 'prefer' && /does not support SSL/.test(message)) ssl = false;
      else if (code === PROTOCOL_VIOLATION && /startup parameter: options/.test(message)) throw refusedOptions(target);
      else if (code === PROTOCOL_VIOLATION && /startup parameter/.test(message) && 'lock_timeout' in limits)
        limits = {};
      else throw withAdvice(error as Error);
    }
  }
}

/** What the server holds a statement of ours to. */
async function statementLimitMs(options: ClientConfig): Promise<number> {
  const client = new Client(options);
  client.on('error', () => {}); // the query in flight says it
  try {
    await client.connect();
    const { rows } = await client.query<{ ms: string }>(
      "select setting as ms from pg_settings where name = 'statement_timeout'",
    );
    return Number(rows[0]?.ms);
  } finally {
    await client.end().catch(() => {});
  }
}

function refusedOptions(target: PostgresTarget): AppError {
  return new AppError(
    'invalid',
    `The pooler at ${placeOf(target)} takes no options from the URL: leave them out and set them for the user (alter role … set …).`,
  );
}

async function tlsOptions({
  host,
  tls,
  rootCertFile,
  certFile,
  keyFile,
}: PostgresTarget): Promise<ClientConfig['ssl']> {
  if (tls === 'disable' || host.startsWith('/')) return false;
  const verifies = tls === 'verify-ca' || tls === 'verify-full';
  return {
    rejectUnauthorized: verifies,
    ...(rootCertFile === 'system'
      ? { ca: getCACertificates('system') }
      : rootCertFile !== null && { ca: await readFile(rootCertFile, 'utf8') }),
    ...(certFile !== null && { cert: await readFile(certFile, 'utf8') }),
    ...(keyFile !== null && { key: await readFile(keyFile, 'utf8') }),
    // The driver hands an address on to nobody, and a certificate for "localhost" would pass for every address.
    checkServerIdentity: (_name: string, certificate: PeerCertificate) =>
      tls === 'verify-full' ? checkServerIdentity(host, certificate) : undefined,
  };
}

const ADVICE: readonly [RegExp, string][] = [
  [/does not support SSL/, 'The server has TLS turned off: turn it on, or write sslmode=disable.'],
  [
    /no encryption|SSL off|SSL required|connection requires.*(SSL|TLS)/i,
    'The server wants TLS: write sslmode=require.',
  ],
  [
    /self.signed certificate|unable to (get|verify)/i,
    'Name the certificate of the authority that signed it: sslrootcert=/path/root.crt.',
  ],
  [/does not match certificate|altnames/i, 'Write the host as the certificate names it, or sslmode=verify-ca.'],
  [/no such database/, 'The pooler does not know this database: add it to its [databases].'],
];

function withAdvice(error: Error): Error {
  const advice = ADVICE.find(([pattern]) => pattern.test(error.message))?.[1];
  if (advice) error.message = `${error.message.replace(/\.$/, '')}. ${advice}`;
  return error;
}
