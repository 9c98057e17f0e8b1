/** What the service gives to machines: the line that installs, the agent with its checksums, and updates in stages. */
import { createHash, verify } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { signedText } from '../../../../src/agent/update.ts';
import { testClock } from '../../../helpers/clock.ts';
import { startTestService, type TestService } from '../../../helpers/service.ts';

const MACHINES = 40;
const DAY_MS = 86_400_000;
const BUNDLE = 'export const main = async () => 0;';
const sha256 = createHash('sha256').update(BUNDLE).digest('hex');

let service: TestService;
let dir: string;
const clock = testClock();

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dexops-releases-'));
  await publish('1.1.0');
});
afterEach(async () => {
  await service.stop();
  await rm(dir, { recursive: true, force: true });
});

async function publish(version: string, archives: Record<string, object> = {}): Promise<void> {
  const file = `agent-${version}.mjs`;
  await writeFile(join(dir, file), BUNDLE);
  await writeFile(join(dir, 'manifest.json'), JSON.stringify({ version, archives, update: { file, sha256 } }));
}

async function start(updates: 'staged' | 'all' | 'off'): Promise<void> {
  service = await startTestService(
    {
      DEX_AGENT_DIR: dir,
      DEX_AGENT_UPDATES: updates,
      DATABASE_URL: 'sqlite://:memory:',
      PUBLIC_URL: 'https://dex.example.com',
      API_RATE_LIMIT_PER_MINUTE: '1000',
    },
    { clock },
  );
}

const bearer = (token: string) => ({ Authorization: `Bearer ${token}`, 'X-API-Key': '' });

async function enrolled(count: number): Promise<{ token: string; update_key: string }[]> {
  const { secret } = (await service.call('POST', '/api/v1/dex/enrolments', { max_machines: count })).body;
  const machine = (n: number) => ({
    hostname: `laptop-${n}`,
    os_platform: 'linux',
    machine_id: `machine-id-${n}-0123456789`,
    agent_version: '1.0.0',
  });
  const answers = await Promise.all(
    Array.from({ length: count }, (_, n) => service.call('POST', '/agent/v1/enroll', machine(n), bearer(secret))),
  );
  return answers.map(({ body }) => body);
}

const ask = (token: string, query = 'version=1.0.0') =>
  service.call('GET', `/agent/v1/update?${query}`, undefined, bearer(token));

describe('an update', () => {
  test('is offered to one in twenty, after a day to all, and again to a few when there is a next one', async () => {
    await start('staged');
    const machines = await enrolled(MACHINES);
    const offered = async () => {
      const answers = await Promise.all(machines.map(({ token }) => ask(token)));
      return answers.filter(({ status }) => status === 200).length;
    };
    const first = await offered();
    expect(first).toBeGreaterThan(0);
    expect(first).toBeLessThan(MACHINES / 5);
    clock.advance(DAY_MS - 1000);
    expect(await offered()).toBe(first);
    clock.advance(1000);
    expect(await offered()).toBe(MACHINES);
    await publish('1.2.0');
    expect(await offered()).toBeLessThan(MACHINES / 5);
  });

  test('carries the signature of the key that was pinned at enrolment, over version and hash', async () => {
    await start('all');
    const [{ token, update_key } = { token: '', update_key: '' }] = await enrolled(1);
    const { version, sha256: announced, signature } = (await ask(token)).body;
    const isSigned = (text: Buffer) => verify(null, text, update_key, Buffer.from(signature, 'base64'));
    expect(isSigned(signedText(version, announced))).toBe(true);
    expect(isSigned(signedText('1.0.9', announced))).toBe(false);
    const file = await fetch(`${service.url}/agent/v1/update/${version}`, { headers: bearer(token) });
    expect(await file.text()).toBe(BUNDLE);
    const other = await fetch(`${service.url}/agent/v1/update/1.0.9`, { headers: bearer(token) });
    expect(other.status).toBe(404);
  });

  test('that one machine went back from is offered to nobody any more; the next one is', async () => {
    await start('all');
    const [unlucky = '', other = ''] = (await enrolled(2)).map(({ token }) => token);
    expect((await ask(other)).status).toBe(200);
    expect((await ask(unlucky, 'version=1.0.0&failed=1.1.0')).status).toBe(204);
    clock.advance(10 * DAY_MS);
    expect((await ask(other)).status).toBe(204);
    await publish('1.1.1');
    expect((await ask(other)).body.version).toBe('1.1.1');
    // The one before is no reason against it.
    expect((await ask(unlucky, 'version=1.0.0&failed=1.1.0')).body.version).toBe('1.1.1');
  });

  test('is offered to nobody where updates are switched off, to nobody who has it, and to no stranger', async () => {
    await start('off');
    const [{ token } = { token: '' }] = await enrolled(1);
    clock.advance(2 * DAY_MS);
    expect((await ask(token)).status).toBe(204);
    expect((await ask(token, 'version=1.1.0')).status).toBe(204);
    expect((await ask('dexa_made-up')).status).toBe(401);
    expect((await fetch(`${service.url}/agent/v1/update/1.1.0`)).status).toBe(401);
  });
});

describe('downloads', () => {
  test('are what the build announced, by name; nothing else of the folder or beside it', async () => {
    const file = 'dexops-agent-1.1.0-linux-x64.tar.xz';
    await writeFile(join(dir, file), 'packed');
    await writeFile(join(dir, 'notes.txt'), 'of nobody');
    await publish('1.1.0', { 'linux-x64': { file, sha256 } });
    await start('staged');
    const get = async (path: string) => {
      const answer = await fetch(service.url + path);
      return { status: answer.status, text: await answer.text() };
    };
    expect(await get(`/agent/archives/${file}`)).toEqual({ status: 200, text: 'packed' });
    expect((await get('/agent/SHA256SUMS')).text).toContain(`${sha256}  ${file}\n`);
    expect((await get('/agent/install.sh')).text).toContain(`file='${file}' sum='${sha256}'`);
    expect((await get('/agent/install.ps1')).text).toContain('no agent for Windows');
    for (const name of ['notes.txt', 'manifest.json', '..%2f..%2fetc%2fpasswd', '%2fetc%2fpasswd', 'a'.repeat(300)])
      expect((await get(`/agent/archives/${name}`)).status).toBe(404);
    const { install } = (await service.call('POST', '/api/v1/dex/enrolments', {})).body;
    expect(install.linux).toMatch(/^curl -fsSL https:\/\/dex\.example\.com\/agent\/install\.sh \| sudo DEX_/);
    // What was not built is started from a checkout.
    expect(install.windows).toContain('npm run agent -- --server https://dex.example.com');
  });

  test.each([
    ['nothing was built', null],
    ['the list of files is cut off', '{"version":"1.1.0","arch'],
    ['it names a file elsewhere', JSON.stringify({ version: '1.1.0', archives: {}, update: { file: '../x', sha256 } })],
  ])('say so where %s', async (_, manifest) => {
    await rm(join(dir, 'manifest.json'));
    if (manifest !== null) await writeFile(join(dir, 'manifest.json'), manifest);
    await start('staged');
    for (const path of ['install.sh', 'install.ps1', 'SHA256SUMS']) {
      const answer = await fetch(`${service.url}/agent/${path}`);
      expect(answer.status).toBe(404);
      expect(await answer.text()).toContain('npm run agent:build');
    }
    const [{ token } = { token: '' }] = await enrolled(1);
    expect((await ask(token)).status).toBe(204);
  });
});
