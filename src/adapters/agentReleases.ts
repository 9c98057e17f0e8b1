/** The agent as this service was deployed with it: what `npm run agent:build` left in its folder, and the key that signs updates. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { AgentBuild, AgentReleases } from '../core/ports/enrolmentPorts.ts';
import type { Log } from '../core/ports/ports.ts';

/** A name that leads nowhere but into the folder. */
const FILE_NAME = /^[\w+-][\w.+-]{0,199}$/;
const SHA256 = /^[0-9a-f]{64}$/;

interface ReleaseOptions {
  /** Where the build is. */
  dir: string;
  /** PEM, made when there is none. */
  keyFile: string;
  log: Log;
}

export function createAgentReleases({ dir, keyFile, log }: ReleaseOptions): AgentReleases {
  let key: KeyObject | null = null;
  const signingKey = (): KeyObject => {
    key ??= loadOrMakeKey(keyFile);
    return key;
  };
  const current = async (): Promise<AgentBuild | null> => {
    const text = await readFile(join(dir, 'manifest.json'), 'utf8').catch(() => null);
    if (text === null) return null;
    const build = buildIn(text);
    if (!build) log.warn({ dir }, 'manifest.json of the agent is not understood; run npm run agent:build again');
    return build;
  };
  return {
    publicKey: () => createPublicKey(signingKey()).export({ type: 'spki', format: 'pem' }).toString(),
    sign: (content) => sign(null, content, signingKey()).toString('base64'),
    current,
    async open(file) {
      const build = await current();
      const known = build && [build.update, ...Object.values(build.archives)].some((one) => one.file === file);
      if (!known) return null;
      const path = join(dir, file);
      const found = await stat(path).catch(() => null);
      return found && { bytes: found.size, stream: createReadStream(path) };
    },
  };
}

function loadOrMakeKey(file: string): KeyObject {
  if (!existsSync(file)) {
    const { privateKey } = generateKeyPairSync('ed25519');
    mkdirSync(dirname(file), { recursive: true });
    try {
      writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flag: 'wx' });
    } catch (error) {
      // Another process of the service was quicker, and its key is the one.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  return createPrivateKey(readFileSync(file));
}

/** Null for anything but a manifest whose names and hashes are such. */
function buildIn(text: string): AgentBuild | null {
  try {
    const { version, archives, update } = JSON.parse(text) as AgentBuild;
    const isFile = (one: AgentBuild['update']) => FILE_NAME.test(one.file) && SHA256.test(one.sha256);
    return /^[\w.+-]{1,64}$/.test(version) && isFile(update) && Object.values(archives).every(isFile)
      ? { version, archives, update }
      : null;
  } catch {
    return null;
  }
}
