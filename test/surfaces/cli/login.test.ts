/** The command line of somebody who signs in to a service elsewhere: by a code in a browser, with the session kept for them alone. */
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { logIn } from '../../../src/surfaces/cli/login.ts';
import { loginFile } from '../../../src/surfaces/cli/loginFile.ts';
import { runSignedIn } from '../../../src/surfaces/cli/signedIn.ts';
import { startHttpServer } from '../../helpers/httpServer.ts';
import { machines } from '../../helpers/machines.ts';
import { recordedTerminal } from '../../helpers/recordedTerminal.ts';
import { ANN, enterCode, type SignInWorld, startSignInWorld } from '../../helpers/signInWorld.ts';

let nowMs = Date.now();
let world: SignInWorld;
let home: string;
let env: Record<string, string>;
beforeAll(async () => {
  world = await startSignInWorld({ clock: { now: () => new Date(nowMs) }, collector: machines(new Map()) });
  home = await mkdtemp(join(tmpdir(), 'dexops-home-'));
  env = { HOME: home };
});
afterAll(async () => {
  await world?.stop();
  await rm(home, { recursive: true, force: true });
});

/** Signs in as whoever sits at the browser, who enters the code while the command line waits. */
async function signIn(url = world.url) {
  const terminal = recordedTerminal();
  const said = await logIn([url], env, terminal, async () => {
    const address = terminal.browsed.pop();
    if (address) await enterCode(address);
  });
  return { said, asked: terminal.errText };
}
async function typed(...words: string[]) {
  const terminal = recordedTerminal(async () => true);
  const code = await runSignedIn(words, env, terminal);
  return { code, out: terminal.outText, err: terminal.errText };
}

test('until somebody signs in, commands are this machine’s own', async () => {
  expect(await typed('endpoints')).toMatchObject({ code: null });
});

describe('signed in', () => {
  beforeEach(async () => {
    world.provider.people.set('ann', ANN);
    await signIn();
  });

  test('is said with the code, the name and how to end it', async () => {
    const { said, asked } = await signIn();
    expect(asked).toMatch(new RegExp(`^Open ${world.provider.issuer}/device and enter the code [A-Z-]{9}$`));
    expect(said).toMatch(/^Signed in to http:\S+ as Ann Adams until \d{4}-\d\d-\d\d\. .*npx dex logout\.$/);
  });

  test('keeps the session for this user alone', async () => {
    const file = loginFile(env);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(join(file, '..'))).mode & 0o777).toBe(0o700);
    await chmod(file, 0o644);
    expect(await typed('endpoints')).toMatchObject({ code: 5, err: expect.stringContaining(`chmod 600 ${file}`) });
    await writeFile(file, 'not JSON');
    await chmod(file, 0o600);
    expect(await typed('endpoints')).toMatchObject({ code: 5, err: expect.stringContaining('npx dex logout') });
  });

  test('reads, changes, asks first and draws there, as that person', async () => {
    expect(await typed('endpoint', 'bob-01')).toMatchObject({ code: 0, out: expect.stringMatching(/^bob-01: /) });
    expect(JSON.parse((await typed('endpoints', '--prefix', 'ann', '--json')).out).total).toBe(1);
    expect((await typed('register', 'far-01', '--collector', 'push', '--persona', 'developer')).code).toBe(0);
    expect((await typed('deregister', 'far-01')).code).toBe(0);
    expect(await typed('score', 'nobody')).toMatchObject({ code: 4, err: expect.stringContaining('nobody') });
    expect(await typed('keys')).toMatchObject({ code: 3, err: expect.stringContaining('Ann Adams has operator') });
    const picture = join(home, 'history.png');
    for (let i = 0; i < 2; i++) expect((await typed('scan', 'ann-01')).code).toBe(0);
    expect((await typed('history', 'ann-01', '--png', picture)).err).toContain('Picture written');
    expect((await readFile(picture)).subarray(1, 4).toString()).toBe('PNG');
    const { audit } = (await world.service.call('GET', '/api/v1/audit')).body;
    expect(audit).toContainEqual(expect.objectContaining({ tool: 'register_endpoint', actor: 'oidc:ann', via: 'cli' }));
  });

  test('restores nothing from afar', async () => {
    expect(await typed('restore', 'backup.sql.gz')).toMatchObject({ code: 5, err: expect.stringContaining('logout') });
  });

  test('ends by an administrator, and says how to begin again', async () => {
    for (const { id } of (await world.service.call('GET', '/api/v1/sessions')).body.sessions)
      await world.service.call('DELETE', `/api/v1/sessions/${id}`);
    expect(await typed('endpoints')).toMatchObject({
      code: 3,
      err: `This session has ended. Sign in again. npx dex login ${world.url}`,
    });
  });

  test('ends by logging out, there and here', async () => {
    const { token } = JSON.parse(await readFile(loginFile(env), 'utf8'));
    expect(await typed('logout')).toMatchObject({ code: 0, out: `Signed out of ${world.url}.` });
    expect(await typed('endpoints')).toMatchObject({ code: null });
    const headers = { Authorization: `Bearer ${token}` };
    expect((await fetch(`${world.url}/api/v1/dex/endpoints`, { headers })).status).toBe(401);
    expect((await typed('logout')).out).toBe('Nobody was signed in.');
  });
});

describe('no session comes', () => {
  test.each([
    [[], 'Usage'],
    [['http://dex.example.com'], 'https://'],
    [['https://ann:secret@dex.example.com'], 'https://'],
    [['not an address'], 'https://'],
  ])('of %j', async (words, problem) => {
    expect(await typed('login', ...words)).toMatchObject({ code: 2, err: expect.stringContaining(problem) });
  });

  test('where the person declines', async () => {
    world.provider.people.delete('ann');
    await expect(signIn()).rejects.toThrow();
    world.provider.people.set('ann', ANN);
  });

  test('where nobody enters the code', async () => {
    const late = logIn([world.url], env, recordedTerminal(), async (seconds) => {
      nowMs += seconds * 1000;
    });
    await expect(late).rejects.toThrow('Nobody entered the code in time');
  });

  test('of a service that is none, answers nonsense, or does not answer', async () => {
    const other = await startHttpServer((_request, response) => void response.end('<html>'));
    const url = `http://127.0.0.1:${other.port}`;
    expect(await typed('login', url)).toMatchObject({ code: 6, err: expect.stringContaining('not as DexOps') });
    await other.stop();
    expect(await typed('login', url)).toMatchObject({ code: 6, err: expect.stringContaining('does not answer') });
    expect(await typed('endpoints')).toMatchObject({ code: null });
  });
});
