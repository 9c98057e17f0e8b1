/**
 * A role that holds for a part of the fleet, by every tool on every interface: what lies outside is as if it did not exist. One
 * service has machines inside and outside the team's selection; its twin has those inside alone, and has to answer the same.
 */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Actor, Grant } from '../../../src/core/actor.ts';
import { dataScopeOf, offers, scopeOf } from '../../../src/core/policy.ts';
import type { AnyTool } from '../../../src/core/tool.ts';
import { TOOLS } from '../../../src/core/tools/index.ts';
import { machines, WELL } from '../../helpers/machines.ts';
import { startTestService, type TestService } from '../../helpers/service.ts';

const SELECTION = 'dept=engineering';
const AT = new Date('2026-03-02T09:00:00Z');
const VIAS = ['rest', 'mcp', 'slack', 'cli'] as const;
type Via = (typeof VIAS)[number];

/** What a thing of each kind is called: inside the selection, outside it, and where there is none. */
type Place = 'inside' | 'outside' | 'unknown';
interface Things {
  hostname: string;
  alert_id: number;
  run_id: string;
  approval_id: string;
  remediation_id: string;
}

let service: TestService;
let twin: TestService;
const things = {} as Record<Place, Things>;
const keys: { team: string; twin: string } = { team: '', twin: '' };
let client: Client;
let twinClient: Client;
let cases = 0;

const terminal: Actor = { id: 'cli:test', name: 'test', kind: 'human', via: 'cli', role: 'admin' };
const model: Actor = { id: 'key:planner', name: 'a model', kind: 'model', via: 'mcp', role: 'operator' };
const grants: Grant[] = [{ role: 'admin', within: [{ dept: 'engineering' }] }];

async function seed(place: TestService, hostname: string, dept: string): Promise<Things> {
  const { app, finished } = place;
  await app.invoke(
    'register_endpoint',
    {
      hostname,
      owner_email: `${hostname}@example.com`,
      tags: { dept },
      ip_address: dept === 'finance' ? '10.9.9.9' : '10.0.0.1',
    },
    terminal,
  );
  const run = String((await app.invoke('scan_endpoint', { hostname }, terminal)).output.run_id);
  await finished(run);
  const { output } = await app.invoke('list_alerts', { hostname }, terminal);
  const [alert] = output.alerts as { id: number; alert_name: string }[];
  const endpoint = await app.ports.store.endpoints.get(hostname);
  const asked = await app
    .invoke('deregister_endpoint', { hostname }, model)
    .catch((error: { details: { approval_id: string } }) => error.details);
  const remediationId = app.ports.ids.next();
  await app.ports.store.remediations.add({
    id: remediationId,
    alertId: alert!.id,
    alertName: alert!.alert_name,
    endpointId: endpoint!.id,
    hostname,
    action: 'ansible',
    playbook: 'cleanup_disk',
    variables: {},
    dryRun: false,
    status: 'waiting_approval',
    reason: null,
    approvalId: null,
    requestedBy: 'key:other',
    createdAt: AT,
    startedAt: null,
    beganAt: null,
    finishedAt: null,
    playedAt: null,
    verifyBy: null,
    cancelledBy: null,
    ownerSaysFixed: null,
  } as Parameters<typeof app.ports.store.remediations.add>[0]);
  return {
    hostname,
    alert_id: alert!.id,
    run_id: run,
    approval_id: (asked as { approval_id: string }).approval_id,
    remediation_id: remediationId,
  };
}

beforeAll(async () => {
  const full = (mount: string) => ({ ...WELL, diskPct: 97, diskMount: mount });
  const collector = machines(
    new Map([
      ['eng-01', full('/')],
      ['fin-01', full('/secret')],
    ]),
  );
  const overrides = { collector, healing: null, clock: { now: () => AT } };
  [service, twin] = await Promise.all([startTestService({}, overrides), startTestService({}, overrides)]);
  things.inside = await seed(service, 'eng-01', 'engineering');
  await seed(twin, 'eng-01', 'engineering');
  things.outside = await seed(service, 'fin-01', 'finance');
  await seed(service, 'fin-02', 'finance').catch(() => null);
  const none = '01JD3X8T5M7V2N4K6P8Q0R1S2T';
  things.unknown = { hostname: 'nix-01', alert_id: 999_999, run_id: none, approval_id: none, remediation_id: none };
  const key = { name: 'team', role: 'admin', holder: 'human' };
  keys.team = String(
    (await service.app.invoke('create_api_key', { ...key, selection: SELECTION }, terminal)).output.token,
  );
  keys.twin = String((await twin.app.invoke('create_api_key', key, terminal)).output.token);
  [client, twinClient] = await Promise.all([connect(service, keys.team), connect(twin, keys.twin)]);
});
afterAll(async () => {
  await Promise.all([client?.close(), twinClient?.close()]);
  await Promise.all([service?.stop(), twin?.stop()]);
  process.stdout.write(`teams: ${cases} calls compared (${TOOLS.length} tools, ${VIAS.length} interfaces)\n`);
});

async function connect(to: TestService, key: string): Promise<Client> {
  const connected = new Client({ name: 'test', version: '1' });
  const url = new URL(`${to.url}/mcp?toolsets=all`);
  await connected.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers: { 'X-API-Key': key } } }));
  return connected;
}

/** All that a caller gets for a call, as text. */
async function call(
  tool: AnyTool,
  input: Record<string, unknown>,
  via: Via,
  whose: 'team' | 'twin' = 'team',
): Promise<string> {
  cases += 1;
  const place = whose === 'team' ? service : twin;
  if (via === 'mcp') {
    const answer = await (whose === 'team' ? client : twinClient)
      .callTool({ name: tool.name, arguments: input })
      .catch((error: Error) => error.message);
    return JSON.stringify(answer);
  }
  if (via === 'rest' && tool.http) {
    const rest = { ...input };
    const path = tool.http.path.replace(/:(\w+)/g, (_, field: string) => {
      const value = rest[field];
      delete rest[field];
      return encodeURIComponent(String(value));
    });
    const query =
      tool.http.method === 'GET' && Object.keys(rest).length > 0
        ? `?${new URLSearchParams(rest as Record<string, string>)}`
        : '';
    const body = tool.http.method === 'GET' ? undefined : rest;
    const answer = await place.call(tool.http.method, path + query, body, { 'X-API-Key': keys[whose] });
    delete answer.body?.error?.request_id;
    return JSON.stringify(answer);
  }
  const actor: Actor = {
    id: 'key:team',
    name: 'the team',
    kind: 'human',
    via,
    role: 'admin',
    ...(whose === 'team' && { grants }),
  };
  return place.app.invoke(tool.name, input, actor).then(
    ({ output, text, page, related, followUp }) => JSON.stringify({ output, text, page, related, followUp }),
    (error: { kind?: string; message: string; details?: unknown }) =>
      JSON.stringify({ kind: error.kind ?? 'bug', message: error.message, details: error.details }),
  );
}

/** What fields need that name no thing. */
const FILLED: Record<string, unknown> = {
  goal: 'how is it?',
  comment: 'slow',
  category: 'performance',
  hours: 1,
  decision: 'deny',
  helped: true,
  doc_id: 'x',
  fixed: true,
  value: 'other-name',
  persona: 'tech',
  metric: 'disk_pct',
  alias: 'other-name',
  query: 'disk',
  rating: 3,
  reason: 'why',
};
const NAMED = ['hostname', 'alert_id', 'alert_ids', 'run_id', 'approval_id', 'remediation_id'] as const;

/** One input for each field by which a tool can be given a thing. */
function inputs(tool: AnyTool, place: Place): Record<string, unknown>[] {
  const shape = tool.input.shape as Record<string, { safeParse(value: unknown): { success: boolean } }>;
  const required = Object.keys(shape).filter((field) => !shape[field]!.safeParse(undefined).success);
  const value = (field: string) =>
    field === 'alert_ids' ? [things[place].alert_id] : (things[place][field as keyof Things] ?? FILLED[field]);
  const base = Object.fromEntries(required.map((field) => [field, value(field)]));
  return NAMED.filter((field) => field in shape).map((field) => ({ ...base, [field]: value(field) }));
}

/** The names of a thing are the caller's own words; everything else has to be the same. */
function withoutNames(text: string, place: Place): string {
  return Object.entries(things[place]).reduce(
    (rest, [kind, name]) =>
      rest.replaceAll(
        new RegExp(`\\b${name}\\b`, 'g'),
        kind === 'run_id' || (/_id/.test(kind) && kind !== 'alert_id') ? 'ID' : kind,
      ),
    text,
  );
}

const ULID = /01[0-9A-HJKMNP-TV-Z]{24}/g;
const NOT_THERE = /No endpoint named|There is no (alert|run|approval|remediation)/;
const OUTSIDE = /fin-0|finance|10\.9\.9\.9|secret/;
const BY_SELECTION = TOOLS.filter(({ reach }) => reach === 'selection');
const offered = (tool: AnyTool, via: Via) =>
  !tool.hiddenFrom?.includes(via) &&
  (via !== 'mcp' || offers(tool, { kind: 'model', via, role: 'admin', grants })) &&
  (via !== 'rest' || tool.http !== undefined);
const pairs = VIAS.flatMap((via) =>
  BY_SELECTION.filter((tool) => offered(tool, via)).map((tool) => [via, tool.name, tool] as const),
);

test('every tool says for whom it is whose role holds for a part of the fleet', () => {
  expect(
    TOOLS.filter(({ reach }) => !['selection', 'fleet', 'shared'].includes(reach)).map(({ name }) => name),
  ).toEqual([]);
  expect(pairs.length).toBeGreaterThan(100);
});

function isGivenThings(tool: AnyTool): boolean {
  return NAMED.some((field) => field in tool.input.shape);
}

describe('lists, counts and sums', () => {
  const reads = pairs.filter(([, , tool]) => tool.effect === 'read' && tool.input.safeParse({}).success);
  test.each(reads)('by %s, %s answers as if there were nothing else', async (via, name, tool) => {
    const [mine, twins] = [await call(tool, {}, via), await call(tool, {}, via, 'twin')].map((text) =>
      text.replace(ULID, 'ID'),
    );
    expect(mine).not.toMatch(OUTSIDE);
    if (name !== 'list_audit') expect(mine).toBe(twins);
    else expect(mine!.length).toBeGreaterThan(50);
  });
});

describe('what lies outside the selection', () => {
  test.each(pairs.filter(([, , tool]) => isGivenThings(tool)))(
    'by %s, %s answers as of what there is not',
    async (via, _name, tool) => {
      const [outside, unknown] = [inputs(tool, 'outside'), inputs(tool, 'unknown')];
      for (const [at, input] of outside.entries()) {
        const given = withoutNames(await call(tool, input, via), 'outside');
        expect(given).toBe(withoutNames(await call(tool, unknown[at]!, via), 'unknown'));
        expect(given).not.toMatch(OUTSIDE);
      }
    },
  );
  test('is as it was', async () => {
    const { store } = service.app.ports;
    expect((await store.endpoints.get('fin-01'))?.deregisteredAt).toBeNull();
    expect(await store.alerts.get(things.outside.alert_id)).toMatchObject({ status: 'active', updatedAt: AT });
    expect(await store.approvals.get(things.outside.approval_id)).toMatchObject({ status: 'pending', answers: [] });
    expect(await store.remediations.get(things.outside.remediation_id)).toMatchObject({
      status: 'waiting_approval',
      ownerSaysFixed: null,
    });
  });
});

describe('what is inside the selection', () => {
  test.each(pairs.filter(([, , tool]) => tool.effect === 'read' && isGivenThings(tool)))(
    'by %s, %s shows it',
    async (via, _name, tool) => {
      for (const input of inputs(tool, 'inside')) expect(await call(tool, input, via)).not.toMatch(NOT_THERE);
    },
  );
  test.each(
    BY_SELECTION.filter(
      (tool) =>
        tool.effect !== 'read' && isGivenThings(tool) && !['deregister_endpoint', 'rate_runbook'].includes(tool.name),
    ).map((tool) => [tool.name, tool] as const),
  )('%s reaches it', async (_, tool) => {
    for (const input of inputs(tool, 'inside')) expect(await call(tool, input, 'cli')).not.toMatch(NOT_THERE);
  });
});

describe('what is about the whole fleet', () => {
  test.each(TOOLS.filter(({ reach }) => reach === 'fleet').map((tool) => [tool.name, tool] as const))(
    '%s is not for a team',
    async (_, tool) => {
      for (const via of VIAS) {
        if (tool.hiddenFrom?.includes(via)) continue;
        const scope = scopeOf(tool, { kind: 'human', via, role: 'admin', grants });
        expect(['own', 'nothing']).toContain(scope);
        const answer = JSON.parse(await call(tool, inputs(tool, 'inside')[0] ?? {}, 'cli'));
        // What people have of their own, as their sessions, is theirs in a team too; this one has none.
        if (scope === 'own' && answer.kind === undefined) expect(answer.output).toEqual({ sessions: [] });
        else expect(answer.kind).toMatch(/denied|not_found|invalid/);
      }
    },
  );
});

test('roles for several parts: each counts where it holds, and a tool meets the least of those that let it be called', () => {
  const named = (name: string) => TOOLS.find((tool) => tool.name === name)!;
  const mixed: Actor = {
    ...terminal,
    grants: [
      { role: 'operator', within: [{ dept: 'a' }] },
      { role: 'viewer', within: [{ dept: 'b' }] },
    ],
  };
  expect(dataScopeOf(named('list_alerts'), mixed)?.selection).toEqual([{ dept: 'a' }, { dept: 'b' }]);
  expect(dataScopeOf(named('resolve_alert'), mixed)?.selection).toEqual([{ dept: 'a' }]);
  const wide: Actor = {
    ...terminal,
    grants: [
      { role: 'operator', within: [{ dept: 'a' }] },
      { role: 'viewer', within: null },
    ],
  };
  expect(dataScopeOf(named('list_alerts'), wide)).toBeNull();
  expect(dataScopeOf(named('resolve_alert'), wide)?.selection).toEqual([{ dept: 'a' }]);
  expect(scopeOf(named('create_backup'), wide)).toBe('nothing');
  expect(scopeOf(named('list_alerts'), { ...terminal, grants: [] })).toBe('own');
});
