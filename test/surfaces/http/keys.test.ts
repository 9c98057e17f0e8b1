/** API keys through their life, the audit and its exports, and the limit on requests. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Actor } from '../../../src/core/actor.ts';
import { testClock } from '../../helpers/clock.ts';
import { machines } from '../../helpers/machines.ts';
import { API_KEY, startTestService, type TestService } from '../../helpers/service.ts';

const clock = testClock();
let service: TestService;
beforeAll(async () => {
  service = await startTestService({ API_RATE_LIMIT_PER_MINUTE: '60' }, { collector: machines(new Map()), clock });
});
afterAll(() => service.stop());

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(service.url + path, { headers: { 'X-API-Key': API_KEY, ...headers } });
const keyNamed = async (name: string) =>
  (await service.call('GET', '/api/v1/keys')).body.api_keys.find((key: { name: string }) => key.name === name);

describe('a key', () => {
  test('is shown once, notes its use by the minute, and is refused once revoked', async () => {
    const { status, body } = await service.call('POST', '/api/v1/keys', { name: 'Grafana', role: 'viewer' });
    expect(status).toBe(201);
    expect(body).toMatchObject({ api_key: { name: 'grafana', role: 'viewer', last_used_at: null }, token: /^dex_/ });
    expect(JSON.stringify((await service.call('GET', '/api/v1/keys')).body)).not.toContain(body.token);

    const headers = { 'X-API-Key': body.token };
    expect((await get('/api/v1/dex/fleet', headers)).status).toBe(200);
    const firstUse = clock.now().toISOString();
    expect(await keyNamed('grafana')).toMatchObject({ last_used_at: firstUse });
    clock.advance(59_000);
    await get('/api/v1/dex/fleet', headers);
    expect(await keyNamed('grafana')).toMatchObject({ last_used_at: firstUse });
    clock.advance(1000);
    await get('/api/v1/dex/fleet', headers);
    expect(await keyNamed('grafana')).toMatchObject({ last_used_at: clock.now().toISOString() });

    expect((await service.call('DELETE', '/api/v1/keys/grafana')).status).toBe(200);
    expect((await get('/api/v1/dex/fleet', headers)).status).toBe(401);
    expect((await service.call('DELETE', '/api/v1/keys/grafana')).status).toBe(404);
  });

  test('needs a name that no valid key has, which is not that of API_KEY in the audit', async () => {
    expect((await service.call('POST', '/api/v1/keys', { name: 'twice' })).status).toBe(201);
    expect((await service.call('POST', '/api/v1/keys', { name: 'twice' })).status).toBe(409);
    await service.call('DELETE', '/api/v1/keys/twice');
    expect((await service.call('POST', '/api/v1/keys', { name: 'twice' })).status).toBe(201);
    expect((await service.call('POST', '/api/v1/keys', { name: 'api_key' })).status).toBe(422);
    expect((await service.call('POST', '/api/v1/keys', { name: '=cmd' })).status).toBe(400);
  });
});

describe('the audit', () => {
  test('names the key behind every write, refusals too, and filters', async () => {
    const { token } = (await service.call('POST', '/api/v1/keys', { name: 'auditor' })).body;
    const headers = { 'X-API-Key': token };
    expect((await service.call('POST', '/api/v1/dex/endpoints', { hostname: 'pc-1' }, headers)).status).toBe(403);
    const { body } = await service.call('GET', '/api/v1/audit?actor=key:auditor');
    expect(body.total).toBe(1);
    expect(body.audit[0]).toMatchObject({
      tool: 'register_endpoint',
      via: 'rest',
      role: 'viewer',
      subject: 'pc-1',
      outcome: 'denied',
      error: expect.stringContaining('needs the role operator'),
    });
    expect((await service.call('GET', '/api/v1/audit?outcome=denied')).body.total).toBe(1);
    expect((await service.call('GET', '/api/v1/audit?since=2030-01-01T00:00:00Z')).body.total).toBe(0);
  });

  test('is exported as JSON lines and as CSV in which nothing is a formula', async () => {
    const lines = await get('/api/v1/audit?limit=2', { Accept: 'application/x-ndjson' });
    expect(lines.headers.get('content-type')).toContain('application/x-ndjson');
    const entries = (await lines.text()).trimEnd().split('\n');
    expect(entries.map((line) => JSON.parse(line).tool)).toEqual(['register_endpoint', 'create_api_key']);

    const csv = await (await get('/api/v1/audit', { Accept: 'text/csv' })).text();
    const [header, ...rows] = csv.trimEnd().split('\r\n');
    expect(header).toMatch(/^id,at,actor,/);
    expect(rows.length).toBeGreaterThan(4);
    expect(csv).toContain('key:auditor');
    expect(await (await get('/api/v1/audit', { Accept: '*/*' })).json()).toHaveProperty('audit');
  });
});

test('more requests with one key than allowed are sent away for a while; other keys and open pages are not', async () => {
  const { token } = (await service.call('POST', '/api/v1/keys', { name: 'hasty' })).body;
  const { token: other } = (await service.call('POST', '/api/v1/keys', { name: 'calm' })).body;
  const fleet = (key: string) => get('/api/v1/dex/fleet', { 'X-API-Key': key });
  const statuses = await Promise.all(Array.from({ length: 61 }, async () => (await fleet(token)).status));
  expect(statuses.filter((status) => status === 429)).toHaveLength(1);
  const refused = await fleet(token);
  expect(refused.status).toBe(429);
  expect(refused.headers.get('retry-after')).toBe('1');
  expect((await fleet(other)).status).toBe(200);
  for (let i = 0; i < 70; i++) expect((await fetch(`${service.url}/health`)).status).toBe(200);
  clock.advance(1000);
  expect((await fleet(token)).status).toBe(200);
});

describe('who holds a key', () => {
  const TERMINAL: Actor = { id: 'cli:root', name: 'root', kind: 'human', via: 'cli', role: 'admin' };
  const keyOf = async (name: string, holder: string) => {
    const { output } = await service.app.invoke('create_api_key', { name, role: 'admin', holder }, TERMINAL);
    return { 'X-API-Key': String(output.token) };
  };
  /** An assistant asks over MCP; returns the approval it waits for. */
  const ask = async (hostname: string, id: string) => {
    await service.call('POST', '/api/v1/dex/endpoints', { hostname });
    const assistant: Actor = { id, name: 'an assistant', kind: 'model', via: 'mcp', role: 'admin' };
    const refusal = await service.app.invoke('deregister_endpoint', { hostname }, assistant).catch((error) => error);
    return refusal.details.approval_id as string;
  };
  const approve = (id: string, headers: Record<string, string>) =>
    service.call('POST', `/api/v1/approvals/${id}/decide`, { decision: 'approve' }, headers);

  test('decides whether it may say yes to a model, and never to itself', async () => {
    const [agent, ann, bob] = [await keyOf('agent', 'agent'), await keyOf('ann', 'human'), await keyOf('bob', 'human')];
    const id = await ask('pc-held', 'key:ann');
    expect((await approve(id, agent)).body.error.message).toMatch(/people only/);
    expect((await approve(id, { 'X-API-Key': API_KEY })).body.error.message).toMatch(
      /not marked as held by a human.*in Slack or in a terminal.*--holder human/,
    );
    expect((await approve(id, ann)).body.error.message).toMatch(/the very key/);
    expect((await service.call('GET', `/api/v1/approvals/${id}`)).body.approval).toMatchObject({
      status: 'pending',
      answers: [],
    });
    expect(await approve(id, bob)).toMatchObject({ status: 200, body: { approval: { status: 'approved' } } });
  });

  test('an agent asks over REST as it does over MCP, and a single key may refuse', async () => {
    const agent = await keyOf('rest-agent', 'agent');
    await service.call('POST', '/api/v1/dex/endpoints', { hostname: 'pc-kept' });
    const asked = await service.call('DELETE', '/api/v1/dex/endpoints/pc-kept', undefined, agent);
    expect(asked).toMatchObject({ status: 403, body: { error: { details: { status: 'pending' } } } });
    const path = `/api/v1/approvals/${asked.body.error.details.approval_id}/decide`;
    expect(await service.call('POST', path, { decision: 'deny' })).toMatchObject({ status: 200 });
    expect((await service.call('GET', '/api/v1/dex/endpoints/pc-kept')).status).toBe(200);
  });

  test('is agent unless said, and human only from a terminal or by a human', async () => {
    const make = (name: string, holder: string, headers = {}) =>
      service.call('POST', '/api/v1/keys', { name, role: 'admin', holder }, headers);
    expect((await service.call('POST', '/api/v1/keys', { name: 'plain' })).body.api_key.holder).toBe('agent');
    expect((await make('self-made', 'human')).body.error.message).toMatch(/made in a terminal/);
    expect((await make('self-made', 'human', await keyOf('admin-agent', 'agent'))).status).toBe(403);
    expect((await make('by-ann', 'human', await keyOf('ann-2', 'human'))).status).toBe(201);
  });
});
