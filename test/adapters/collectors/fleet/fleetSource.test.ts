/** A fleet that Fleet knows becomes endpoints, scores and alerts; against a double at the network, not a real Fleet. */
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import {
  FLEET_TOKEN,
  type FleetServer,
  fleetHost,
  fleetPolicy,
  startFleetServer,
} from '../../../helpers/fleetServer.ts';
import { startTestService, type TestService } from '../../../helpers/service.ts';

const SECRET = 'the-secret-of-webhooks';

let dir: string;
let fleet: FleetServer;
let service: TestService;

beforeAll(async () => {
  vi.stubEnv('FLEET_TOKEN', FLEET_TOKEN);
  fleet = await startFleetServer();
  dir = await mkdtemp(join(tmpdir(), 'dexops-fleet-'));
  await cp(join(import.meta.dirname, '../../../../config'), join(dir, 'config'), { recursive: true });
  const source = `{ type: fleet, url: '${fleet.url}', token: FLEET_TOKEN, timeout_seconds: 1, leave_after_days: 0 }`;
  await writeFile(join(dir, 'config/sources.yaml'), `sources:\n  macs: ${source}\n`);
  service = await startTestService({
    CONFIG_DIR: join(dir, 'config'),
    DATABASE_URL: 'sqlite://:memory:',
    WEBHOOK_SECRET: SECRET,
  });
});
afterAll(async () => {
  await service.stop();
  await fleet.stop();
  await rm(dir, { recursive: true, force: true });
  vi.unstubAllEnvs();
});
beforeEach(() => {
  fleet.instead = null;
  fleet.asked.length = 0;
});

async function sync(body: object = {}) {
  const { status, body: answer } = await service.call('POST', '/api/v1/dex/sources/sync', body);
  return { status, report: answer.sources?.[0], message: answer.error?.message as string | undefined };
}
const machine = async (hostname: string) =>
  (await service.call('GET', `/api/v1/dex/endpoints/${hostname}`)).body.endpoint;
const readings = async (hostname: string) => {
  const { id } = await machine(hostname);
  return (await service.app.ports.store.snapshots.latest([id])).get(id)?.readings;
};
const alerts = async (hostname: string, status = 'open') =>
  (await service.call('GET', `/api/v1/dex/alerts?hostname=${hostname}&status=${status}`)).body.alerts;

test('hosts become endpoints with their owner, disk, battery, start and pending updates, and are scored', async () => {
  fleet.hosts = [
    fleetHost(1, 'Mac-1.local'),
    fleetHost(2, 'win-2', { platform: 'windows', last_restarted_at: '', percent_disk_space_available: 60 }),
    fleetHost(3, 'deb-3', { platform: 'debian', status: 'offline', seen_time: '2026-11-01T00:00:00Z' }),
    fleetHost(4, 'ipad-4', { platform: 'ipados' }),
    fleetHost(5, 'a name of two words', { computer_name: '' }),
    fleetHost(6, 'old-6', { detail_updated_at: '2026-01-01T00:00:00Z' }),
  ];
  fleet.batteries.set(1, [{ cycle_count: 812, health: 'Service recommended' }]);
  fleet.software.set(1, [
    { software_package: { version: '125.0.3' }, installed_versions: [{ version: '124.9' }, { version: '123' }] },
    { software_package: { version: '125.0.3' }, installed_versions: [{ version: '124.9' }, { version: '125.0.3' }] },
    { software_package: null, app_store_app: { version: '2.1' }, installed_versions: [{ version: '2.0.9' }] },
    { software_package: { version: '9' }, installed_versions: [] },
    'nonsense',
  ]);
  const { report } = await sync();
  expect(report).toMatchObject({ machines: 4, reachable: 3, registered: 4, passed_over: 2, problem: null });
  expect(report.notes.join('\n')).toMatch(/host\/4: it is no computer \(ipados\)\nhost\/5: its name .* is no hostname/);
  expect(await machine('mac-1.local')).toMatchObject({
    collector: 'fleet',
    os_platform: 'macos',
    owner_email: 'owner1@example.com',
    tags: { model: 'Apple Inc. MacBookPro18,3', os_version: 'macOS 15.1', team: 'Sales' },
    score: expect.any(Number),
  });
  expect(await readings('mac-1.local')).toMatchObject({
    diskPct: { items: [{ item: '/', value: 92 }] },
    diskFreeBytes: { items: [{ item: '/', value: 40e9 }] },
    batteryCycles: { items: [{ item: 'battery 1', value: 812 }] },
    batteryHealthPct: { missing: 'Fleet tells health in words: Service recommended' },
    bootedAt: { value: new Date('2026-11-20T08:00:00Z') },
    updatesPending: { value: 2 },
    cpuPct: { missing: 'Fleet does not measure it' },
  });
  const windows = await readings('win-2');
  expect(windows?.diskPct).toMatchObject({ items: [{ item: 'C:', value: 40 }] });
  expect(windows?.batteryCycles).toEqual({ missing: 'Fleet knows no battery of it' });
  expect(windows?.bootedAt).toMatchObject({ value: expect.any(Date) });
  expect(await machine('deb-3')).toMatchObject({ unreachable_reason: expect.stringContaining('last seen 2026-11-01') });
  expect((await readings('old-6'))?.diskPct).toMatchObject({ missing: expect.stringContaining('since 2026-01-01') });
});

test('what one host was asked is asked again only when Fleet refreshed it', async () => {
  await sync();
  expect(fleet.asked).toEqual(['/api/v1/fleet/hosts']);
  const [first] = fleet.hosts;
  if (first) first.detail_updated_at = new Date(Date.now() + 1000).toISOString();
  await sync();
  expect(fleet.asked.filter((path) => path.includes('/hosts/1'))).toHaveLength(2);
  expect(fleet.asked.filter((path) => path.includes('/hosts/2'))).toEqual([]);
});

test('a failing policy is one alert, however often it is read, and ends when the machine passes it', async () => {
  const first = fleet.hosts[0] as { policies?: unknown };
  const says = async (...policies: unknown[]) => {
    first.policies = policies;
    await sync();
    const open: { alert_name: string }[] = await alerts('mac-1.local');
    return open.filter(({ alert_name }) => alert_name.startsWith('Policy: '));
  };
  const raised = await says(fleetPolicy(7, 'Gatekeeper  enabled', 'fail', true), fleetPolicy(8, 'Firewall', ''));
  expect(raised).toMatchObject([{ alert_name: 'Policy: Gatekeeper enabled', severity: 'critical' }]);
  const again = await says(fleetPolicy(7, 'Gatekeeper  enabled', 'fail', true), fleetPolicy(8, 'Firewall', 'fail'));
  expect(again).toHaveLength(2);
  // No answer yet is neither good nor bad, and no list says nothing at all.
  expect(await says(fleetPolicy(7, 'Gatekeeper  enabled', ''), fleetPolicy(8, 'Firewall', 'fail'))).toHaveLength(2);
  first.policies = null;
  await sync();
  expect(
    await says('nonsense', fleetPolicy(7, 'Gatekeeper  enabled', 'pass'), fleetPolicy(8, 'Fire wall', 'fail')),
  ).toMatchObject([{ alert_name: 'Policy: Fire wall', severity: 'warning' }]);
  expect(await says()).toEqual([]);
  const ended: { alert_name: string; resolution: string }[] = await alerts('mac-1.local', 'resolved');
  expect(ended.filter(({ alert_name }) => alert_name === 'Policy: Gatekeeper enabled')).toMatchObject([
    { resolution: 'source' },
  ]);
});

test('a webhook raises the same alert as the next reading, and what only webhooks raise ends with one', async () => {
  const send = (body: unknown, login = `Basic ${btoa(`fleet:${SECRET}`)}`) =>
    service.call('POST', '/api/v1/webhooks/fleet', body, { Authorization: login, 'X-API-Key': '' });
  const names = async () =>
    (await alerts('mac-1.local')).map(({ alert_name }: { alert_name: string }) => alert_name).sort();
  const before = await names();
  const hosts = [
    { id: 1, hostname: 'Mac-1.local', url: 'https://fleet.example.com/hosts/1' },
    { id: 99, hostname: 'stranger' },
  ];
  const policy = { id: 12, name: 'FileVault', critical: true, resolution: null, passing_host_count: 3 };
  expect(await send({ timestamp: 'now', policy, hosts })).toMatchObject({
    status: 200,
    body: { received: 2, created: 1, ignored: [{ host: 'stranger', reason: expect.stringContaining('no source') }] },
  });
  expect((await send({ policy, hosts })).body).toMatchObject({ created: 0, unchanged: 1 });
  const vulnerability = { cve: 'CVE-2026-12345', details_link: 'https://nvd.nist.gov/x', hosts_affected: hosts };
  expect((await send({ vulnerability })).body).toMatchObject({ created: 1 });
  const data = { unseen_hosts: 1, total_hosts: 4, days_unseen: 3, host_ids: [3] };
  expect((await send({ text: 'More than 10 % …', data })).body).toMatchObject({ received: 1, created: 1 });
  fleet.vulnerable.set('CVE-2026-12345', [1]);
  const [first] = fleet.hosts as { policies?: unknown }[];
  if (first) first.policies = [fleetPolicy(12, 'FileVault', 'fail', true)];
  await sync();
  expect(await names()).toEqual([...before, 'Policy: FileVault', 'Vulnerability: CVE-2026-12345'].sort());
  // Fleet cannot say which machines have it: nothing ends.
  fleet.vulnerable.clear();
  fleet.failing = /vulnerability=/;
  await sync();
  expect(await names()).toContain('Vulnerability: CVE-2026-12345');
  expect((await alerts('deb-3')).map(({ alert_name }: { alert_name: string }) => alert_name)).toContain(
    'Not seen by Fleet',
  );
  fleet.failing = null;
  if (first) first.policies = [fleetPolicy(12, 'FileVault', 'pass', true)];
  const offline = fleet.hosts.find(({ id }) => id === 3);
  if (offline) offline.status = 'online';
  await sync();
  expect(await names()).toEqual(before);
  expect((await alerts('deb-3')).map(({ alert_name }: { alert_name: string }) => alert_name)).not.toContain(
    'Not seen by Fleet',
  );

  for (const login of [`Basic ${btoa('fleet:wrong')}`, `Basic ${btoa(SECRET)}`, 'Basic nonsense', ''])
    expect((await send({ policy, hosts }, login)).status).toBe(401);
  for (const body of [
    {},
    { policy },
    { vulnerability: { cve: 'x', hosts_affected: [] } },
    { data: { days_unseen: 3 } },
    { policy: 7, hosts },
  ])
    expect((await send(body)).status).toBe(400);
});

test.each<[string, FleetServer['instead'], RegExp]>([
  [
    'answers HTML',
    (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
    /is this Fleet\?/,
  ],
  [
    'breaks off',
    (_, response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"hosts":['),
    /broken off/,
  ],
  [
    'lists no hosts',
    (_, response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'),
    /no list of hosts/,
  ],
  [
    'has none',
    (_, response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"hosts":[]}'),
    /lists no host/,
  ],
  [
    'refuses the token',
    (_, response) => response.writeHead(401, { 'content-type': 'application/json' }).end('{}'),
    /refuses the login \(HTTP 401\)/,
  ],
  [
    'fails',
    (_, response) =>
      response.writeHead(500, { 'content-type': 'application/json' }).end('{"message":"database is down"}'),
    /HTTP 500: database is down/,
  ],
  ['never answers', () => {}, /no answer in time|Timeout/i],
])('a Fleet that %s changes nothing', async (_, instead, reason) => {
  fleet.instead = instead;
  const failed = await sync();
  expect(failed).toMatchObject({ status: 503, message: expect.stringMatching(reason) });
  expect((await service.call('GET', '/api/v1/dex/endpoints')).body.total).toBe(4);
});

test('a machine that cannot be asked by itself lacks those signals only', async () => {
  const [first] = fleet.hosts;
  if (first) first.detail_updated_at = new Date(Date.now() + 2000).toISOString();
  const software = fleet.software.get(1) ?? [];
  // The double answers software that is no list with what is no list either.
  fleet.software.set(1, { slice: () => 'nonsense', length: 0 } as unknown as unknown[]);
  await sync();
  expect(await readings('mac-1.local')).toMatchObject({
    diskPct: { items: [{ value: 92 }] },
    batteryCycles: { items: [{ value: 812 }] },
    updatesPending: { missing: expect.stringContaining('no software of host 1') },
  });
  fleet.software.set(1, software);
  await sync();
  expect((await readings('mac-1.local'))?.updatesPending).toEqual({ value: 2 });
});

test('a Fleet that suddenly lists half of its machines loses none of them, until a person says so', async () => {
  fleet.hosts = fleet.hosts.slice(0, 2);
  const lost = await sync();
  expect(lost.report).toMatchObject({ deregistered: 0, notes: [expect.stringContaining('lists 2 of 4')] });
  expect((await service.call('GET', '/api/v1/dex/endpoints')).body.total).toBe(4);
  expect((await sync({ accept_loss: true })).report).toMatchObject({ deregistered: 2 });
});
