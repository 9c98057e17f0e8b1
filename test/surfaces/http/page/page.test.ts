/** The page's own routes: its files, signing in, and the stream of changes. What it shows is tried in a browser. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSealer } from '../../../../src/adapters/sealing.ts';
import { readPageFiles } from '../../../../src/surfaces/http/page/files.ts';
import { createSessions } from '../../../../src/surfaces/http/page/session.ts';
import { machines } from '../../../helpers/machines.ts';
import { API_KEY, startTestService, type TestService } from '../../../helpers/service.ts';

const KB = 1024;

describe('what a browser loads', () => {
  test('is at most 120 KB compressed', () => {
    const sizes = [...readPageFiles()].map(([name, { brotli, plain }]) => ({ name, kb: brotli.length / KB, plain }));
    const total = sizes.reduce((sum, { kb }) => sum + kb, 0);
    const largest = sizes.toSorted((a, b) => b.kb - a.kb).slice(0, 5);
    process.stdout.write(
      `The page: ${sizes.length} files, ${total.toFixed(1)} KB compressed (${largest.map(({ name, kb }) => `${name} ${kb.toFixed(1)}`).join(', ')})\n`,
    );
    expect(total).toBeLessThan(120);
  });

  test('is loaded from here alone, with no script or style in the document', () => {
    const html = readPageFiles().get('index.html')?.plain.toString() ?? '';
    expect(html).not.toMatch(/<style|style=|\son\w+=|https?:/);
    expect(html.match(/<script(?![^>]*src=)/g)).toBeNull();
  });
});

describe('a session', () => {
  const key = 'a-key-that-is-long-enough';
  let now = new Date('2026-11-28T08:00:00Z');
  const sessions = createSessions(createSealer('the-secret-of-the-service', 'page session'), () => now);
  const withCookie = (sealed: string) => sessions.withKey({ cookie: `other=1; dexops_session=${sealed}` });

  test('gives the key back to this service alone, and not for ever', () => {
    const sealed = sessions.seal(key);
    expect(sealed).not.toContain(key);
    expect(withCookie(sealed)['x-api-key']).toBe(key);
    expect(
      createSessions(createSealer('another-secret', 'page session'), () => now).withKey({
        cookie: `dexops_session=${sealed}`,
      }),
    ).not.toHaveProperty('x-api-key');
    now = new Date(now.getTime() + 12 * 3_600_000 + 1);
    expect(withCookie(sealed)).not.toHaveProperty('x-api-key');
  });

  test.each(['', 'x', '____', 'A'.repeat(60)])('of %j is none', (sealed) => {
    expect(withCookie(sealed)).not.toHaveProperty('x-api-key');
  });

  test('that was changed in one place is none', () => {
    const sealed = Buffer.from(sessions.seal(key), 'base64url');
    for (let i = 0; i < sealed.length; i++) {
      const changed = Buffer.from(sealed);
      changed[i] = (changed[i] as number) ^ 1;
      expect(withCookie(changed.toString('base64url'))).not.toHaveProperty('x-api-key');
    }
  });

  test('does not stand in for a key that the request shows', () => {
    const headers = { cookie: `dexops_session=${sessions.seal(key)}`, 'x-api-key': 'another' };
    expect(sessions.withKey(headers)).toBe(headers);
  });
});

describe('a service with a key', () => {
  let service: TestService;
  let cookie: string;
  beforeAll(async () => {
    service = await startTestService({}, { collector: machines(new Map()) });
  });
  afterAll(() => service.stop());

  const ask = (path: string, init: RequestInit = {}) => fetch(service.url + path, { redirect: 'manual', ...init });
  const signIn = (key: unknown, headers: Record<string, string> = {}) =>
    ask('/session', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ key }),
    });

  test.each(['/', '/machines/pc-1', '/alerts', '/alerts/7', '/approvals/x', '/kpis', '/runs/1'])(
    'shows %s without one, since nothing is in it yet',
    async (path) => {
      const answer = await ask(path);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toContain('text/html');
      expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'");
      expect(await answer.text()).toContain('/page/app.js');
    },
  );

  test('serves only what is on its list', async () => {
    for (const path of [
      '/page/../service.ts',
      '/page/%2e%2e/%2e%2e/service.ts',
      '/page/nothing.js',
      '/page/README.md',
    ]) {
      expect((await ask(path)).status, path).toBe(404);
    }
    const script = await ask('/page/app.js', { headers: { 'accept-encoding': 'br' } });
    expect(script.headers.get('content-encoding')).toBe('br');
    expect(script.headers.get('content-type')).toContain('text/javascript');
    const again = await ask('/page/app.js', { headers: { 'if-none-match': script.headers.get('etag') ?? '' } });
    expect(again.status).toBe(304);
  });

  test('signs nobody in with a wrong key or with none', async () => {
    expect((await signIn('not-the-key')).status).toBe(401);
    expect((await signIn(7)).status).toBe(400);
    expect(await (await ask('/session')).json()).toMatchObject({ key_required: true, actor: null, operations: [] });
  });

  test('gives a cookie for the key that no script reads and no other site sends', async () => {
    const answer = await signIn(API_KEY);
    expect(answer.status).toBe(200);
    const set = answer.headers.get('set-cookie') ?? '';
    expect(set).toMatch(/HttpOnly; SameSite=Strict; Max-Age=43200$/);
    expect(set).not.toContain(API_KEY);
    cookie = set.split(';')[0] as string;
    expect(
      (await signIn(API_KEY, { origin: service.url.replace('http:', 'https:') })).headers.get('set-cookie'),
    ).toContain('Secure');
  });

  test('takes the cookie for the API, but for no other site and not for MCP', async () => {
    expect((await ask('/api/v1/dex/fleet')).status).toBe(401);
    expect((await ask('/api/v1/dex/fleet', { headers: { cookie } })).status).toBe(200);
    const scan = (headers: Record<string, string>) =>
      ask('/api/v1/dex/endpoints', {
        method: 'POST',
        headers: { cookie, 'content-type': 'application/json', ...headers },
        body: '{"hostname":"pc-1"}',
      });
    expect((await scan({ origin: 'https://evil.example' })).status).toBe(403);
    expect((await scan({})).status).toBe(201);
    const mcp = await ask('/mcp', {
      method: 'POST',
      headers: { cookie, 'content-type': 'application/json' },
      body: '{}',
    });
    expect(mcp.status).toBe(401);
  });

  test('says who is signed in and what they are offered, until they sign out', async () => {
    const who = (await (await ask('/session', { headers: { cookie } })).json()) as Record<string, any>;
    expect(who.actor).toMatchObject({ role: 'admin', kind: 'human', approves: true });
    expect(who.operations).toContain('POST /api/v1/dex/alerts/:alert_id/resolve');
    const { body } = await service.call('POST', '/api/v1/keys', { name: 'watcher' });
    const viewer = (await (await signIn(body.token)).json()) as Record<string, any>;
    expect(viewer.actor.role).toBe('viewer');
    expect(viewer.operations).toContain('GET /api/v1/dex/fleet');
    expect(viewer.operations).not.toContain('POST /api/v1/dex/alerts/:alert_id/resolve');
    const out = await ask('/session', { method: 'DELETE', headers: { cookie } });
    expect(out.status).toBe(204);
    expect(out.headers.get('set-cookie')).toContain('dexops_session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0');
  });

  test('streams what changed to whoever may read', async () => {
    expect((await ask('/changes')).status).toBe(401);
    const stream = await ask('/changes', { headers: { cookie } });
    expect(stream.headers.get('content-type')).toBe('text/event-stream');
    const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    const until = async (part: string) => {
      while (!text.includes(part)) text += (await reader?.read())?.value ?? '';
    };
    await until('event: hello');
    // The first question of the store is what the second is compared with.
    await delay(1200);
    await service.call('POST', '/api/v1/dex/endpoints', { hostname: 'pc-2' });
    await until('event: changed');
    expect(text).toContain('["machines"]');
    await reader?.cancel();
  });
});
