/** MCP over Streamable HTTP: through the network against the whole service, and its sessions against a clock that the test moves. */
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { LATEST_PROTOCOL_VERSION, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { Server as ModernServer } from '@modelcontextprotocol/server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createMcpHttp, type McpHttpOptions } from '../../mcp/http.ts';
import { AppError } from '../../src/core/errors.ts';
import { testClock } from '../helpers/clock.ts';
import { keptLog } from '../helpers/log.ts';
import { machines } from '../helpers/machines.ts';
import { assistant, callTool, clientThatAnswers, connectOverHttp } from '../helpers/mcpClient.ts';
import { API_KEY, startTestService, type TestService } from '../helpers/service.ts';

const BEARER = { Authorization: `Bearer ${API_KEY}` };
const SAYS_JSON = { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream' };
const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: LATEST_PROTOCOL_VERSION, capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
};

/** Posts as no client library would. */
function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { ...SAYS_JSON, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

async function errorOf(response: Response): Promise<{ code: number; message: string }> {
  const { error } = (await response.json()) as { error: { code: number; message: string } };
  return error;
}

describe('the service at /mcp', () => {
  let service: TestService;
  let url: string;
  let programs: string;
  beforeAll(async () => {
    service = await startTestService(
      { MCP_ALLOWED_ORIGINS: 'https://tools.example.com' },
      { collector: machines(new Map()) },
    );
    url = `${service.url}/mcp`;
    programs = `${url}?structured=1&toolsets=all`;
  });
  afterAll(() => service.stop());

  test('serves a client that shows its key, and ends the session when the client does', async () => {
    const { client, transport } = await connectOverHttp(programs, BEARER);
    await client.listTools();
    await callTool(client, 'register_endpoint', { hostname: 'http-01' });
    expect((await callTool(client, 'get_endpoint', { hostname: 'http-01' })).structuredContent).toMatchObject({
      endpoint: { hostname: 'http-01' },
    });
    const id = transport.sessionId ?? '';
    await transport.terminateSession();
    await client.close();
    const afterwards = await post(url, { jsonrpc: '2.0', id: 2, method: 'ping' }, { ...BEARER, 'Mcp-Session-Id': id });
    expect(afterwards.status).toBe(404);
  });

  test('carries questions to the person behind the client, and their yes back', async () => {
    await service.call('POST', '/api/v1/dex/endpoints', { hostname: 'http-gone' });
    const { client, questions } = clientThatAnswers({ action: 'accept', content: { confirm: true } });
    await connectOverHttp(url, BEARER, client);
    const answer = await callTool(client, 'deregister_endpoint', { hostname: 'http-gone' });
    expect(answer.isError).toBeUndefined();
    expect(questions).toEqual([expect.stringContaining('http-gone')]);
    expect((await service.call('GET', '/api/v1/dex/endpoints/http-gone')).status).toBe(404);
    await client.close();
  });

  test("never shows an agent's token to a model: people register what reports by itself", async () => {
    const { client } = await connectOverHttp(programs, BEARER);
    const reporting = { hostname: 'http-pushes', collector: 'push' };
    for (const [tool, input] of [
      ['register_endpoint', reporting],
      ['register_endpoints', { endpoints: [reporting] }],
    ] as const) {
      const answer = await callTool(client, tool, input);
      expect(answer.text).toContain('only people are shown');
      expect(JSON.stringify(answer)).not.toMatch(/dex[a-z]?_[\w-]{20}|"token"/);
    }
    expect((await service.call('GET', '/api/v1/dex/endpoints/http-pushes')).status).toBe(404);
    await client.close();
  });

  test.each([
    ['no key', {}],
    ['a wrong key', { Authorization: 'Bearer guess' }],
    ['a key of another kind', { Authorization: `Basic ${API_KEY}` }],
  ])('answers %s with 401 and how to do better', async (_what, headers) => {
    const response = await post(url, INITIALIZE, headers);
    expect(response.status).toBe(401);
    expect(response.headers.get('WWW-Authenticate')).toMatch(/^Bearer /);
    expect((await errorOf(response)).message).toMatch(/API key/);
  });

  test('at /mcp/read-only nothing can be changed, whatever the key allows', async () => {
    const { client } = await connectOverHttp(`${url}/read-only`, BEARER);
    const { tools } = await client.listTools();
    expect(tools.filter(({ annotations }) => !annotations?.readOnlyHint)).toEqual([]);
    const refused = await callTool(client, 'deregister_endpoint', { hostname: 'http-no' });
    expect(refused.isError).toBe(true);
    expect(refused.text).toContain('this connection only reads');
    await client.close();
  });

  test('a session opened read-only cannot be carried on by the other door', async () => {
    const { client, transport } = await connectOverHttp(`${url}/read-only`, BEARER);
    const headers = { ...BEARER, 'Mcp-Session-Id': transport.sessionId ?? '' };
    expect((await post(url, { jsonrpc: '2.0', id: 2, method: 'ping' }, headers)).status).toBe(404);
    await client.close();
  });

  test.each([
    ['a page of somebody else', 'https://evil.example.com', 403],
    ['no real origin', 'null', 403],
    ['a name that only begins like ours', 'http://localhost.evil.example.com', 403],
    ['a page of this machine', 'http://localhost:6274', 200],
    ['a page on the list', 'https://tools.example.com', 200],
  ])('from %s', async (_what, origin, status) => {
    const response = await post(url, INITIALIZE, { ...BEARER, Origin: origin });
    expect(response.status).toBe(status);
    expect(response.headers.get('Access-Control-Allow-Origin')).toBe(status === 200 ? origin : null);
    await response.body?.cancel();
  });

  test('a browser may ask beforehand, without a key', async () => {
    const response = await fetch(url, { method: 'OPTIONS', headers: { Origin: 'https://tools.example.com' } });
    expect(response.status).toBe(204);
    expect(response.headers.get('Access-Control-Allow-Headers')).toContain('Mcp-Session-Id');
  });

  test.each([
    ['what is not JSON', '{"jsonrpc": "2.0",', 400, -32700],
    ['what is not JSON-RPC', { hello: 'world' }, 400, -32600],
    ['a call before any introduction', { jsonrpc: '2.0', id: 1, method: 'tools/list' }, 400, -32000],
    ['more than 1 MB', { ...INITIALIZE, padding: 'x'.repeat(1024 * 1024) }, 413, -32000],
  ])('refuses %s', async (_what, body, status, code) => {
    const response = await post(url, body, BEARER);
    expect(response.status).toBe(status);
    expect((await errorOf(response)).code).toBe(code);
    expect((await service.call('GET', '/health')).status).toBe(200);
  });

  test('refuses more than 1 MB that does not say beforehand how much it is', async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const outgoing = request(url, { method: 'POST', headers: { ...SAYS_JSON, ...BEARER } }, (response) => {
        response.resume();
        resolve(response.statusCode);
        outgoing.destroy();
      });
      outgoing.on('error', reject);
      for (let i = 0; i < 20; i++) outgoing.write('x'.repeat(100_000));
    });
    expect(status).toBe(413);
  });

  test.each([
    ['text that is no JSON type', { 'Content-Type': 'text/plain' }, 415],
    ['a session that never was', { 'Mcp-Session-Id': 'guess' }, 404],
  ])('refuses %s', async (_what, headers, status) => {
    expect((await post(url, INITIALIZE, { ...BEARER, ...headers })).status).toBe(status);
  });

  test('refuses other methods and other paths', async () => {
    expect((await fetch(url, { method: 'PUT', headers: BEARER })).status).toBe(405);
    expect((await post(`${url}/admin`, INITIALIZE, BEARER)).status).toBe(404);
    expect((await fetch(url, { headers: { ...BEARER, Accept: 'text/event-stream' } })).status).toBe(400);
  });
});

describe('sessions', () => {
  /** Our transport code over a server without tools. */
  async function listener(options: Partial<McpHttpOptions> = {}) {
    const clock = testClock();
    const mcp = createMcpHttp({
      createServer: () => new Server({ name: 'bare', version: '1' }),
      createModernServer: () => new ModernServer({ name: 'bare', version: '1' }),
      changes: { subscribe: () => () => {} },
      async authenticate({ authorization }) {
        if (!authorization) throw new AppError('unauthenticated', 'Who are you?');
        if (authorization === 'no database') throw new AppError('unavailable', 'The database does not answer.');
        return { ...assistant('admin'), id: authorization };
      },
      allowedOrigins: [],
      toolsets: [],
      clock,
      log: keptLog(),
      ...options,
    });
    const http = createServer(mcp.handle);
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`;
    return {
      clock,
      url,
      async open(who = 'ann'): Promise<Record<string, string>> {
        const response = await post(url, INITIALIZE, { Authorization: who });
        expect(response.status).toBe(200);
        await response.text();
        return { Authorization: who, 'Mcp-Session-Id': response.headers.get('Mcp-Session-Id') ?? '' };
      },
      async ping(headers: Record<string, string>): Promise<number> {
        const response = await post(url, { jsonrpc: '2.0', id: 2, method: 'ping' }, headers);
        await response.text();
        return response.status;
      },
      async stop() {
        await mcp.close();
        http.closeAllConnections();
        await new Promise((resolve) => http.close(resolve));
      },
    };
  }

  test('are refused for a while, and not as a bug, while the database is away', async () => {
    const { url, stop } = await listener();
    const response = await post(url, INITIALIZE, { Authorization: 'no database' });
    expect([response.status, response.headers.get('Retry-After')]).toEqual([503, '1']);
    await response.text();
    await stop();
  });

  test('end half an hour after their last use', async () => {
    const { open, ping, clock, stop } = await listener();
    const used = await open();
    const forgotten = await open();
    clock.advance(20 * 60_000);
    expect(await ping(used)).toBe(200);
    clock.advance(20 * 60_000);
    await open();
    expect(await ping(used)).toBe(200);
    expect(await ping(forgotten)).toBe(404);
    await stop();
  });

  test('are bounded: the least recently used makes room', async () => {
    const { open, ping, stop } = await listener({ maxSessions: 4 });
    const first = await open();
    const second = await open();
    expect(await ping(first)).toBe(200);
    const third = await open();
    expect(await Promise.all([first, second, third].map(ping))).toEqual([200, 404, 200]);
    await stop();
  });

  test('of one key that holds streams open lock nobody out, and its own least recently used goes first', async () => {
    const { open, ping, url, stop } = await listener({ maxSessions: 6 });
    const held: Record<string, string>[] = [];
    for (let i = 0; i < 10; i++) {
      held.push(await open('viewer'));
      const stream = await fetch(url, { headers: { ...held.at(-1), Accept: 'text/event-stream' } });
      expect(stream.status).toBe(200);
    }
    expect(await Promise.all(held.map(ping))).toEqual([...Array(7).fill(404), 200, 200, 200]);
    const others = await Promise.all(['ann', 'bob', 'eve', 'dan'].map((who) => open(who)));
    // The fourth had to take a place: of whoever has most, and not of the other newcomers.
    expect(await Promise.all(others.map(ping))).toEqual([200, 200, 200, 200]);
    expect(await Promise.all(held.slice(7).map(ping))).toEqual([404, 200, 200]);
    await stop();
  });

  test('with a call under way are not ended, and when all are, a newcomer is told to come back', async () => {
    const goOn = Promise.withResolvers<void>();
    const { open, ping, url, stop } = await listener({
      maxSessions: 1,
      createServer: () => {
        const server = new Server({ name: 'slow', version: '1' }, { capabilities: { tools: {} } });
        server.setRequestHandler(ListToolsRequestSchema, async () => {
          await goOn.promise;
          return { tools: [] };
        });
        return server;
      },
    });
    const busy = await open();
    const call = post(url, { jsonrpc: '2.0', id: 2, method: 'tools/list' }, busy);
    await expect.poll(async () => (await post(url, INITIALIZE, { Authorization: 'bob' })).status).toBe(503);
    goOn.resolve();
    expect((await call).status).toBe(200);
    expect(await ping(busy)).toBe(200);
    await expect.poll(async () => (await post(url, INITIALIZE, { Authorization: 'bob' })).status).toBe(200);
    await stop();
  });

  test('belong to whoever opened them', async () => {
    const { open, ping, stop } = await listener();
    const hers = await open('ann');
    expect(await ping({ ...hers, Authorization: 'bob' })).toBe(404);
    expect(await ping(hers)).toBe(200);
    await stop();
  });

  test('are not opened, and nobody else is put out, by a stray request', async () => {
    const { open, ping, stop } = await listener({ maxSessions: 1 });
    const hers = await open();
    expect(await ping({ Authorization: 'ann' })).toBe(400);
    expect(await ping(hers)).toBe(200);
    await stop();
  });

  test('are ended by a stop, their streams with them', async () => {
    const { open, url, stop } = await listener();
    const stream = await fetch(url, { headers: { ...(await open()), Accept: 'text/event-stream' } });
    const ended = stream.text();
    await stop();
    expect(await ended).toBe('');
  });

  test('a failure of ours is logged and told without its cause', async () => {
    const log = keptLog();
    const { url, stop } = await listener({
      log,
      authenticate: async () => {
        throw new TypeError('the key file is at a secret place');
      },
    });
    const response = await post(url, INITIALIZE);
    expect(response.status).toBe(500);
    expect((await errorOf(response)).message).not.toContain('secret');
    expect(log.lines).toEqual([expect.objectContaining({ level: 'error' })]);
    await stop();
  });
});
