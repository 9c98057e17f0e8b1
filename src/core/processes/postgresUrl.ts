/** What a PostgreSQL URL asks for, as libpq reads it; what cannot be done is a mistake with a name, never something else in silence. */
import { didYouMean } from '../commands/didYouMean.ts';

/** libpq's names (postgresql.org/docs/current/libpq-ssl.html), without `allow`, which encrypts only what nobody asked for. */
const TLS_MODES = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
type TlsMode = (typeof TLS_MODES)[number];

export interface PostgresTarget {
  /** A name, an address, or the folder of a Unix socket. */
  host: string;
  port: number;
  user: string | null;
  password: string | null;
  database: string | null;
  tls: TlsMode;
  /** Certificates to trust; `system` for those that this machine trusts, null for those of the runtime. */
  rootCertFile: string | null;
  certFile: string | null;
  keyFile: string | null;
  /** Settings for each session, as `-c search_path=dexops`. */
  options: string | null;
  applicationName: string | null;
  connectTimeoutMs: number | null;
}

interface ReadPostgresUrl {
  target: PostgresTarget;
  /** What is wrong, each with the part or the key that it is about; never a value, which may be a piece of the password. */
  mistakes: readonly string[];
}

const DEFAULT_PORT = 5432;
const KEYS = [
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'host',
  'port',
  'user',
  'password',
  'dbname',
  'options',
  'application_name',
  'connect_timeout',
  'client_encoding',
] as const;
type Key = (typeof KEYS)[number];

/** Keys that other clients know, and what to write instead. */
const INSTEAD: Record<string, string> = {
  ssl: 'write sslmode=require, or sslmode=verify-full with sslrootcert',
  schema: 'write options=-csearch_path%3DNAME',
  pgbouncer: 'leave it out: a pooler is noticed',
  channel_binding: 'leave it out: it cannot be enforced; sslmode=verify-full proves who the server is',
  hostaddr: 'write the address as host',
  target_session_attrs: 'leave it out and name the server that writes',
  service: 'write the host, the user and the database',
  passfile: 'write the password into the URL, percent-encoded',
};

export function isPostgresUrl(url: string): boolean {
  return /^postgres(ql)?:\/\//i.test(url);
}

/** @param url one for which `isPostgresUrl` holds */
export function readPostgresUrl(url: string): ReadPostgresUrl {
  const mistakes: string[] = [];
  const target: PostgresTarget = {
    host: '',
    port: DEFAULT_PORT,
    user: null,
    password: null,
    database: null,
    tls: 'disable',
    rootCertFile: null,
    certFile: null,
    keyFile: null,
    options: null,
    applicationName: null,
    connectTimeoutMs: null,
  };
  const unencoded = unencodedPart(url);
  // Nothing after it stands where it seems to, and a piece of the password might be printed as a key.
  if (unencoded !== null) return { target, mistakes: [unencoded] };

  const decoded = (text: string, part: string): string => {
    try {
      return decodeURIComponent(text);
    } catch {
      mistakes.push(`${part} has a % that does not begin an encoded character: write %25`);
      return '';
    }
  };
  const [, userInfo, hostAndPort = '', database = '', query = ''] =
    /^\w+:\/\/(?:([^@/?]*)@)?([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/s.exec(url) ?? [];
  if (userInfo !== undefined) {
    const [user = '', ...rest] = userInfo.split(':');
    target.user = decoded(user, 'the user name') || null;
    if (rest.length > 0) target.password = decoded(rest.join(':'), 'the password');
  }
  target.database = decoded(database, 'the database name') || null;
  if (database.includes('/')) mistakes.push('the database name has a / that is not percent-encoded: write %2F');

  const [, bracketed, plain = '', port] = /^(?:\[(.*)\]|([^:]*))(?::(.*))?$/s.exec(hostAndPort) ?? [];
  const given = readQuery(query, decoded, mistakes);
  const named = bracketed ?? decoded(plain, 'the host');
  if (named && given.has('host')) mistakes.push('host is named twice, before the database and as a key');
  target.host = given.get('host') ?? named;
  if (hostAndPort.includes(',') || target.host.includes(','))
    mistakes.push('several hosts are not supported: name the one that writes, or a pooler before them');
  else if (!/^(\/.*|[\w.-]*|[0-9a-f:.]+(%\w+)?)$/is.test(target.host))
    mistakes.push('the host is not a name, an address or the folder of a socket');
  else if (target.host === '') target.host = 'localhost';
  const portText = given.get('port') ?? port ?? '';
  if (portText !== '' && !isWhole(portText, 1, 65_535)) mistakes.push('the port must be a number from 1 to 65535');
  else if (portText !== '') target.port = Number(portText);

  target.user = given.get('user') ?? target.user;
  target.password = given.get('password') ?? target.password;
  target.database = given.get('dbname') ?? target.database;
  target.options = given.get('options') ?? null;
  target.applicationName = given.get('application_name') ?? null;
  const timeout = given.get('connect_timeout');
  if (timeout !== undefined && !isWhole(timeout, 1, 3600))
    mistakes.push('connect_timeout must be a number of seconds from 1 to 3600');
  else if (timeout !== undefined) target.connectTimeoutMs = Number(timeout) * 1000;
  if (!/^(utf-?8|auto)$/i.test(given.get('client_encoding') ?? 'utf8'))
    mistakes.push('client_encoding must be UTF8: nothing else is written');
  readTls(target, given, mistakes);
  return { target, mistakes };
}

/** Whom nobody can listen to: a socket, and the network of this machine alone. */
function isOnThisMachine(host: string): boolean {
  return host.startsWith('/') || host === 'localhost' || host === '::1' || host.startsWith('127.');
}

function readTls(target: PostgresTarget, given: ReadonlyMap<Key, string>, mistakes: string[]): void {
  const mode = given.get('sslmode');
  const [rootCert, cert, key] = [given.get('sslrootcert'), given.get('sslcert'), given.get('sslkey')];
  target.rootCertFile = rootCert ?? null;
  target.certFile = cert ?? null;
  target.keyFile = key ?? null;
  if (mode !== undefined && !(TLS_MODES as readonly string[]).includes(mode)) {
    mistakes.push(`sslmode must be one of ${TLS_MODES.join(', ')}`);
    return;
  }
  target.tls = (mode as TlsMode | undefined) ?? (isOnThisMachine(target.host) ? 'disable' : 'prefer');
  const files = (['sslrootcert', 'sslcert', 'sslkey'] as const).filter((name) => given.has(name));
  if (files.length > 0 && (mode === undefined || mode === 'disable' || mode === 'prefer'))
    mistakes.push(`${files.join(' and ')} would not be used: add sslmode=verify-full`);
  if ((cert === undefined) !== (key === undefined)) mistakes.push('sslcert and sslkey belong together: give both');
  if (mode === 'verify-ca' && rootCert === undefined)
    mistakes.push('sslmode=verify-ca needs sslrootcert, or every server with any certificate would do');
  if (rootCert === 'system' && mode !== 'verify-full') mistakes.push('sslrootcert=system needs sslmode=verify-full');
  if (target.host.startsWith('/') && mode !== undefined && mode !== 'disable' && mode !== 'prefer')
    mistakes.push(`sslmode=${mode} is not possible over a socket, which is never encrypted: leave it out`);
  // libpq does the same: who names what to trust wants it looked at.
  if (mode === 'require' && rootCert !== undefined) target.tls = 'verify-ca';
}

function readQuery(
  query: string,
  decoded: (text: string, part: string) => string,
  mistakes: string[],
): ReadonlyMap<Key, string> {
  const given = new Map<Key, string>();
  for (const pair of query.split('&').filter((each) => each !== '')) {
    const at = pair.indexOf('=');
    const name = decoded(at < 0 ? pair : pair.slice(0, at), 'a key');
    const key = KEYS.find((each) => each === name);
    if (!key) {
      const [near] = didYouMean(name, KEYS, 1);
      const instead = Object.hasOwn(INSTEAD, name) ? INSTEAD[name] : near ? `did you mean ${near}?` : undefined;
      mistakes.push(`${shown(name)} is not a key that is understood: ${instead ?? `these are: ${KEYS.join(', ')}`}`);
    } else if (given.has(key)) mistakes.push(`${key} is given twice`);
    else given.set(key, decoded(pair.slice(at + 1), key));
    if (key && given.get(key) === '') mistakes.push(`${key} is empty`);
  }
  return given;
}

/** A key as a message shows it: short, and nothing but what keys are made of. */
function shown(name: string): string {
  return /^[\w.-]{1,40}$/.test(name) ? name : 'something behind the ?';
}

/**
 * What shows that a user name or a password was not percent-encoded; null when nothing does. For any URL with a user and a host.
 * A password may hold every character that ends a part of a URL, so an @ is looked for where none belongs.
 */
export function unencodedPart(url: string): string | null {
  const rest = url.replace(/^[\w+]+:\/\//, '');
  const write = 'is not percent-encoded: in a password write %40 for @, %2F for /, %3F for ?, %23 for #, %25 for %';
  if (rest.includes('#')) return `a # ${write}`;
  const authority = /^[^/?]*/.exec(rest)?.[0] ?? '';
  const [path = '', query = ''] = rest.slice(authority.length).split(/\?(.*)/s);
  if (authority.split('@').length > 2) return `an @ in the user name or password ${write}`;
  // What looks like a port and is no number is the beginning of a password.
  const portIsText = /^[^@[:]*:.*\D/.test(authority);
  const misplaced = path.includes('@') || /^[^=&]*@/.test(query) || (portIsText && query.includes('@'));
  if (misplaced && !authority.includes('@'))
    return `a ${path.includes('@') ? '/' : '?'} in the user name or password ${write}`;
  if (misplaced) return `an @ after the host ${write}`;
  if (/%(?![0-9a-f]{2})/i.test(authority)) return `a % in the user name or password ${write}`;
  if (/[\s\p{Cc}]/u.test(rest)) return 'a space or line break is not percent-encoded: write %20 for a space';
  return null;
}

function isWhole(text: string, min: number, max: number): boolean {
  return /^\d{1,9}$/.test(text) && Number(text) >= min && Number(text) <= max;
}
