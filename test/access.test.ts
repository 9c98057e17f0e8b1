/** Who gets through which door: every tool and every route, by every role, on every interface, made from the tools themselves. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Actor,
  INTERFACES,
  type Interface,
  KEY_HOLDERS,
  type KeyHolder,
  ROLES,
  type Role,
  STAFF_ROLES,
} from '../src/core/actor.ts';
import { leastRole, offers } from '../src/core/policy.ts';
import type { AnyTool } from '../src/core/tool.ts';
import { TOOLS } from '../src/core/tools/index.ts';
import { machines } from './helpers/machines.ts';
import { API_KEY, startTestService, type TestService } from './helpers/service.ts';

const RANK: Record<Role, number> = { employee: 0, viewer: 1, operator: 2, admin: 3 };
/** By holder and role. */
const keys: Record<KeyHolder, Partial<Record<Role, string>>> = { human: {}, agent: {} };
let service: TestService;

beforeAll(async () => {
  service = await startTestService({ WEBHOOK_SECRET: 'hook' }, { collector: machines(new Map()) });
  const terminal: Actor = { id: 'cli:test', name: 'test', kind: 'human', via: 'cli', role: 'admin' };
  for (const holder of KEY_HOLDERS) {
    for (const role of STAFF_ROLES) {
      const key = { name: `${holder}-${role}`, role, holder };
      keys[holder][role] = String((await service.app.invoke('create_api_key', key, terminal)).output.token);
    }
  }
});
afterAll(() => service.stop());

const mayCall = (tool: AnyTool, role: Role) => !tool.ownersOnly && RANK[role] >= RANK[leastRole(tool)];

/** Input that no tool takes, so that a call that gets past the role changes nothing. */
const NO_INPUT = { 'no such field': 1 };

/** What employees say for themselves, and questions to an agent (which acts with their role), need no more than being somebody. */
const OWN_VOICE = ['start_run', 'submit_feedback', 'answer_survey'];
/** What somebody may do with what is their own, beside reading it. */
const ON_ONES_OWN = [
  'scan_endpoint',
  'answer_fix_check',
  'offer_remedy',
  'answer_remedy',
  'set_remedy_messages',
  'set_monthly_report',
  'report_problem',
  'opt_out',
  'cancel_run',
  'rate_answer',
  'revoke_session',
  'pause_collection',
  'erase_machine_data',
];

describe('a viewer reads', () => {
  test('every tool that writes needs more than that, but for saying something for oneself', () => {
    const writers = TOOLS.filter(({ effect }) => effect !== 'read');
    expect(writers.length).toBeGreaterThan(5);
    expect(writers.filter((tool) => mayCall(tool, 'viewer')).map(({ name }) => name)).toEqual(OWN_VOICE);
    expect(writers.filter(({ ownerRole }) => ownerRole).map(({ name }) => name)).toEqual(ON_ONES_OWN);
  });
});

describe.each(INTERFACES)('through the interface %s', (via: Interface) => {
  test.each(ROLES)('the role %s meets exactly the tools that it may call', async (role) => {
    const human = via === 'rest' || via === 'slack' || via === 'cli';
    const actor: Actor = { id: `test:${role}`, name: role, kind: human ? 'human' : 'model', via, role };
    for (const tool of TOOLS) {
      const refusal = await service.app.invoke(tool.name, NO_INPUT, actor).then(
        () => 'nothing',
        (error: { kind: string }) => error.kind,
      );
      const hidden = tool.hiddenFrom?.includes(via) ?? false;
      // Over MCP a viewer's connection reads and nothing else.
      const isReadOfOwn =
        tool.effect === 'read' &&
        (tool.role === undefined || tool.ownerRole !== undefined) &&
        tool.subject !== undefined;
      const ownsIt = human && (ON_ONES_OWN.includes(tool.name) || isReadOfOwn);
      const may =
        (mayCall(tool, role) || ownsIt) && !(via === 'mcp' && RANK[role] < RANK.operator && tool.effect !== 'read');
      expect(refusal, tool.name).toBe(hidden ? 'not_found' : may ? 'invalid' : 'denied');
      // A person may be asked through an MCP client; behind other interfaces that are no human nobody stands.
      const forIt = human || via === 'mcp' || !tool.humansOnly;
      expect(offers(tool, actor), tool.name).toBe(!hidden && forIt && may);
    }
  });
});

const ROUTES = TOOLS.filter((tool) => tool.http && !tool.hiddenFrom?.includes('rest'));
const url = ({ http }: AnyTool) =>
  service.url + http!.path.replace(/:(\w+)/g, (_, field) => (field.endsWith('_id') ? '999999999' : 'nobody-has-it'));
const request = (tool: AnyTool, key: string | undefined) =>
  fetch(`${url(tool)}?${new URLSearchParams({ 'no such field': '1' })}`, {
    method: tool.http!.method,
    headers: key ? { 'X-API-Key': key } : {},
  });

test('REST has a route for most tools', () => expect(ROUTES.length).toBeGreaterThan(10));

describe.each(ROUTES.map((tool) => [`${tool.http!.method} ${tool.http!.path}`, tool] as const))('%s', (_, tool) => {
  test('refuses whoever shows no key, or a wrong one', async () => {
    expect((await request(tool, undefined)).status).toBe(401);
    expect((await request(tool, `${API_KEY}x`)).status).toBe(401);
    expect((await request(tool, 'dex_made-up')).status).toBe(401);
  });
  test.each(STAFF_ROLES)('answers the role %s by what it may do', async (role) => {
    // A person may own something, so their input is read; a program owns nothing.
    const owns = ON_ONES_OWN.includes(tool.name) || (tool.effect === 'read' && tool.ownerRole !== undefined);
    const person = mayCall(tool, role) || owns ? 400 : 403;
    expect((await request(tool, keys.human[role])).status).toBe(person);
    expect((await request(tool, keys.agent[role])).status).toBe(mayCall(tool, role) ? 400 : 403);
  });
  test('lets API_KEY in as an administrator', async () => {
    expect((await request(tool, API_KEY)).status).toBe(400);
  });
});

/** What other systems call, with credentials of their own; the tests of each say who gets in. */
const WITHOUT_TOOL = [
  'POST /api/v1/webhooks/alertmanager',
  'POST /api/v1/webhooks/tickets',
  'POST /api/v1/webhooks/fleet',
  'POST /agent/v1/enroll',
  'POST /api/v1/dex/agent/snapshot',
  'GET /health',
  'GET /metrics',
  'GET /changes',
];

test('every route of the description is one of these', async () => {
  const { paths } = (await (await fetch(`${service.url}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, unknown>>;
  };
  const described = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`),
  );
  const streams = ROUTES.filter(({ http }) => http!.events).map(({ http }) => `GET ${http!.path}/events`);
  const tools = ROUTES.map(({ http }) => `${http!.method} ${http!.path}`);
  expect(described.sort()).toEqual([...tools, ...streams, ...WITHOUT_TOOL].sort());
});

describe('MCP over HTTP', () => {
  const listed = async (key: string, path: string): Promise<string[]> => {
    const client = new Client({ name: 'test', version: '1' });
    const headers = { 'X-API-Key': key };
    await client.connect(
      new StreamableHTTPClientTransport(new URL(`${service.url}${path}?toolsets=all`), { requestInit: { headers } }),
    );
    const { tools } = await client.listTools();
    await client.close();
    return tools.map(({ name }) => name).sort();
  };
  const expected = (role: Role) =>
    TOOLS.filter((tool) => offers(tool, { kind: 'model', via: 'mcp', role }))
      .map(({ name }) => name)
      .sort();

  test.each(STAFF_ROLES)(
    'lists for the role %s what it may call, and on the read-only path what reads',
    async (role) => {
      expect(await listed(keys.agent[role]!, '/mcp')).toEqual(expected(role));
      const reading = TOOLS.filter(({ effect }) => effect === 'read').map(({ name }) => name);
      const readable = expected(role).filter((name) => reading.includes(name));
      expect(await listed(keys.agent[role]!, '/mcp/read-only')).toEqual(readable);
    },
  );
  test('hands out no keys, and the audit to administrators alone', () => {
    expect(expected('admin').filter((name) => /key|backup/.test(name))).toEqual([]);
    expect(expected('operator')).not.toContain('list_audit');
    expect(expected('viewer')).not.toContain('list_audit');
  });
  test('refuses whoever shows no key, or a wrong one', async () => {
    await expect(listed('', '/mcp')).rejects.toThrow();
    await expect(listed('wrong', '/mcp')).rejects.toThrow();
  });
});
