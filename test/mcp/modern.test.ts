/** The revision 2026-07-28 through the network: the client of its own library, and requests that no client would make. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { machines } from '../helpers/machines.ts';
import { callTool, clientThatAnswers, connectOverHttp } from '../helpers/mcpClient.ts';
import { callModern, connectModern, MODERN, modernClient, modernClientThatAnswers } from '../helpers/modernClient.ts';
import { API_KEY, startTestService, type TestService } from '../helpers/service.ts';

const BEARER = { Authorization: `Bearer ${API_KEY}` };
const META = {
  'io.modelcontextprotocol/protocolVersion': MODERN,
  'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {} } },
};

let service: TestService;
let url: string;
beforeAll(async () => {
  service = await startTestService(
    { MCP_ALLOWED_ORIGINS: 'https://tools.example.com' },
    { collector: machines(new Map()) },
  );
  url = `${service.url}/mcp`;
});
afterAll(() => service.stop());

let count = 0;
/** A machine that only this test knows. */
async function registered(): Promise<string> {
  const hostname = `modern-${++count}`;
  await service.call('POST', '/api/v1/dex/endpoints', { hostname });
  return hostname;
}
const isWatched = async (hostname: string) =>
  (await service.call('GET', `/api/v1/dex/endpoints/${hostname}`)).status === 200;

/** Posts one request as it stands. */
async function post(method: string, params: object, headers: Record<string, string> = {}, address = url) {
  const name =
    'name' in params ? { 'Mcp-Name': String(params.name) } : 'uri' in params ? { 'Mcp-Name': String(params.uri) } : {};
  const response = await fetch(address, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      Accept: 'application/json, text/event-stream',
      'MCP-Protocol-Version': MODERN,
      'Mcp-Method': method,
      ...name,
      ...BEARER,
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: META } }),
  });
  return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) };
}

describe('a client of the new library', () => {
  test('gets the same tools, prompts and resources as one of the old', async () => {
    const modern = await connectModern(url, BEARER);
    const { client: old } = await connectOverHttp(url, BEARER);
    expect(modern.getNegotiatedProtocolVersion()).toBe(MODERN);
    expect(modern.getInstructions()).toBe(old.getInstructions());
    expect((await modern.listTools()).tools).toEqual((await old.listTools()).tools);
    expect((await modern.listPrompts()).prompts).toEqual((await old.listPrompts()).prompts);
    const templates = async (client: typeof modern | typeof old) =>
      (await client.listResourceTemplates()).resourceTemplates;
    expect(await templates(modern)).toEqual(await templates(old));
    const uri = `dexops://endpoints/${await registered()}`;
    expect((await modern.readResource({ uri })).contents).toEqual((await old.readResource({ uri })).contents);
    await Promise.all([modern.close(), old.close()]);
  });

  test('finds both revisions by itself', async () => {
    const { Client } = await import('@modelcontextprotocol/client');
    const either = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } });
    const old = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'legacy' } });
    await connectModern(url, BEARER, either);
    await connectModern(url, BEARER, old);
    expect(either.getNegotiatedProtocolVersion()).toBe(MODERN);
    expect(old.getNegotiatedProtocolVersion()).toBe('2025-11-25');
    const hostname = await registered();
    for (const client of [either, old])
      expect((await callModern(client, 'get_endpoint', { hostname })).text).toContain(hostname);
    await Promise.all([either.close(), old.close()]);
  });

  test('sees toolsets, JSON and the read-only address as every client does', async () => {
    const all = await connectModern(`${url}?toolsets=all&structured=1`, BEARER);
    const names = (await all.listTools()).tools.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['list_audit', 'get_feedback_summary']));
    const hostname = await registered();
    expect((await callModern(all, 'get_endpoint', { hostname })).structuredContent).toMatchObject({
      endpoint: { hostname },
    });
    const reading = await connectModern(`${url}/read-only`, BEARER);
    expect((await reading.listTools()).tools.filter(({ annotations }) => !annotations?.readOnlyHint)).toEqual([]);
    const refused = await callModern(reading, 'deregister_endpoint', { hostname });
    expect(refused).toMatchObject({ isError: true, text: expect.stringContaining('this connection only reads') });
    await Promise.all([all.close(), reading.close()]);
  });

  test('gets the same answer of a call that reports how it goes on', async () => {
    const client = await connectModern(url, BEARER);
    const hostname = await registered();
    const seen: number[] = [];
    const run_id = /run (\w{26})/.exec((await callModern(client, 'scan_endpoint', { hostname })).text)?.[1];
    const onprogress = ({ progress }: { progress: number }) => void seen.push(progress);
    const { content } = await client.callTool(
      { name: 'get_run', arguments: { run_id, wait_seconds: 5 } },
      { onprogress },
    );
    expect(content).toEqual([expect.objectContaining({ text: expect.stringMatching(/The scan ended/) })]);
    expect(seen.toSorted((a, b) => a - b)).toEqual(seen);
    await client.close();
  });
});

describe('a question to the person', () => {
  test('comes in one answer and goes back with the call made again: a ticked yes carries it out', async () => {
    const hostname = await registered();
    const { client, questions } = modernClientThatAnswers({ action: 'accept', content: { confirm: true } });
    await connectModern(url, BEARER, client);
    const answer = await callModern(client, 'deregister_endpoint', { hostname });
    expect(answer.isError).toBeFalsy();
    expect(questions).toEqual([expect.stringContaining(hostname)]);
    expect(await isWatched(hostname)).toBe(false);
    await client.close();
  });

  test('is the same question as the old revisions put', async () => {
    const hostname = await registered();
    const old = clientThatAnswers({ action: 'cancel' });
    await connectOverHttp(url, BEARER, old.client);
    await callTool(old.client, 'deregister_endpoint', { hostname });
    const modern = modernClientThatAnswers({ action: 'cancel' });
    await connectModern(url, BEARER, modern.client);
    await callModern(modern.client, 'deregister_endpoint', { hostname });
    expect(modern.questions).toEqual(old.questions);
    await Promise.all([old.client.close(), modern.client.close()]);
  });

  test.each([
    ['declined', { action: 'decline' as const }, 'pending', /waits for approval/],
    ['cancelled', { action: 'cancel' as const }, 'pending', /waits for approval/],
    ['accepted with an empty form', { action: 'accept' as const }, 'pending', /waits for approval/],
    [
      'accepted with a word',
      { action: 'accept' as const, content: { confirm: 'true' } },
      'pending',
      /waits for approval/,
    ],
    ['unticked', { action: 'accept' as const, content: { confirm: false } }, 'denied', /the answer was no/],
  ])('that is %s changes nothing', async (_what, reply, status, says) => {
    const hostname = await registered();
    const { client, questions } = modernClientThatAnswers(reply);
    await connectModern(url, BEARER, client);
    const answer = await callModern(client, 'deregister_endpoint', { hostname });
    expect(answer).toMatchObject({ isError: true, text: expect.stringMatching(says) });
    expect(questions).toHaveLength(1);
    expect(await isWatched(hostname)).toBe(true);
    const { items } = await service.app.ports.store.approvals.list({ hostname }, { limit: 10, offset: 0 });
    expect(items.map((approval) => approval.status)).toEqual([status]);
    await client.close();
  });

  test('is not put to a client that cannot show it: people answer elsewhere', async () => {
    const hostname = await registered();
    const client = await connectModern(url, BEARER, modernClient());
    const answer = await callModern(client, 'deregister_endpoint', { hostname });
    expect(answer).toMatchObject({ isError: true, text: expect.stringMatching(/waits for approval by a person/) });
    expect(await isWatched(hostname)).toBe(true);
    await client.close();
  });

  const YES = { confirm: { action: 'accept', content: { confirm: true } } };
  const call = (hostname: string, more: object = {}) =>
    post('tools/call', { name: 'deregister_endpoint', arguments: { hostname }, ...more });

  test('that nobody put is not answered by a yes: it is put', async () => {
    const hostname = await registered();
    expect((await call(hostname, { inputResponses: YES })).body.result.resultType).toBe('input_required');
    expect((await call(hostname, { inputResponses: YES, requestState: 'made-up' })).body.error.code).toBe(-32602);
    expect(await isWatched(hostname)).toBe(true);
  });

  test('is answered for one call only, and once', async () => {
    const [one, other] = [await registered(), await registered()];
    const { requestState } = (await call(one)).body.result;
    expect((await call(other, { inputResponses: YES, requestState })).body.result.resultType).toBe('input_required');
    expect((await call(one, { inputResponses: YES, requestState })).body.result.isError).toBeFalsy();
    expect([await isWatched(one), await isWatched(other)]).toEqual([false, true]);
    await service.call('POST', '/api/v1/dex/endpoints', { hostname: one });
    expect((await call(one, { inputResponses: YES, requestState })).body.error.code).toBe(-32602);
    expect(await isWatched(one)).toBe(true);
  });
});

describe('on the wire', () => {
  test('discovery names the revision, and lists say how long they hold and for whom', async () => {
    const { body } = await post('server/discover', {});
    expect(body.result).toMatchObject({
      supportedVersions: [MODERN],
      capabilities: { resources: { subscribe: true, listChanged: true } },
      cacheScope: 'private',
    });
    for (const [method, ttlMs] of [
      ['tools/list', 300_000],
      ['prompts/list', 300_000],
      ['resources/list', 10_000],
    ] as const) {
      expect((await post(method, {})).body.result).toMatchObject({ ttlMs, cacheScope: 'private' });
    }
    expect((await post('resources/read', { uri: 'dexops://fleet' })).body.result).toMatchObject({ ttlMs: 10_000 });
  });

  test.each([
    ['no key', { Authorization: '' }, 401],
    ['a page of somebody else', { Origin: 'https://evil.example.com' }, 403],
    ['a header that names another method', { 'Mcp-Method': 'prompts/list' }, 400],
    ['a revision that does not exist', { 'MCP-Protocol-Version': '2031-01-01' }, 400],
  ])('%s is refused', async (_what, headers, status) => {
    expect((await post('tools/list', {}, headers)).status).toBe(status);
  });

  test('a browser may send the headers of the revision', async () => {
    const response = await fetch(url, { method: 'OPTIONS', headers: { Origin: 'https://tools.example.com' } });
    const allowed = response.headers.get('Access-Control-Allow-Headers');
    for (const header of ['Mcp-Method', 'Mcp-Name', 'MCP-Protocol-Version']) expect(allowed).toContain(header);
  });

  test('arguments that are null or JSON text are read as every client means them', async () => {
    const hostname = await registered();
    const { body } = await post('tools/call', { name: 'get_endpoint', arguments: JSON.stringify({ hostname }) });
    expect(body.result.content[0].text).toContain(hostname);
    expect((await post('tools/call', { name: 'get_fleet', arguments: null })).body.result.isError).toBeFalsy();
  });

  test('what does not exist is an error of the protocol, and the service goes on', async () => {
    expect((await post('tools/call', { name: 'no_tool', arguments: {} })).body.error).toMatchObject({
      code: -32602,
      message: expect.stringContaining('no tool named no_tool'),
    });
    expect((await post('resources/read', { uri: 'dexops://nothing' })).body.error.code).toBe(-32602);
    expect((await post('tools/list', { padding: 'x'.repeat(1024 * 1024) })).status).toBe(413);
    expect((await service.call('GET', '/health')).status).toBe(200);
  });
});

test('who subscribes hears of new machines, whichever interface added them', async () => {
  const client = await connectModern(url, BEARER);
  const heard: string[] = [];
  client.setNotificationHandler('notifications/resources/list_changed', () => void heard.push('list'));
  client.setNotificationHandler('notifications/resources/updated', ({ params }) => void heard.push(params.uri));
  const subscription = await client.listen({ resourcesListChanged: true, resourceSubscriptions: ['dexops://fleet'] });
  // The store is compared with how it was a second before.
  await new Promise((resolve) => setTimeout(resolve, 1200));
  await registered();
  await expect.poll(() => heard, { timeout: 5000 }).toEqual(expect.arrayContaining(['list', 'dexops://fleet']));
  await subscription.close();
  await client.close();
});
