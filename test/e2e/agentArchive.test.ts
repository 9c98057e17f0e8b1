/** The built agent as a machine gets it: fetched from the service, installed, enrolled, updated, rolled back and removed. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ownPlatform, PLATFORMS, type Platform } from '../../src/agent/package/platforms.ts';
import { powershellScript } from '../../src/surfaces/http/agents/installScripts.ts';
import { findBinary } from '../helpers/findBinary.ts';
import { startTestService, type TestService } from '../helpers/service.ts';

const BUILD = join(import.meta.dirname, '../../src/agent/package/build.ts');
const OWN = ownPlatform();

let dir: string;
let built: string;
let service: TestService;

interface Ended {
  code: number;
  out: string;
}

function run(program: string, args: string[], env: Record<string, string> = {}, input = ''): Promise<Ended> {
  return new Promise((resolve) => {
    const options = {
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
      maxBuffer: 1e8,
      timeout: 300_000,
    };
    const child = execFile(program, args, options, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code ?? 1) : 0, out: `${stdout}${stderr}` }),
    );
    child.stdin?.end(input);
  });
}

async function build(...args: string[]): Promise<void> {
  // With all of the environment, which may say where npm finds its packages.
  const env = Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value ? [[name, value]] : [])),
  );
  const { code, out } = await run(process.execPath, [BUILD, '--out', built, '--level', '0', ...args], env);
  if (code !== 0) throw new Error(out);
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dexops-archive-'));
  built = join(dir, 'built');
  await build('--platform', 'own', '--version', '1.0.0');
  service = await startTestService({ DEX_AGENT_DIR: built, DEX_AGENT_UPDATES: 'all' });
}, 300_000);
afterAll(async () => {
  await service?.stop();
  await rm(dir, { recursive: true, force: true });
});

const secretOf = async (): Promise<string> => (await service.call('POST', '/api/v1/dex/enrolments', {})).body.secret;

describe.skipIf(OWN === null || OWN === 'win-x64')('the archive for this machine', () => {
  const root = () => join(dir, 'root');
  const state = () => join(root(), process.platform === 'darwin' ? 'var/db/dexops-agent' : 'var/lib/dexops-agent');
  const program = () => join(root(), 'opt/dexops-agent');
  const readState = async () => JSON.parse(await readFile(join(state(), 'state.json'), 'utf8'));
  const agent = (...args: string[]) =>
    run(join(program(), 'node'), [
      '--jitless',
      join(program(), 'agent.mjs'),
      'run',
      '--state',
      state(),
      '--once',
      ...args,
    ]);
  const install = async (env: Record<string, string>, folder = root()) => {
    const script = await (await fetch(`${service.url}/agent/install.sh`)).text();
    return run('sh', ['-s', '--', '--root', folder], env, script);
  };
  /** What the service offers from now on: a bundle of this text as this version. */
  const publish = async (version: string, content: string, announced = content) => {
    const file = `agent-${version}.mjs`;
    await writeFile(join(built, file), content);
    const sha256 = createHash('sha256').update(announced).digest('hex');
    const manifest = { version, archives: {}, update: { file, sha256 } };
    await writeFile(join(built, 'manifest.json'), JSON.stringify(manifest));
  };

  test('is refused when a byte of it differs from what was announced', async () => {
    const name = (await readdir(built)).find((file) => file.endsWith('.tar.xz')) as string;
    const file = await open(join(built, name), 'r+');
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, 5000);
    await file.write(Buffer.from([(byte[0] as number) ^ 1]), 0, 1, 5000);
    const refused = await install({ DEX_ENROLMENT_SECRET: await secretOf() }, join(dir, 'tampered'));
    await file.write(byte, 0, 1, 5000);
    await file.close();
    expect(refused).toMatchObject({ code: 1, out: expect.stringContaining('its checksum is') });
    expect(existsSync(join(dir, 'tampered'))).toBe(false);
  }, 120_000);

  test('leaves nothing behind where the machine may not join', async () => {
    const refused = await install({ DEX_ENROLMENT_SECRET: 'dexe_made-up' }, join(dir, 'stranger'));
    expect(refused).toMatchObject({ code: 1, out: expect.stringContaining('no secret of an enrolment') });
    expect(existsSync(join(dir, 'stranger/opt'))).toBe(false);
    expect(await install({}, join(dir, 'stranger'))).toMatchObject({
      code: 1,
      out: expect.stringContaining('DEX_ENROLMENT_SECRET'),
    });
  }, 120_000);

  test('is installed, and its machine has joined; only its user may read the token', async () => {
    const installed = await install({ DEX_ENROLMENT_SECRET: await secretOf() });
    expect(installed.out).toMatch(/version 1\.0\.0 is installed/);
    expect(installed.out).toMatch(/enrolled as \S+/);
    expect((await stat(join(state(), 'state.json'))).mode & 0o777).toBe(0o600);
    expect((await stat(state())).mode & 0o777).toBe(0o700);
    const { endpoints } = (await service.call('GET', '/api/v1/dex/endpoints')).body;
    expect(endpoints).toHaveLength(1);
    expect(endpoints[0]).toMatchObject({ collector: 'push', os_platform: 'linux' });
  }, 120_000);

  test('brings a service that systemd understands', async ({ skip }) => {
    const analyze = findBinary('systemd-analyze');
    if (!analyze) return skip('systemd-analyze is not installed: nobody verified the unit');
    const unit = join(root(), 'etc/systemd/system/dexops-agent.service');
    const { out } = await run(analyze, ['verify', unit]);
    const complaints = out.split('\n').filter((line) => line.includes('dexops-agent'));
    // The program is below the root of this test.
    expect(complaints.filter((line) => !/opt\/dexops-agent\/node is not executable|man systemd/.test(line))).toEqual(
      [],
    );
  });

  test('reports, and what could not be delivered waits on the disk and arrives as one batch', async () => {
    expect(await agent()).toMatchObject({ code: 0, out: expect.stringContaining('delivered') });
    const away = ['--server', 'http://127.0.0.1:9'];
    for (let n = 0; n < 2; n++) expect((await agent(...away)).code).toBe(1);
    const waiting = await readdir(join(state(), 'waiting'));
    expect(waiting).toHaveLength(2);
    for (const name of waiting) expect((await stat(join(state(), 'waiting', name))).mode & 0o777).toBe(0o600);
    expect((await agent()).out).toMatch(/3 reports from \S+ delivered/);
    expect(await readdir(join(state(), 'waiting'))).toEqual([]);
    const { endpoints } = (await service.call('GET', '/api/v1/dex/endpoints')).body;
    expect(endpoints[0].score).toBeGreaterThan(0);
    const history = await service.call('GET', `/api/v1/dex/endpoints/${endpoints[0].hostname}/history`);
    expect(history.body.count).toBe(4);
  }, 240_000);

  test('is installed again as the same machine', async () => {
    const again = await install({ DEX_ENROLMENT_SECRET: await secretOf() });
    expect(again.out).toMatch(/enrolled again as/);
    expect((await service.call('GET', '/api/v1/dex/endpoints')).body.total).toBe(1);
  }, 120_000);

  test('refuses an update that is not what was signed', async () => {
    await publish('1.1.0', 'export const main = async () => 0;', 'another text');
    expect(await agent()).toMatchObject({
      code: 0,
      out: expect.stringMatching(/1\.1\.0 is refused: it is not signed/),
    });
    expect((await readState()).update).toBeNull();
  }, 120_000);

  test('takes an update, and keeps it when it has reported twice', async () => {
    await build('--platform', '', '--version', '1.2.0');
    expect(await agent()).toMatchObject({ code: 75, out: expect.stringContaining('version 1.2.0 is taken') });
    expect((await agent()).code).toBe(0);
    expect((await agent()).out).toMatch(/version 1\.2\.0 has reported twice and is kept/);
    expect((await readState()).update).toMatchObject({ version: '1.2.0', reports: 2 });
  }, 240_000);

  test('goes back from an update that does not work, and nobody is offered it again', async () => {
    await publish('1.3.0', 'export const main = async () => { throw new Error("broken"); };');
    expect((await agent()).code).toBe(75);
    expect(await agent()).toMatchObject({
      code: 75,
      out: expect.stringMatching(/going back from version 1\.3\.0: it failed/),
    });
    expect(await agent()).toMatchObject({ code: 0, out: expect.stringContaining('delivered') });
    expect(await readState()).toMatchObject({ update: null, failedVersions: ['1.3.0'] });
  }, 240_000);

  test('goes back from an update that runs and reports nothing', async () => {
    await publish('1.4.0', 'export const main = async () => 0;');
    expect((await agent()).code).toBe(75);
    for (let start = 0; start < 3; start++) expect((await agent()).out).not.toContain('delivered');
    expect((await agent()).out).toMatch(
      /going back from version 1\.4\.0 to 1\.0\.0: it did not report twice[\s\S]*delivered/,
    );
  }, 240_000);

  test('takes none where updates are switched off', async () => {
    await build('--platform', '', '--version', '1.5.0');
    expect(await agent('--no-update')).toMatchObject({ code: 0 });
    expect((await readState()).update).toBeNull();
  }, 120_000);

  test('is removed with its token and its state; the machine stays registered', async () => {
    const { token } = await readState();
    expect(await run('sh', [join(program(), 'uninstall.sh'), '--root', root()])).toMatchObject({ code: 0 });
    expect(existsSync(program())).toBe(false);
    expect(existsSync(state())).toBe(false);
    const refused = await service.call(
      'POST',
      '/agent/v1/reports',
      { reports: [{}] },
      { Authorization: `Bearer ${token}` },
    );
    expect(refused.status).toBe(401);
    expect((await service.call('GET', '/api/v1/dex/endpoints')).body.total).toBe(1);
  }, 120_000);
});

describe('the archives for other machines', () => {
  const others = PLATFORMS.filter((platform) => platform !== OWN);
  let absent = '';
  beforeAll(async () => {
    built = join(dir, 'others');
    await build('--platform', others.join(','), '--version', '1.0.0').catch((error: Error) => {
      absent = error.message.slice(0, 300);
    });
  }, 600_000);

  /** What the first bytes of each platform's programs say. */
  const IS_ITS_PROGRAM: Readonly<Record<Platform, (head: Buffer) => boolean>> = {
    'linux-x64': (head) => head.readUInt32BE(0) === 0x7f454c46 && head.readUInt16LE(18) === 0x3e,
    'linux-arm64': (head) => head.readUInt32BE(0) === 0x7f454c46 && head.readUInt16LE(18) === 0xb7,
    'darwin-arm64': (head) => head.readUInt32LE(0) === 0xfeedfacf && head.readUInt32LE(4) === 0x0100000c,
    'darwin-x64': (head) => head.readUInt32LE(0) === 0xfeedfacf && head.readUInt32LE(4) === 0x01000007,
    'win-x64': (head) =>
      head.toString('latin1', 0, 2) === 'MZ' && head.readUInt16LE(head.readUInt32LE(60) + 4) === 0x8664,
  };
  const FILES: Readonly<Record<'linux' | 'darwin' | 'win', string[]>> = {
    linux: ['VERSION', 'agent.mjs', 'dexops-agent.service', 'install.sh', 'node', 'uninstall.sh'],
    darwin: ['VERSION', 'agent.mjs', 'com.dexops.agent.plist', 'install.sh', 'node', 'uninstall.sh'],
    win: ['VERSION', 'agent.mjs', 'dexops-agent.xml', 'install.ps1', 'node.exe', 'uninstall.ps1'],
  };

  test.for(others)('%s holds what it should, file by file', { timeout: 120_000 }, async (platform, { skip }) => {
    if (absent) return skip(`not built, nobody looked into it: ${absent}`);
    const { archives } = JSON.parse(await readFile(join(built, 'manifest.json'), 'utf8'));
    const { file, sha256 } = archives[platform];
    const packed = await readFile(join(built, file));
    expect(createHash('sha256').update(packed).digest('hex')).toBe(sha256);
    const into = join(dir, platform);
    const contents = await unpacked(join(built, file), packed, into);
    const [system] = platform.split('-') as ['linux' | 'darwin' | 'win'];
    expect([...contents.keys()].sort()).toEqual(FILES[system]);
    const node = contents.get(system === 'win' ? 'node.exe' : 'node') as Buffer;
    expect(IS_ITS_PROGRAM[platform](node.subarray(0, 4096))).toBe(true);
    expect(contents.get('agent.mjs')?.toString()).toBe(await readFile(join(built, 'agent-1.0.0.mjs'), 'utf8'));
    for (const [name, content] of contents) if (name.endsWith('.sh')) await isShell(name, content.toString());
    await rm(into, { recursive: true, force: true });
  });

  const isShell = async (name: string, script: string) =>
    expect(await run('sh', ['-n'], {}, script), name).toEqual({ code: 0, out: '' });

  /** The service definitions and scripts are packed as they are here, which the tests above compare by name. */
  const FILES_DIR = join(import.meta.dirname, '../../src/agent/package/files');

  test('launchd gets a property list that starts the program', async ({ skip }) => {
    const python = findBinary('python3');
    if (!python) return skip('python3 is not installed: nobody parsed the property list');
    const program = 'import json, plistlib, sys; print(json.dumps(plistlib.loads(sys.stdin.buffer.read())))';
    const list = await readFile(join(FILES_DIR, 'com.dexops.agent.plist'), 'utf8');
    const { code, out } = await run(python, ['-c', program], {}, list);
    expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining('{') });
    expect(JSON.parse(out)).toMatchObject({
      Label: 'com.dexops.agent',
      KeepAlive: true,
      RunAtLoad: true,
      Umask: 0o077,
      ProgramArguments: expect.arrayContaining(['/opt/dexops-agent/node', '/opt/dexops-agent/agent.mjs', 'run']),
    });
  });

  test('the task scheduler gets a task that runs as SYSTEM', async ({ skip }) => {
    const python = findBinary('python3');
    if (!python) return skip('python3 is not installed: nobody parsed the task');
    // As PowerShell hands it over: a string of UTF-16.
    const program =
      'import sys, xml.etree.ElementTree as e; r = e.fromstring(sys.stdin.read().encode("utf-16")); n = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"; print(r.tag == n + "Task", r.find(f".//{n}UserId").text, r.find(f".//{n}Command").text)';
    const task = await readFile(join(FILES_DIR, 'dexops-agent.xml'), 'utf8');
    const { out } = await run(python, ['-c', program], {}, task);
    expect(out.trim()).toBe('True S-1-5-18 "@PROGRAM@\\node.exe"');
  });

  test.for(['install.ps1', 'uninstall.ps1', 'the script that fetches'])(
    'PowerShell parses %s',
    async (name, { skip }) => {
      const powershell = findBinary('pwsh', 'powershell');
      if (!powershell) return skip(`PowerShell is not installed: nobody parsed ${name}`);
      const script = name.endsWith('.ps1')
        ? await readFile(join(FILES_DIR, name), 'utf8')
        : powershellScript('https://dex.example.com', { 'win-x64': { file: 'agent.zip', sha256: 'f'.repeat(64) } });
      const parse =
        '$e = $null; [void][Management.Automation.Language.Parser]::ParseInput([Console]::In.ReadToEnd(), [ref]$null, [ref]$e); $e | ForEach-Object { $_.Message }';
      const parsed = await run(powershell, ['-NoProfile', '-NonInteractive', '-Command', parse], {}, script);
      expect(parsed).toEqual({ code: 0, out: '' });
    },
  );

  async function unpacked(file: string, packed: Buffer, into: string): Promise<Map<string, Buffer>> {
    if (file.endsWith('.zip')) {
      const files = Object.entries(unzipSync(packed));
      return new Map(files.map(([name, content]) => [name.split('/').at(-1) as string, Buffer.from(content)]));
    }
    await run('mkdir', ['-p', into]);
    expect(await run('tar', ['-xJf', file, '-C', into, '--strip-components=1'])).toMatchObject({ code: 0 });
    const names = await readdir(into);
    return new Map(await Promise.all(names.map(async (name) => [name, await readFile(join(into, name))] as const)));
  }
});
