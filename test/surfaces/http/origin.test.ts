/** Requests that a browser makes for somebody else's page, and input that came by the address: neither changes anything. */
import { request as httpRequest } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TOOLS } from '../../../src/core/tools/index.ts';
import { machines } from '../../helpers/machines.ts';
import { API_KEY, startTestService, type TestService } from '../../helpers/service.ts';

const ENDPOINTS = '/api/v1/dex/endpoints';

/** Every route that changes something, those without a tool included. */
const CHANGING = [
  ...TOOLS.filter(({ http, hiddenFrom }) => http && http.method !== 'GET' && !hiddenFrom?.includes('rest')).map(
    ({ http }) => [http!.method, http!.path.replace(/:\w+/g, '1')] as const,
  ),
  ['POST', '/api/v1/webhooks/alertmanager'],
  ['POST', '/api/v1/webhooks/prometheus'],
  ['POST', '/api/v1/webhooks/tickets'],
  ['POST', '/api/v1/webhooks/fleet'],
  ['POST', '/api/v1/dex/agent/snapshot'],
  ['POST', '/mcp'],
  ['POST', '/nothing'],
] as const;

/** What browsers say of pages that are not ours. */
const FOREIGN = [
  ['another site', { Origin: 'https://evil.example' }],
  ['another port', { Origin: 'http://127.0.0.1:1', 'Sec-Fetch-Site': 'same-site' }],
  ['another scheme and no origin', { 'Sec-Fetch-Site': 'cross-site' }],
  ['a sandboxed frame', { Origin: 'null' }],
  ['an origin that is none', { Origin: 'evil' }],
] as const;

describe.each([
  ['keyless', ''],
  ['keyed', API_KEY],
])('a %s service', (_, key) => {
  let service: TestService;
  let own: string;
  beforeAll(async () => {
    const env = { API_KEY: key, API_RATE_LIMIT_PER_MINUTE: '0', PUBLIC_URL: 'https://dex.example.com/' };
    service = await startTestService({ ...env, WEBHOOK_REQUIRE_AUTH: 'false' }, { collector: machines(new Map()) });
    own = new URL(service.url).host;
  });
  afterAll(() => service.stop());

  /** With plain node:http, since fetch forbids a program to say what only browsers say. */
  const send = (method: string, path: string, headers: Record<string, string>, body = '') =>
    new Promise<number>((resolve, reject) => {
      const url = new URL(service.url + path);
      const all = { 'X-API-Key': key, 'Content-Length': String(Buffer.byteLength(body)), ...headers };
      httpRequest(url, { method, headers: all }, (response) => {
        response.resume().once('end', () => resolve(response.statusCode ?? 0));
      })
        .once('error', reject)
        .end(body);
    });

  test.each(CHANGING)('%s %s refuses the pages of others', async (method, path) => {
    for (const [whose, headers] of FOREIGN) {
      const isMcp = path === '/mcp';
      // MCP lets pages of this machine in, as its inspector is one, and looks at what every browser sends with a POST.
      if (isMcp && 'Sec-Fetch-Site' in headers) continue;
      expect(await send(method, path, headers), whose).toBe(403);
    }
  });

  test('lets its own pages, programs and reading pass', async () => {
    const json = { 'Content-Type': 'application/json' };
    const add = (hostname: string, headers: Record<string, string>) =>
      send('POST', ENDPOINTS, { ...json, ...headers }, JSON.stringify({ hostname }));
    expect(await add('by-program', {})).toBe(201);
    expect(await add('by-page', { Origin: `http://${own}`, 'Sec-Fetch-Site': 'same-origin' })).toBe(201);
    expect(await add('by-old-browser', { Origin: `http://${own}` })).toBe(201);
    expect(await add('behind-proxy', { Origin: 'https://dex.example.com' })).toBe(201);
    expect(await send('GET', ENDPOINTS, { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' })).toBe(200);
  });

  test('what changes something is not taken from the address', async () => {
    const { status, body } = await service.call('POST', `${ENDPOINTS}?hostname=by-link`);
    expect(status).toBe(400);
    expect(body.error.message).toBe('Send hostname in a JSON body, not in the address.');
    expect((await service.call('DELETE', `${ENDPOINTS}/by-program?reason=x`)).status).toBe(400);
    // The guide's own lines do.
    expect((await service.call('POST', '/api/v1/dex/alerts/1/acknowledge?hours=4')).status).toBe(404);
    expect((await service.call('POST', '/api/v1/dex/runbooks/index?doc_id=a&content=b')).status).toBe(200);
    expect((await service.call('GET', `${ENDPOINTS}/by-link`)).status).toBe(404);
  });

  test('a form is no JSON body', async () => {
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
    expect(await send('POST', ENDPOINTS, form, 'hostname=by-form')).toBe(400);
    expect(await send('POST', ENDPOINTS, { 'Content-Type': 'text/plain' }, '{"hostname":"by-form"}')).toBe(400);
  });

  test.each(['gzip', 'deflate', 'br', 'zstd', 'compress', 'gzip, gzip', 'nonsense'])(
    'a body that is not %s, although it says so, is the sender’s mistake',
    async (encoding) => {
      for (const path of [
        ENDPOINTS,
        '/api/v1/webhooks/alertmanager',
        '/api/v1/webhooks/tickets',
        '/api/v1/dex/agent/snapshot',
        '/nothing',
      ]) {
        const headers = { 'Content-Type': 'application/json', 'Content-Encoding': encoding };
        for (const body of ['{"hostname":"pc-1"}', gzipSync('{"hostname":"pc-1"}').subarray(0, 20).toString('latin1')])
          expect(await send('POST', path, headers, body), path).toBe(400);
      }
    },
  );
});

test('a service that is open on purpose answers to no name that a stranger can point at it', async () => {
  const env = { API_KEY: '', REQUIRE_API_KEY: 'false', PUBLIC_URL: 'https://dex.example.com' };
  const service = await startTestService({ ...env, HOST: '127.0.0.2' }, { collector: machines(new Map()) });
  const { hostname, port } = new URL(service.url);
  const statusFor = (host: string) =>
    new Promise((resolve, reject) => {
      httpRequest({ host: hostname, port, path: ENDPOINTS, headers: { Host: host } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .once('error', reject)
        .end();
    });
  try {
    expect(await statusFor('rebound.example.net')).toBe(403);
    for (const host of ['10.0.1.2:8000', 'dexops', 'dexops:8000', '[fd00::1]:8000', 'dex.example.com'])
      expect(await statusFor(host), host).toBe(200);
  } finally {
    await service.stop();
  }
});
