/**
 * `npm run agent:build [-- --platform linux-x64,win-x64] [--out DIR] [--version V] [--level 0–9]`: one archive for each platform with
 * Node's own binary, the agent as one file, the service's definition and the scripts that install and remove it; their checksums;
 * and the bundle by itself, for updates. Node's binaries come from npm, checked against the hashes in platforms.ts, and from
 * npm's cache once they are there. `--platform own` is this machine's, and `--platform ''` makes the bundle alone.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, copyFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { build } from 'esbuild';
import { packTar, packZip, sha256Of } from './archives.ts';
import { isPlatform, isWindows, NODE_PACKAGES, ownPlatform, PLATFORMS, type Platform } from './platforms.ts';

const run = promisify(execFile);
const ROOT = resolve(import.meta.dirname, '../../..');
const FILES = join(import.meta.dirname, 'files');

const POSIX_FILES = ['install.sh', 'uninstall.sh'];
const SERVICE_FILES: Readonly<Record<Platform, string[]>> = {
  'linux-x64': [...POSIX_FILES, 'dexops-agent.service'],
  'linux-arm64': [...POSIX_FILES, 'dexops-agent.service'],
  'darwin-arm64': [...POSIX_FILES, 'com.dexops.agent.plist'],
  'darwin-x64': [...POSIX_FILES, 'com.dexops.agent.plist'],
  'win-x64': ['install.ps1', 'uninstall.ps1', 'dexops-agent.xml'],
};

type Level = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;
const isLevel = (level: number): level is Level => Number.isInteger(level) && level >= 0 && level <= 9;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      platform: { type: 'string', default: PLATFORMS.join(',') },
      out: { type: 'string', default: join(ROOT, 'dist/agent') },
      version: { type: 'string' },
      level: { type: 'string', default: '9' },
    },
  });
  const platforms = values.platform
    .split(',')
    .filter(Boolean)
    .map((name) => (name === 'own' ? (ownPlatform() ?? name) : name));
  for (const name of platforms) if (!isPlatform(name)) throw new Error(`${name} is none of ${PLATFORMS.join(', ')}`);
  const { version } = values.version
    ? values
    : (JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string });
  if (!version || !/^[\w.+-]{1,64}$/.test(version)) throw new Error(`${version} is no version`);
  const level = Number(values.level);
  if (!isLevel(level)) throw new Error(`--level ${values.level} is none of 0 to 9`);
  const out = resolve(values.out);
  await mkdir(out, { recursive: true });
  const bundle = join(out, `agent-${version}.mjs`);
  await bundleAgent(bundle, version);
  const archives: Record<string, { file: string; sha256: string }> = {};
  for (const platform of platforms as Platform[]) {
    const file = await buildArchive(platform, { out, bundle, version, level });
    archives[platform] = { file, sha256: await sha256Of(join(out, file)) };
    say(`${file} ${((await readFile(join(out, file))).length / 1e6).toFixed(1)} MB`);
  }
  const update = { file: `agent-${version}.mjs`, sha256: await sha256Of(bundle) };
  await writeFile(join(out, 'manifest.json'), `${JSON.stringify({ version, archives, update }, null, 2)}\n`);
  const sums = [...Object.values(archives), update].map(({ file, sha256 }) => `${sha256}  ${file}\n`);
  await writeFile(join(out, 'SHA256SUMS'), sums.join(''));
}

async function bundleAgent(outfile: string, version: string): Promise<void> {
  await build({
    entryPoints: [join(ROOT, 'src/agent.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    define: { DEXOPS_AGENT_VERSION: JSON.stringify(version) },
  });
}

interface BuildInput {
  out: string;
  bundle: string;
  version: string;
  level: Level;
}

async function buildArchive(platform: Platform, { out, bundle, version, level }: BuildInput): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'dexops-agent-build-'));
  try {
    const folder = `dexops-agent-${version}-${platform}`;
    const content = join(dir, folder);
    await mkdir(content);
    const node = join(content, isWindows(platform) ? 'node.exe' : 'node');
    await copyFile(await nodeBinary(platform, dir), node);
    await chmod(node, 0o755);
    await cp(bundle, join(content, 'agent.mjs'));
    await writeFile(join(content, 'VERSION'), `${version}\n`);
    for (const name of SERVICE_FILES[platform]) await cp(join(FILES, name), join(content, name));
    for (const name of POSIX_FILES.filter((name) => SERVICE_FILES[platform].includes(name)))
      await chmod(join(content, name), 0o755);
    const archive = `${folder}.${isWindows(platform) ? 'zip' : 'tar.xz'}`;
    if (isWindows(platform)) await packZip(dir, folder, join(out, archive), level);
    else await packTar(dir, folder, join(out, archive), level);
    return archive;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** The binary of this platform, fetched by npm. @throws Error when what npm has is not what platforms.ts names */
async function nodeBinary(platform: Platform, dir: string): Promise<string> {
  const { name, version, integrity, binary } = NODE_PACKAGES[platform];
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const args = [
    'pack',
    `${name}@${version}`,
    '--prefer-offline',
    '--ignore-scripts',
    '--silent',
    '--pack-destination',
    dir,
  ];
  const { stdout } = await run(npm, args, { cwd: dir, shell: process.platform === 'win32' });
  const packed = join(dir, stdout.trim().split('\n').at(-1) ?? '');
  const found = `sha512-${createHash('sha512')
    .update(await readFile(packed))
    .digest('base64')}`;
  if (found !== integrity) throw new Error(`${name}@${version} is not the package that was checked: ${found}`);
  await run('tar', ['-xzf', packed, '-C', dir, `package/${binary}`]);
  return join(dir, 'package', binary);
}

await main();
