/** How Ansible reaches one endpoint: by SSH with the key and the host key that are known for it, or on this very machine. */
import { createHash } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { realpath, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { dirname, join } from 'node:path';
import { forbiddenAddressReason } from '../../domain/fleet/address.ts';
import type { Endpoint } from '../../domain/fleet/endpoint.ts';
import { runProgram } from './program.ts';

export interface SshSettings {
  /** The directory that private keys lie in. */
  keysDir: string;
  /** The host key that the endpoint showed when it was first scanned, `SHA256:…`. */
  knownHostKey(hostname: string): Promise<string | null>;
}

/** The endpoint cannot be reached safely; the message says why. */
export class NoConnection extends Error {}

const SSH_PORT = 22;
const KEYSCAN_LIMIT_MS = 20_000;

/** The name under which the one known key is filed, whatever the address. */
const ALIAS = 'endpoint';

/** Inventory variables of the one host. Writes its known_hosts file into `dir`. @throws NoConnection */
export async function connectionTo(
  endpoint: Endpoint,
  ssh: SshSettings,
  dir: string,
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  const { collector, hostname, options, osPlatform } = endpoint;
  if (collector === 'local') return { ansible_connection: 'local' };
  // The port of an exporter is not sshd's.
  const port = collector === 'ssh' ? (options.port ?? SSH_PORT) : SSH_PORT;
  const expected = options.hostKeySha256 ?? (await ssh.knownHostKey(hostname));
  if (expected === null)
    throw new NoConnection(
      'its SSH host key is not known: scan it over SSH first, or put host_key_sha256 into its options',
    );
  const keyFile = await privateKey(ssh.keysDir, options.privateKeyFile ?? '');
  const address = await addressOf(endpoint);
  const hostKey = await shownHostKey(address, port, expected, dir, env, signal);
  const knownHosts = join(dir, 'known_hosts');
  await writeFile(knownHosts, `${ALIAS} ${hostKey}\n`, { mode: 0o600 });
  const sshOptions = [
    `UserKnownHostsFile=${knownHosts}`,
    'GlobalKnownHostsFile=/dev/null',
    `HostKeyAlias=${ALIAS}`,
    'StrictHostKeyChecking=yes',
    'UpdateHostKeys=no',
    // The known key's own type alone: a key of another type that the endpoint has by now is no change.
    `HostKeyAlgorithms=${algorithmsFor(hostKey.split(' ')[0] as string)}`,
    'IdentitiesOnly=yes',
    'BatchMode=yes',
  ];
  return {
    ansible_connection: 'ssh',
    ansible_host: address,
    ansible_port: port,
    ansible_user: options.username,
    ansible_ssh_private_key_file: keyFile,
    ansible_ssh_common_args: ['-F /dev/null', ...sshOptions.map((option) => `-o ${option}`)].join(' '),
    ...(osPlatform === 'windows' && { ansible_shell_type: 'powershell' }),
  };
}

/** An RSA key signs by newer algorithms than the one its type is named after. */
function algorithmsFor(keyType: string): string {
  return keyType === 'ssh-rsa' ? 'rsa-sha2-512,rsa-sha2-256' : keyType;
}

async function privateKey(keysDir: string, name: string): Promise<string> {
  const directory = await realpath(keysDir).catch(() => null);
  const file = await realpath(join(keysDir, name)).catch(() => null);
  if (directory === null || file === null || dirname(file) !== directory)
    throw new NoConnection(`the private key ${name} is not a file in the SSH key directory`);
  return file;
}

async function addressOf({ hostname, ipAddress }: Endpoint): Promise<string> {
  const name = ipAddress ?? hostname;
  const address = isIP(name)
    ? name
    : await lookup(name).then(
        (found) => found.address,
        () => {
          throw new NoConnection(`the name ${name} does not resolve: register the endpoint's ip_address`);
        },
      );
  const reason = forbiddenAddressReason(address);
  if (reason) throw new NoConnection(`${hostname} has the address ${address}, which is refused: ${reason}`);
  return address;
}

/** The full key whose fingerprint is the expected one, as the endpoint shows it now. */
async function shownHostKey(
  address: string,
  port: number,
  expected: string,
  dir: string,
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<string> {
  const { stdout } = await runProgram('ssh-keyscan', ['-T', '10', '-p', String(port), address], {
    cwd: dir,
    env,
    timeLimitMs: KEYSCAN_LIMIT_MS,
    signal,
  }).catch(() => {
    throw new NoConnection('ssh-keyscan is not installed where this service runs (Debian: openssh-client)');
  });
  const keys = stdout
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(' ').slice(1, 3));
  if (keys.length === 0) throw new NoConnection(`no SSH server answers at ${address} port ${port}`);
  const wanted = expected.replace(/=+$/, '');
  const match = keys.find(([, key = '']) => fingerprint(key) === wanted);
  if (!match)
    throw new NoConnection(
      `the SSH host key changed: ${expected} is known, ${keys.map(([, key = '']) => fingerprint(key)).join(', ')} was shown. Nothing was run`,
    );
  return match.join(' ');
}

function fingerprint(key: string): string {
  return `SHA256:${createHash('sha256').update(Buffer.from(key, 'base64')).digest('base64').replace(/=+$/, '')}`;
}
