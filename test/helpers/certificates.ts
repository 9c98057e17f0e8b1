/** Certificates of an authority of a test's own, made by openssl. */
import { execFile } from 'node:child_process';
import { chown, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findBinary } from './findBinary.ts';
import { postgresUser } from './systemPostgres.ts';

const run = promisify(execFile);

export const OPENSSL = findBinary('openssl');

interface Certificates {
  /** The authority that signed the others, and one that signed nothing. */
  authority: string;
  stranger: string;
  server: { cert: string; key: string };
}

/**
 * A server's certificate for these names, whose key a PostgreSQL server takes.
 * @param names as `DNS:localhost`
 */
export async function makeCertificates(dir: string, names: string[]): Promise<Certificates> {
  const openssl = (...args: string[]) => run(OPENSSL ?? 'openssl', args, { cwd: dir });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  for (const name of ['authority', 'stranger']) {
    const files = ['-keyout', `${name}.key`, '-out', `${name}.crt`];
    await openssl('req', '-x509', '-days', '3', '-subj', `/CN=${name}`, ...key, ...files);
  }
  await openssl('req', '-subj', '/CN=server', ...key, '-keyout', 'server.key', '-out', 'server.csr');
  await writeFile(join(dir, 'names'), `subjectAltName = ${names.join(', ')}\n`);
  const signed = ['-in', 'server.csr', '-CA', 'authority.crt', '-CAkey', 'authority.key', '-CAcreateserial'];
  await openssl('x509', '-req', '-days', '3', ...signed, '-extfile', 'names', '-out', 'server.crt');
  // Keys that others may read are refused by the server, which runs as a user of its own when the test is root's.
  const owner = process.getuid?.() === 0 ? await postgresUser() : null;
  if (owner) await chown(join(dir, 'server.key'), owner.uid, owner.gid);
  const path = (name: string) => join(dir, name);
  return {
    authority: path('authority.crt'),
    stranger: path('stranger.crt'),
    server: { cert: path('server.crt'), key: path('server.key') },
  };
}
