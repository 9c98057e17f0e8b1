/** People who sign in at a real OpenID Connect provider: on the page and on the command line, who gets in, who does not, and who is out again. */
import { generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { type CookieJar, cookieJar } from '../helpers/cookieJar.ts';
import { type IdentityProvider, startIdentityProvider } from '../helpers/identityProvider.ts';
import type { TestService } from '../helpers/service.ts';
import { ANN, BOB, EVE, enterCode, type SignInWorld, startSignInWorld } from '../helpers/signInWorld.ts';

const MINUTE_MS = 60_000;
let world: SignInWorld;
let provider: IdentityProvider;
let service: TestService;
let publicUrl: string;
let nowMs = Date.now();
const clock = { now: () => new Date(nowMs) };
const pass = (minutes: number) => {
  nowMs += minutes * MINUTE_MS;
};

beforeAll(async () => {
  world = await startSignInWorld({ clock });
  ({ provider, service, url: publicUrl } = world);
});
afterAll(() => world?.stop());
beforeEach(() => {
  for (const person of [ANN, BOB, EVE]) provider.people.set(person.sub, person);
  provider.atTheBrowser = 'ann';
  provider.tamper = null;
});

const begin = (jar: CookieJar, to = '/alerts') => jar.visit(`${publicUrl}/session/begin?to=${encodeURIComponent(to)}`);
const json = async (jar: CookieJar, path: string) => {
  const { response, text } = await jar.visit(publicUrl + path);
  return { status: response.status, body: JSON.parse(text) };
};
const session = async (jar: CookieJar) => (await json(jar, '/session')).body;
async function signedIn(sub = 'ann'): Promise<CookieJar> {
  provider.atTheBrowser = sub;
  const jar = cookieJar();
  await begin(jar);
  expect((await session(jar)).actor?.id).toBe(`oidc:${sub}`);
  return jar;
}
const reads = async (jar: CookieJar, hostname: string) =>
  (await json(jar, `/api/v1/dex/endpoints/${hostname}`)).status === 200;
const hosts = async (jar: CookieJar) =>
  (await json(jar, '/api/v1/dex/endpoints')).body.endpoints.map(({ hostname }: { hostname: string }) => hostname);

describe('the page', () => {
  test('shows the provider, and brings whoever signs in there to where they wanted to go', async () => {
    const jar = cookieJar();
    expect(await session(jar)).toMatchObject({ actor: null, provider: new URL(provider.issuer).host });
    const { url } = await begin(jar, '/alerts?severity=critical');
    expect(url).toBe(`${publicUrl}/alerts?severity=critical`);
    expect((await session(jar)).actor).toEqual({
      id: 'oidc:ann',
      name: 'Ann Adams',
      email: 'ann@example.com',
      role: 'operator',
      kind: 'human',
      approves: true,
    });
    expect(await hosts(jar)).toEqual(['ann-01', 'bob-01']);
  });

  test('keeps what it got where no script reads it, and no token of the provider at all', async () => {
    let answer = '';
    const jar = cookieJar((url) => {
      if (url.includes('/session/callback')) answer = url;
      return answer === '' ? url : `${publicUrl}/session`;
    });
    await begin(jar);
    const state = jar.get(publicUrl, 'dexops_sign_in') ?? '';
    const response = await fetch(answer, { redirect: 'manual', headers: { Cookie: `dexops_sign_in=${state}` } });
    const cookies = response.headers.getSetCookie();
    expect(cookies.find((line) => line.startsWith('dexops_session='))).toMatch(
      /; HttpOnly; SameSite=Strict; Max-Age=43200$/,
    );
    expect(cookies.find((line) => line.startsWith('dexops_sign_in='))).toMatch(/^dexops_sign_in=; .*Max-Age=0$/);
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  test.each([
    'https://evil.example.com/',
    '//evil.example.com',
    '/\\evil.example.com',
    '/..//evil.example.com',
    'javascript:alert(1)',
    '',
  ])('sends nobody to %j afterwards', async (to) => {
    expect(new URL((await begin(cookieJar(), to)).url).host).toBe(new URL(publicUrl).host);
  });

  test('lets a person who is in no known group see their own machines alone', async () => {
    const jar = await signedIn('bob');
    expect((await session(jar)).actor).toMatchObject({ role: 'employee', approves: false });
    expect([await reads(jar, 'bob-01'), await reads(jar, 'ann-01')]).toEqual([true, false]);
    for (const path of ['/api/v1/dex/endpoints', '/api/v1/dex/alerts', '/api/v1/keys'])
      expect((await json(jar, path)).status, path).toBe(403);
  });

  test.each<[string, unknown]>([
    ['no groups', undefined],
    ['groups that are none', { operations: true }],
  ])('gives no role for %s', async (_, groups) => {
    provider.people.set('ann', { ...ANN, groups });
    expect((await session(await signedIn())).actor.role).toBe('employee');
  });

  test('finds the one group of 500 that has a role', async () => {
    const groups = [...Array.from({ length: 500 }, (_, i) => `group-${i}`), 'operations'];
    provider.people.set('ann', { ...ANN, groups });
    expect((await session(await signedIn())).actor.role).toBe('operator');
  });
});

describe('an answer that does not come to a session', () => {
  const outcome = async (jar: CookieJar) => new URL((await begin(jar)).url).searchParams.get('sign_in');
  /** Stops before the provider's answer gets to the service. */
  async function stolenAnswer(): Promise<{ jar: CookieJar; answer: string }> {
    let answer = '';
    const jar = cookieJar((url) => {
      if (!url.startsWith(`${publicUrl}/session/callback`)) return url;
      answer = url;
      return `${publicUrl}/session`;
    });
    await begin(jar);
    return { jar, answer };
  }
  const signed = async (claims: object) => (idToken: string) =>
    provider.signed({ ...JSON.parse(Buffer.from(idToken.split('.')[1] ?? '', 'base64url').toString()), ...claims });

  test.each<[string, (idToken: string) => Promise<string>]>([
    ['unsigned', async (idToken) => `${Buffer.from('{"alg":"none"}').toString('base64url')}.${idToken.split('.')[1]}.`],
    ['with its signature cut off', async (idToken) => idToken.replace(/[^.]*$/, '')],
    [
      'signed by another key',
      async (idToken) => {
        const { privateKey } = await generateKeyPair('RS256');
        const claims = JSON.parse(Buffer.from(idToken.split('.')[1] ?? '', 'base64url').toString());
        return new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'first' }).sign(privateKey);
      },
    ],
    ['expired', async (idToken) => (await signed({ exp: Math.floor(Date.now() / 1000) - 300 }))(idToken)],
    ['for another client', async (idToken) => (await signed({ aud: 'another' }))(idToken)],
    ['of another provider', async (idToken) => (await signed({ iss: 'https://evil.example.com' }))(idToken)],
    ['from another sign-in', async (idToken) => (await signed({ nonce: 'another' }))(idToken)],
    ['about somebody else', async (idToken) => (await signed({ sub: 'eve' }))(idToken)],
    ['no token', async () => 'not-a-token'],
  ])('is an ID token %s', async (_, tamper) => {
    provider.tamper = tamper;
    const jar = cookieJar();
    expect(await outcome(jar)).toBe('refused');
    expect((await session(jar)).actor).toBeNull();
  });

  test('is a no of the person', async () => {
    provider.atTheBrowser = null;
    expect(await outcome(cookieJar())).toBe('denied');
  });

  test('is one that another browser asked for', async () => {
    const { answer } = await stolenAnswer();
    const victim = cookieJar();
    expect((await victim.visit(answer)).url).toBe(`${publicUrl}/?sign_in=expired`);
    const other = (await stolenAnswer()).jar;
    expect((await other.visit(answer)).url).not.toContain('/alerts');
    expect((await session(other)).actor).toBeNull();
  });

  test('is one that was used before', async () => {
    const { jar, answer } = await stolenAnswer();
    const question = jar.get(publicUrl, 'dexops_sign_in') ?? '';
    const again = () =>
      fetch(answer, { redirect: 'manual', headers: { Cookie: `dexops_sign_in=${question}` } }).then(({ headers }) =>
        headers.get('location'),
      );
    expect(await again()).toBe('/alerts');
    expect(await again()).toBe('/?sign_in=refused');
  });

  test('is one that took longer than ten minutes', async () => {
    const { jar, answer } = await stolenAnswer();
    pass(11);
    const { headers } = await fetch(answer, {
      redirect: 'manual',
      headers: { Cookie: `dexops_sign_in=${jar.get(publicUrl, 'dexops_sign_in')}` },
    });
    expect(headers.get('location')).toBe('/?sign_in=expired');
  });
});

describe('a session', () => {
  test('ends within five minutes for somebody who leaves', async () => {
    const jar = await signedIn();
    provider.people.delete('ann');
    pass(4.5);
    expect((await json(jar, '/api/v1/dex/endpoints')).status).toBe(401);
    expect((await session(jar)).actor).toBeNull();
  });

  test('follows the groups, the name and the address of a person who stays', async () => {
    const jar = await signedIn('bob');
    expect(await reads(jar, 'bob-01')).toBe(true);
    provider.people.set('bob', { ...BOB, name: 'Bob Adams', email: 'bob.adams@example.com' });
    await service.call('POST', '/api/v1/dex/endpoints', { hostname: 'adams-01', owner_email: 'bob.adams@example.com' });
    pass(4.5);
    // Rights follow the address that the provider gives now: somebody else may get the old one.
    expect([await reads(jar, 'bob-01'), await reads(jar, 'adams-01')]).toEqual([false, true]);
    provider.people.set('bob', { ...BOB, groups: ['operations'] });
    pass(4.5);
    expect((await session(jar)).actor).toMatchObject({ name: 'Bob Brown', role: 'operator' });
  });

  test('is confirmed once for many requests at a time, and again each time after', async () => {
    const jar = await signedIn();
    for (let i = 0; i < 3; i++) {
      pass(4.5);
      const statuses = await Promise.all(
        Array.from({ length: 8 }, async () => (await json(jar, '/api/v1/dex/endpoints')).status),
      );
      expect(new Set(statuses)).toEqual(new Set([200]));
    }
  });

  test('goes on while the provider is away, and nobody new comes in', async () => {
    const jar = await signedIn();
    await provider.stop();
    pass(60);
    expect(await hosts(jar)).toEqual(expect.arrayContaining(['ann-01']));
    expect((await begin(cookieJar())).url).toBe(`${publicUrl}/?sign_in=unavailable`);
    await provider.resume();
    pass(1);
    expect(await hosts(jar)).toEqual(expect.arrayContaining(['ann-01']));
    pass(12 * 60);
    expect((await session(jar)).actor).toBeNull();
  });

  test('begins also with a key that the provider has changed since', async () => {
    await signedIn();
    const { issuer } = provider;
    await provider.stop();
    provider = await startIdentityProvider(`${publicUrl}/mcp`, {
      kid: 'second',
      port: Number(new URL(issuer).port),
      redirectUri: world.redirectUri,
    });
    world.provider = provider;
    for (const person of [ANN, BOB, EVE]) provider.people.set(person.sub, person);
    expect((await session(await signedIn())).actor.name).toBe('Ann Adams');
  });

  test('of two people with one address makes its machines neither’s', async () => {
    provider.people.set('twin', { ...BOB, sub: 'twin', name: 'Another Bob' });
    const bob = await signedIn('bob');
    expect(await reads(bob, 'bob-01')).toBe(true);
    const twin = await signedIn('twin');
    expect([await reads(bob, 'bob-01'), await reads(twin, 'bob-01')]).toEqual([false, false]);
  });

  test('ends by signing out, also for whoever copied the cookie', async () => {
    const jar = await signedIn();
    const cookie = `dexops_session=${jar.get(publicUrl, 'dexops_session')}`;
    await jar.visit(`${publicUrl}/session`, { method: 'DELETE' });
    expect((await session(jar)).actor).toBeNull();
    const { status } = await fetch(`${publicUrl}/api/v1/dex/endpoints`, { headers: { Cookie: cookie } });
    expect(status).toBe(401);
  });

  test('is seen and ended by its person and by administrators', async () => {
    for (const { id } of (await service.call('GET', '/api/v1/sessions')).body.sessions)
      await service.call('DELETE', `/api/v1/sessions/${id}`);
    const ann = await signedIn();
    const eve = await signedIn('eve');
    const seen = async (jar: CookieJar) =>
      (await json(jar, '/api/v1/sessions')).body.sessions as { id: number; person: string; client: string }[];
    expect((await seen(ann)).map(({ person }) => person)).toEqual(['Ann Adams']);
    expect((await seen(eve)).map(({ person }) => person)).toEqual(['Eve Evans', 'Ann Adams']);
    const idOf = async (name: string) => (await seen(eve)).find(({ person }) => person === name)?.id;
    const end = (jar: CookieJar, id?: number) =>
      jar.visit(`${publicUrl}/api/v1/sessions/${id}`, { method: 'DELETE' }).then(({ response }) => response.status);
    expect(await end(ann, await idOf('Eve Evans'))).toBe(403);
    expect(await end(eve, await idOf('Ann Adams'))).toBe(200);
    expect((await session(ann)).actor).toBeNull();
    expect(await end(eve, await idOf('Eve Evans'))).toBe(200);
    expect((await service.call('GET', '/api/v1/sessions')).body.sessions).toEqual([]);
  });

  test('is no person over MCP', async () => {
    const jar = await signedIn();
    const cookie = `dexops_session=${jar.get(publicUrl, 'dexops_session')}`;
    const { status } = await fetch(`${publicUrl}/mcp`, { method: 'POST', headers: { Cookie: cookie } });
    expect(status).toBe(401);
  });

  test('keeps no token readable in the database', async () => {
    await signedIn();
    const [stored] = await service.app.ports.store.signInSessions.list('ann', clock.now());
    expect(stored?.refreshToken).toMatch(/^[\w-]{60,}$/);
    expect(JSON.stringify(stored)).not.toContain('dexs_');
  });
});

test('a provider that gives refresh tokens only to those who agree is asked for that', async () => {
  const strict = await startSignInWorld({}, { asksConsent: true });
  try {
    await cookieJar().visit(`${strict.url}/session/begin`);
    const [stored] = await strict.service.app.ports.store.signInSessions.list('ann', new Date());
    expect(stored?.refreshToken).not.toBeNull();
  } finally {
    await strict.stop();
  }
});

describe('the device flow', () => {
  const post = async (path: string, body: object = {}) => {
    const response = await fetch(publicUrl + path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as any };
  };
  const answerOf = (device: string) => post('/session/device/answer', { device, client: 'dex on test' });
  test('gives a command line a session of a person, once they have answered', async () => {
    const { status, body: asked } = await post('/session/device');
    expect(status).toBe(201);
    expect((await answerOf(asked.device)).status).toBe(202);
    await enterCode(asked.complete_address);
    const { status: done, body } = await answerOf(asked.device);
    expect(done).toBe(201);
    expect(body).toMatchObject({ name: 'Ann Adams', token: expect.stringMatching(/^dexs_/) });
    const headers = { Authorization: `Bearer ${body.token}` };
    expect((await fetch(`${publicUrl}/api/v1/dex/endpoints`, { headers })).status).toBe(200);
    expect((await answerOf(asked.device)).status).toBe(401);
    const [listed] = (await service.call('GET', '/api/v1/sessions')).body.sessions;
    expect(listed).toMatchObject({ person: 'Ann Adams', channel: 'cli', client: 'dex on test' });
  });

  test.each(['', 'made-up', 'A'.repeat(200)])('refuses the device %j', async (device) => {
    expect((await answerOf(device)).status).toBe(400);
  });
});

test('settings by which nobody could sign in stop the start', () => {
  const key = { API_KEY: 'a-key-of-sixteen-characters' };
  const issuer = { OIDC_ISSUER: 'https://login.example.com', OIDC_AUDIENCE: 'dexops' };
  expect(() => readConfig({ ...key, OIDC_CLIENT_ID: 'dexops' })).toThrow('OIDC_ISSUER is not');
  expect(() => readConfig({ ...key, ...issuer, OIDC_CLIENT_ID: 'dexops' })).toThrow('PUBLIC_URL is not');
  expect(() => readConfig({ ...key, ...issuer, OIDC_SCOPES: 'email' })).toThrow('OIDC_SCOPES');
});
