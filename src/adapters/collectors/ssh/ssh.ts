/** Looks at Linux and macOS machines over SSH: key login, host key held against the known one, one fixed script. */
import { createHash } from 'node:crypto';
import { readFile, realpath } from 'node:fs/promises';
import { isAbsolute, relative, resolve } from 'node:path';
import { Client, type ClientErrorExtensions } from 'ssh2';
import type { ScanTarget } from '../../domain/signals/telemetry.ts';
import { logSpanS } from './journal.ts';
import { measureNetwork } from './network.ts';
import { missing, type Reader, Unreachable } from './readings.ts';
import { resolveAddress } from './resolveAddress.ts';
import { REPORT_SCRIPT, readReport } from './sshReport.ts';

/** Remembers the host key that an endpoint showed first. */
export interface KnownHosts {
  /** `SHA256:…`, or null when the endpoint was never seen. */
  get(hostname: string): Promise<string | null>;
  set(hostname: string, fingerprint: string): Promise<void>;
}

export interface SshOptions {
  knownHosts: KnownHosts;
  /** The directory that private keys must lie in, symbolic links resolved; null when the operator allows none. */
  keysDir: string | null;
}

const DEFAULT_PORT = 22;
const CONNECT_TIMEOUT_MS = 8_000;
const MAX_OUTPUT_BYTES = 2 * 1024 * 1024;

export function createSshReader({ knownHosts, keysDir }: SshOptions): Reader {
  return async (target, context) => {
    const { username, hostKeySha256, port = DEFAULT_PORT, services } = target.options;
    if (!username) throw new Unreachable('the endpoint has no SSH user name in its options');
    const privateKey = await readPrivateKey(target, keysDir);
    const address = await resolveAddress(target);
    const knownKey = hostKeySha256 ?? (await knownHosts.get(target.hostname));
    context.signal.throwIfAborted();
    const login = { host: address, port, username, privateKey, readyTimeout: CONNECT_TIMEOUT_MS };
    const { client, hostKey } = await connect(login, knownKey, context.signal);
    try {
      // Only now, after a login: a stranger on a wrong port must not leave a key to be trusted.
      if (knownKey === null) await knownHosts.set(target.hostname, hostKey);
      const [output, network] = await Promise.all([
        run(client, `/bin/sh -s ${logSpanS(context.now, context.previousScanAt)}`, REPORT_SCRIPT),
        measureNetwork(address, port, context.signal),
      ]);
      const dns = missing('look-ups over SSH cannot tell a missing name from a failing name server');
      return { ...readReport(output, services), network, dns };
    } finally {
      client.destroy();
    }
  };
}

async function readPrivateKey(target: ScanTarget, keysDir: string | null): Promise<Buffer> {
  const { privateKeyFile } = target.options;
  if (!privateKeyFile) throw new Unreachable('the endpoint has no private key file in its options');
  if (keysDir === null) throw new Unreachable('no directory for SSH keys is configured');
  const notUsable = new Unreachable(
    `the private key ${privateKeyFile} is not a readable file in the SSH key directory`,
  );
  const directory = await realpath(keysDir).catch(() => null);
  const file = await realpath(resolve(keysDir, privateKeyFile)).catch(() => null);
  if (directory === null || file === null) throw notUsable;
  const inside = relative(directory, file);
  if (inside === '' || inside.startsWith('..') || isAbsolute(inside)) throw notUsable;
  return await readFile(file).catch(() => {
    throw notUsable;
  });
}

interface Login {
  host: string;
  port: number;
  username: string;
  privateKey: Buffer;
  readyTimeout: number;
}

/** Logs in; the host key must be `knownKey`, or may be any when that is null. */
function connect(
  login: Login,
  knownKey: string | null,
  signal: AbortSignal,
): Promise<{ client: Client; hostKey: string }> {
  return new Promise((resolve, reject) => {
    const client = new Client();
    let hostKey = '';
    const fail = (reason: string): void => {
      client.destroy();
      reject(new Unreachable(reason));
    };
    signal.addEventListener('abort', () => client.destroy(), { once: true });
    client.once('ready', () => resolve({ client, hostKey }));
    client.on('error', (error) => {
      const changed = hostKey !== '' && knownKey !== null && hostKey !== knownKey;
      fail(changed ? changedKeyReason(knownKey, hostKey) : loginFailure(error, login));
    });
    client.once('close', () => fail('the connection was closed during the login'));
    try {
      client.connect({
        ...login,
        hostVerifier: (key: Buffer) => {
          hostKey = `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
          return knownKey === null || hostKey === knownKey;
        },
      });
    } catch (error) {
      fail(`the private key cannot be used: ${error instanceof Error ? error.message : String(error)}`);
    }
  });
}

const changedKeyReason = (known: string, shown: string): string =>
  `the SSH host key changed: ${known} is known, ${shown} was shown. If the machine was reinstalled, put the new key into the endpoint's options; otherwise someone may be answering in its place`;

function loginFailure(
  error: Error & ClientErrorExtensions & { code?: string },
  { host, port, username }: Login,
): string {
  if (error.level === 'client-authentication') {
    return `SSH login as ${username} was refused: is the public key in that user's authorized_keys?`;
  }
  if (error.level === 'client-timeout') return `no SSH login at ${host}:${port} within ${CONNECT_TIMEOUT_MS / 1000} s`;
  if (error.code === 'ECONNREFUSED')
    return `${host}:${port} refused the connection: is sshd running, is this its port?`;
  return `SSH to ${host}:${port} failed: ${error.message}`;
}

/** Standard output of one command that is fed `input`; stops reading at 2 MB. */
function run(client: Client, command: string, input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    client.once('close', () => reject(new Unreachable('the connection was closed before the report was complete')));
    client.exec(command, (error, channel) => {
      if (error) {
        reject(new Unreachable(`the login may not run commands: ${error.message}`));
        return;
      }
      const chunks: Buffer[] = [];
      let bytes = 0;
      channel.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes <= MAX_OUTPUT_BYTES) chunks.push(chunk);
        else reject(new Unreachable(`the report is larger than ${MAX_OUTPUT_BYTES / 1024 / 1024} MB`));
      });
      channel.stderr.resume();
      channel.once('close', () => resolve(Buffer.concat(chunks).toString('utf8')));
      channel.end(input);
    });
  });
}
