/** Logs in over SSH: key login, the host key held against the known one whatever its type, every refusal by its name. */
import { createHash } from 'node:crypto';
import { Client, type ClientErrorExtensions, type ServerHostKeyAlgorithm } from 'ssh2';
import { Unreachable } from '../readings.ts';

interface Login {
  host: string;
  port: number;
  username: string;
  privateKey: Buffer;
  readyTimeout: number;
}

interface Connected {
  client: Client;
  /** `SHA256:…` of the key that the host showed. */
  hostKey: string;
  /** The type that was asked for first, to be asked for first the next time; null when any would do. */
  keyType: HostKeyType | null;
}

const KEY_TYPES = {
  ed25519: ['ssh-ed25519'],
  ecdsa: ['ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521'],
  rsa: ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa'],
} as const satisfies Record<string, readonly ServerHostKeyAlgorithm[]>;
export type HostKeyType = keyof typeof KEY_TYPES;
const ALL_TYPES = Object.keys(KEY_TYPES) as HostKeyType[];

/** The host showed another key than the known one. */
class OtherKey extends Error {
  readonly shown: string;

  constructor(shown: string) {
    super(`shown: ${shown}`);
    this.shown = shown;
  }
}

/**
 * Logs in; the host key must be `knownKey`, or may be any when that is null. A machine has a key of each type and shows
 * the one that is asked for: one that was added, or a client that prefers another type, is no changed key. So the other
 * types are asked for before the key counts as changed. Nothing is sent to a host whose key is not the known one.
 * @param firstType the type that fitted last time
 */
export async function connect(
  login: Login,
  knownKey: string | null,
  firstType: HostKeyType | null,
  signal: AbortSignal,
): Promise<Connected> {
  try {
    return { ...(await attempt(login, knownKey, firstType, signal)), keyType: firstType };
  } catch (error) {
    if (!(error instanceof OtherKey) || knownKey === null) throw asUnreachable(error);
    for (const type of ALL_TYPES.filter((each) => each !== firstType)) {
      try {
        return { ...(await attempt(login, knownKey, type, signal)), keyType: type };
      } catch (again) {
        // This type is not offered, or its key is another one too.
        if (!(again instanceof OtherKey || again instanceof NoSuchKeyType)) throw asUnreachable(again);
      }
    }
    throw new Unreachable(changedKeyReason(knownKey, error.shown));
  }
}

class NoSuchKeyType extends Error {}

const asUnreachable = (error: unknown): Unreachable =>
  error instanceof Unreachable ? error : new Unreachable(error instanceof Error ? error.message : String(error));

function attempt(
  login: Login,
  knownKey: string | null,
  type: HostKeyType | null,
  signal: AbortSignal,
): Promise<{ client: Client; hostKey: string }> {
  return new Promise((resolve, reject) => {
    const client = new Client();
    let hostKey = '';
    const fail = (reason: Error): void => {
      client.destroy();
      reject(reason);
    };
    signal.addEventListener('abort', () => client.destroy(), { once: true });
    client.once('ready', () => resolve({ client, hostKey }));
    client.on('error', (error: Error & ClientErrorExtensions & { code?: string }) => {
      if (hostKey !== '' && knownKey !== null && hostKey !== knownKey) fail(new OtherKey(hostKey));
      else if (/no matching host key/i.test(error.message)) fail(new NoSuchKeyType(noKeyTypeReason(login)));
      else fail(new Unreachable(loginFailure(error, login)));
    });
    client.once('close', () => fail(new Unreachable('the connection was closed during the login')));
    let tried = false;
    try {
      client.connect({
        ...login,
        ...(type !== null && { algorithms: { serverHostKey: [...KEY_TYPES[type]] } }),
        authHandler: (_methodsLeft, partialSuccess, next) => {
          if (tried) return fail(new Unreachable(refusal(login, partialSuccess)));
          tried = true;
          next({ type: 'publickey', username: login.username, key: login.privateKey });
        },
        hostVerifier: (key: Buffer) => {
          hostKey = `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
          return knownKey === null || hostKey === knownKey;
        },
      });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      fail(new Unreachable(`the private key cannot be used: ${message}`));
    }
  });
}

const changedKeyReason = (known: string, shown: string): string =>
  `the SSH host key changed: ${known} is known, ${shown} was shown. If the machine was reinstalled, put the new key into the endpoint's options; otherwise someone may be answering in its place`;

const noKeyTypeReason = ({ host, port }: Login): string =>
  `${host}:${port} offers no host key of a type that is still considered safe: generate an Ed25519 key on it (ssh-keygen -A)`;

/** @param keyAccepted whether the server took the key and asked for something more */
const refusal = ({ host, username }: Login, keyAccepted: boolean): string =>
  keyAccepted
    ? `the key of ${username} was accepted, but ${host} wants a second factor as well: exempt this login from it (Match User in sshd_config, AuthenticationMethods publickey)`
    : `SSH login as ${username} was refused: is the public key in that user's authorized_keys?`;

function loginFailure(error: Error & ClientErrorExtensions & { code?: string }, login: Login): string {
  const { host, port, readyTimeout } = login;
  if (error.level === 'client-authentication') return refusal(login, false);
  if (error.level === 'client-timeout') return `no SSH login at ${host}:${port} within ${readyTimeout / 1000} s`;
  if (error.code === 'ECONNREFUSED')
    return `${host}:${port} refused the connection: is sshd running, is this its port?`;
  return `SSH to ${host}:${port} failed: ${error.message}`;
}
