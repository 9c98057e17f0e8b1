/** Runs a real sshd on a loopback port with throw-away keys; the one login is the user who runs the tests. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type RunningProgram, startProgram } from './childProcess.ts';
import { findBinary } from './findBinary.ts';
import { freePort } from './freePort.ts';

const run = promisify(execFile);

export const SSHD_MISSING = 'no sshd here: apt-get install openssh-server';

/** sshd insists on being started by its full path. */
export const sshdBinary = (): string | null => (findBinary('ssh-keygen') ? findBinary('sshd') : null);

type KeyType = 'ed25519' | 'ecdsa' | 'rsa';

export interface TestSshd {
  port: number;
  username: string;
  /** Holds `id_ed25519` (may log in) and `stranger_ed25519` (may not). */
  keysDir: string;
  /** Full path of the key that may log in. */
  privateKeyFile: string;
  /** As `ssh-keygen -l` prints it: `SHA256:…`. */
  hostKeySha256: string;
  /** Restarts on the same port with a new host key, as a reinstalled (or a false) machine would. */
  changeHostKey(): Promise<void>;
  /**
   * Restarts on the same port with host keys of these types, made when they are first named, and further lines of settings.
   * @returns the fingerprint of each, in the order given
   */
  restart(keyTypes: KeyType[], settings?: string[]): Promise<string[]>;
  stop(): Promise<void>;
}

/** Starts sshd; the caller has checked that the binary exists. @param address of loopback; any free port unless one is given */
export async function startSshd(address = '127.0.0.1', givenPort?: number): Promise<TestSshd> {
  const binary = sshdBinary();
  if (!binary) throw new Error(SSHD_MISSING);
  const directory = await mkdtemp(join(tmpdir(), 'dexops-sshd-'));
  const keysDir = join(directory, 'keys');
  await mkdir(keysDir);
  const hostKeyFileOf = (type: KeyType): string => join(directory, `host_${type}`);
  const hostKeyFile = hostKeyFileOf('ed25519');
  const privateKeyFile = join(keysDir, 'id_ed25519');
  await makeKey(hostKeyFile);
  await makeKey(privateKeyFile);
  await makeKey(join(keysDir, 'stranger_ed25519'));
  await copyFile(`${privateKeyFile}.pub`, join(directory, 'authorized_keys'));
  // sshd run by root refuses to start without its empty chroot directory, which a boot would have made.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });

  const port = givenPort ?? (await freePort());
  const configFile = join(directory, 'sshd_config');
  const base = [
    `Port ${port}`,
    `ListenAddress ${address}`,
    `PidFile ${join(directory, 'sshd.pid')}`,
    `AuthorizedKeysFile ${join(directory, 'authorized_keys')}`,
    'UsePAM no',
    // The keys lie below the world-writable temporary directory.
    'StrictModes no',
    'PasswordAuthentication no',
    'PermitRootLogin prohibit-password',
    'Subsystem sftp internal-sftp',
  ];
  const start = async (keyTypes: KeyType[] = ['ed25519'], settings: string[] = []): Promise<RunningProgram> => {
    const keys = keyTypes.map((type) => `HostKey ${hostKeyFileOf(type)}`);
    // The first line that sets something holds.
    await writeFile(configFile, `${[...settings, ...base, ...keys].join('\n')}\n`);
    return startProgram(binary, ['-D', '-e', '-f', configFile], /Server listening on/);
  };
  let program = await start();

  const sshd: TestSshd = {
    port,
    username: userInfo().username,
    keysDir,
    privateKeyFile,
    hostKeySha256: await fingerprint(hostKeyFile),
    async changeHostKey() {
      await program.stop();
      await Promise.all([rm(hostKeyFile), rm(`${hostKeyFile}.pub`)]);
      await makeKey(hostKeyFile);
      sshd.hostKeySha256 = await fingerprint(hostKeyFile);
      program = await start();
    },
    async restart(keyTypes, settings) {
      await program.stop();
      for (const type of keyTypes) {
        const file = hostKeyFileOf(type);
        if (!existsSync(file)) await makeKey(file, type);
      }
      program = await start(keyTypes, settings);
      return Promise.all(keyTypes.map((type) => fingerprint(hostKeyFileOf(type))));
    },
    async stop() {
      await program.stop();
      await rm(directory, { recursive: true });
    },
  };
  return sshd;
}

async function makeKey(file: string, type: KeyType = 'ed25519'): Promise<void> {
  await run('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', 'dexops-test', '-f', file]);
}

async function fingerprint(keyFile: string): Promise<string> {
  const { stdout } = await run('ssh-keygen', ['-l', '-E', 'sha256', '-f', `${keyFile}.pub`]);
  const [, hash] = stdout.split(' ');
  if (!hash) throw new Error(`ssh-keygen printed no fingerprint for ${await readFile(`${keyFile}.pub`, 'utf8')}`);
  return hash;
}
