/** Arguments as clients send them in the field: each quoted line stands for a kind; REST takes none of them. */
import { LATEST_PROTOCOL_VERSION } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { API_KEY, startTestService, type TestService } from '../helpers/service.ts';

const KEY = { Authorization: `Bearer ${API_KEY}` };

/** A client of the simplest kind: it posts JSON, and reads JSON. */
async function rawClient(url: string, accept: string) {
  let id = 0;
  const headers: Record<string, string> = { ...KEY, 'Content-Type': 'application/json', Accept: accept };
  const ask = async (method: string, params: unknown) => {
    const response = await fetch(url, {
      method: 'POST',
      headers,
      body: JSON.stringify({ jsonrpc: '2.0', id: ++id, method, params }),
    });
    const session = response.headers.get('mcp-session-id');
    if (session) headers['Mcp-Session-Id'] = session;
    return {
      status: response.status,
      type: response.headers.get('content-type'),
      body: (await response.json()) as any,
    };
  };
  const first = await ask('initialize', {
    protocolVersion: LATEST_PROTOCOL_VERSION,
    capabilities: {},
    clientInfo: { name: 'raw', version: '1' },
  });
  const call = async (name: string, given: unknown): Promise<{ isError?: boolean; output: any; text: string }> => {
    const { body } = await ask('tools/call', { name, arguments: given });
    if (body.error) throw new Error(body.error.message);
    return { ...body.result, output: body.result.structuredContent, text: body.result.content[0].text };
  };
  return { first, ask, call };
}

describe('the service at /mcp', () => {
  let service: TestService;
  let client: Awaited<ReturnType<typeof rawClient>>;
  beforeAll(async () => {
    service = await startTestService();
    client = await rawClient(`${service.url}/mcp?structured=1&toolsets=all`, 'application/json');
    for (const hostname of ['pc-1', 'pc-2'])
      await service.call('POST', '/api/v1/dex/endpoints', { hostname, ip_address: '10.20.0.7', collector: 'push' });
  });
  afterAll(() => service.stop());

  test.each(['application/json', '*/*', 'text/plain, */*;q=0.1'])(
    '"JSON-only and `*/*` clients are answered in JSON": %s',
    async (accept) => {
      const { first, ask } = await rawClient(`${service.url}/mcp?structured=1&toolsets=all`, accept);
      expect(first).toMatchObject({ status: 200, type: expect.stringContaining('application/json') });
      expect(first.body.result.serverInfo.name).toBe('dexops');
      expect((await ask('tools/list', {})).body.result.tools.length).toBeGreaterThan(10);
    },
  );

  test.each([null, '', '{}', undefined])('"`arguments: null` is `{}`": %j', async (given) => {
    expect((await client.call('list_endpoints', given)).output.total).toBe(2);
  });

  test('"`null` or `\\"\\"` for an optional argument means left out (never 0)"', async () => {
    const { output } = await client.call('list_endpoints', {
      limit: null,
      offset: '',
      prefix: '',
      persona: null,
      state: '',
      criticality_tier: null,
    });
    expect(output.total).toBe(2);
    expect(output.endpoints).toHaveLength(2);
  });

  test('null still clears what may be cleared', async () => {
    const { output } = await client.call('update_endpoint', { hostname: 'pc-2', ip_address: null });
    expect(output.endpoint.ip_address).toBe(null);
  });

  test('"objects and numbers as JSON text are read"', async () => {
    expect((await client.call('list_endpoints', '{"prefix":"pc-1","limit":"5"}')).output.total).toBe(1);
    const { output, text } = await client.call('update_endpoint', {
      hostname: 'pc-1',
      tags: '{"team":"sales"}',
      criticality_tier: '1',
      options: '{"port": 9100}',
    });
    expect(output?.endpoint, text).toMatchObject({
      tags: { team: 'sales' },
      criticality_tier: 1,
      options: { port: 9100 },
    });
  });

  test('"keys that clients add (`task_progress`, `random_string`, `_meta`) are dropped"; others are still mistakes', async () => {
    const { output } = await client.call('get_fleet', { random_string: 'x', task_progress: '- [ ] one', _meta: {} });
    expect(output.total).toBe(2);
    const wrong = await client.call('list_endpoints', { personna: 'tech' });
    expect([wrong.isError, wrong.text]).toEqual([true, expect.stringContaining('personna')]);
  });

  test('"enums in any case"', async () => {
    const { output } = await client.call('update_endpoint', { hostname: 'PC-1', persona: 'Executive' });
    expect(output.endpoint.persona).toBe('executive');
    expect((await client.call('list_endpoints', { persona: 'EXECUTIVE', state: 'Never_Seen' })).output.total).toBe(1);
  });

  test('REST stays strict', async () => {
    const refused = await Promise.all([
      service.call('PATCH', '/api/v1/dex/endpoints/pc-1', { persona: 'Executive' }),
      service.call('PATCH', '/api/v1/dex/endpoints/pc-1', { tags: '{"team":"sales"}' }),
      service.call('PATCH', '/api/v1/dex/endpoints/pc-1', { task_progress: 'x' }),
    ]);
    expect(refused.map(({ status }) => status)).toEqual([400, 400, 400]);
  });
});
