/** “Who is the alert about?”: deliveries of the field, and whose alert each of theirs becomes in a running service. */
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { runningClock } from '../helpers/clock.ts';
import { alert, delivery, WEBHOOK_SECRET } from '../helpers/deliveries.ts';
import { startTestService, type TestService } from '../helpers/service.ts';
import type { Case, Outcome } from './case.ts';
import { PAGES } from './scanPage.ts';

const DELIVERIES = join(import.meta.dirname, '../fixtures/cases/alertmanager');
const DEX = '/api/v1/dex';
const NOW = new Date('2026-11-27T17:00:00Z');
const ENDPOINTS = [
  { hostname: 'LAB-PC-07', ip_address: '10.20.0.7' },
  { hostname: 'lab-pc-08.corp.example.net' },
  { hostname: 'v6-a', ip_address: '2001:DB8:0:0::A' },
  { hostname: 'v6-b', ip_address: '2001:db8::b' },
  { hostname: 'SALES_PC_01', ip_address: '10.20.0.31' },
  { hostname: 'twin.a.example.net' },
  { hostname: 'twin.b.example.net' },
  ...['dup-1', 'dup-2', 'dup-3'].map((hostname) => ({ hostname, ip_address: '10.20.0.99' })),
];

/** One service for all of them, started by the first. */
let started: Promise<TestService> | null = null;

export async function stopCaseService(): Promise<void> {
  const service = await started;
  started = null;
  await service?.stop();
}

function running(): Promise<TestService> {
  started ??= (async () => {
    const service = await startTestService({ WEBHOOK_SECRET }, { clock: runningClock(NOW), healing: null });
    for (const endpoint of ENDPOINTS) {
      const { status, body } = await service.call('POST', `${DEX}/endpoints`, { ...endpoint, collector: 'push' });
      if (status !== 201) throw new Error(`${endpoint.hostname} was not registered: ${JSON.stringify(body)}`);
    }
    return service;
  })();
  return started;
}

/** What becomes of these deliveries, one after the other: `name → machine` for what is open, the rest with its reason. */
async function seenOf(deliveries: readonly unknown[]): Promise<string[]> {
  const service = await running();
  const seen: string[] = [];
  const before = (await service.call('GET', `${DEX}/alerts?status=all&limit=1000`)).body.alerts;
  for (const each of deliveries) {
    const headers = { 'X-API-Key': '', Authorization: `Bearer ${WEBHOOK_SECRET}` };
    const { status, body } = await service.call('POST', '/api/v1/webhooks/alertmanager', each, headers);
    if (status !== 200) return [`refused with ${status}: ${body?.error?.message}`];
    for (const { alertname, reason } of body.ignored) seen.push(`${alertname}: ${reason}`);
    if (body.truncated) seen.push(`${body.truncated} truncated`);
  }
  const known = new Map(before.map((one: { id: number; status: string }) => [one.id, one.status]));
  for (const { id, status, alert_name, hostname } of (await service.call('GET', `${DEX}/alerts?status=all&limit=1000`))
    .body.alerts) {
    if (known.get(id) !== status) seen.push(`${alert_name} ${status === 'resolved' ? 'ended on' : '→'} ${hostname}`);
  }
  return seen.sort();
}

const fileOf = (name: string): unknown => JSON.parse(readFileSync(join(DELIVERIES, `${name}.json`), 'utf8'));
const about = (name: string, instance: string, labels = {}) => alert({ name, labels: { instance, ...labels } });

/** A line of the field notes, what is given, the deliveries, and what is seen when it is right. */
const ROWS: [quote: string, given: string, deliveries: () => unknown[], right: string[]][] = [
  [
    'case, trailing dot, port, URL, RFC 5952 for IPv6; short name = FQDN when exactly one endpoint fits',
    'hosts',
    () => [fileOf('hosts')],
    [
      'DotAndPort → lab-pc-08.corp.example.net',
      'FqdnForShort → lab-pc-07',
      'ShortForFqdn → lab-pc-08.corp.example.net',
      'Upper → lab-pc-07',
      'V6Long → v6-b',
      'V6Short → v6-a',
      'V6Upper → v6-b',
    ],
  ],
  [
    'three endpoints share one address: said in the answer',
    'dup',
    () => [fileOf('dup')],
    ['ByAddress: 10.20.0.99 fits several endpoints: dup-1, dup-2, dup-3.'],
  ],
  [
    '`DatasourceNoData` of two rules are two alerts, named by `rulename`',
    'grafana',
    () => [fileOf('grafana')],
    [
      'Battery worn → lab-pc-07',
      'VPN tunnel down → lab-pc-07',
      'VPN tunnel down: it has none of the labels that name a machine (DEX_HOST_LABELS)',
    ],
  ],
  ['named by `rulename`', 'grafana-resolved', () => [fileOf('grafana-resolved')], ['Battery worn ended on lab-pc-07']],
  ['`truncatedAlerts` is counted', 'truncated', () => [fileOf('truncated')], ['340 truncated', 'DiskSlow → lab-pc-07']],
  [
    '`truncated.json`, `t1`+`t2`',
    't1, t2',
    () => [fileOf('t1'), fileOf('t2')],
    ['1 truncated', 'T1 ended on lab-pc-07', 'T2 → lab-pc-07'],
  ],
  [
    'mapped IPv4 and zones too',
    'addresses as written',
    () => [
      delivery(
        about('Mapped', '[::ffff:0a14:0007]:9100'),
        about('Url', 'https://[2001:db8:0::000a]:9182/metrics?x=1'),
        about('User', 'ssh://admin@lab-pc-07:22'),
        about('Zone', '[2001:db8::b%25eth0]:9100'),
      ),
    ],
    ['Mapped → lab-pc-07', 'Url → v6-a', 'User → lab-pc-07', 'Zone → v6-b'],
  ],
  [
    'the labels people really use (`hostname`, `host`, `nodename`, `host.name`, `instance` …)',
    'labels',
    () => [
      delivery(
        about('Dotted', 'gateway:9100', { 'host.name': 'LAB-PC-07.' }),
        about('Node', 'gateway:9100', { nodename: 'Lab-Pc-08' }),
        about('Fqdn', 'gateway:9100', { FQDN: 'lab-pc-08.corp.example.net' }),
        about('Windows', '10.20.0.31:9182', { job: 'windows' }),
      ),
    ],
    [
      'Dotted → lab-pc-07',
      'Fqdn → lab-pc-08.corp.example.net',
      'Node → lab-pc-08.corp.example.net',
      'Windows → sales_pc_01',
    ],
  ],
  [
    '`SALES_PC_01` is a name that Windows has: underscores are allowed',
    'an underscore',
    () => [delivery(about('Under', 'Sales_PC_01.corp.example.net:9182'))],
    ['Under → sales_pc_01'],
  ],
  [
    'exactly one endpoint fits; never acts on a guess',
    'two that fit',
    () => [delivery(about('Twin', 'twin:9100'), about('Other', 'twin.c.example.net:9100'))],
    [
      'Other: no endpoint twin.c.example.net is registered',
      'Twin: twin fits several endpoints: twin.a.example.net, twin.b.example.net.',
    ],
  ],
  [
    'a label called `__proto__` must not cost its neighbours',
    '__proto__',
    () => [
      JSON.parse(JSON.stringify(delivery(about('Proto', 'lab-pc-07', { xx: 'y' }))).replace('"xx"', '"__proto__"')),
    ],
    ['Proto → lab-pc-07'],
  ],
];

async function runDeliveries(deliveries: readonly unknown[], right: readonly string[] | null): Promise<Outcome> {
  const seen = await seenOf(deliveries);
  const missing = right?.filter((line) => !seen.includes(line)) ?? [];
  const extra = right === null ? [] : seen.filter((line) => !right.includes(line));
  return {
    seen: seen.join('; ') || 'nothing new',
    wrong: [...missing.map((line) => `should say “${line}”`), ...extra.map((line) => `should not say “${line}”`)],
  };
}

export const DELIVERY_CASES: Case[] = ROWS.map(([quote, given, deliveries, right]) => ({
  quote,
  given,
  right: right.join('; '),
  run: () => runDeliveries(deliveries(), right),
}));

/** Cases of further deliveries in a folder, to the same machines: what is seen, for somebody to judge. */
export function deliveriesIn(folder: string): Case[] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return files.map((name) => ({
    quote: 'a further delivery',
    given: basename(name, '.json'),
    right: '(not said)',
    run: () => runDeliveries([JSON.parse(readFileSync(join(folder, name), 'utf8'))], null),
  }));
}

/** A machine that was healthy and answers no more. */
export const UNREACHABLE_CASE: Case = {
  quote:
    'endpoint not reachable now, last score 100: shown as not reachable with the age of the score; not counted as healthy',
  given: 'a machine switched off',
  right: '0 healthy, 1 not reachable; score 100 with its time',
  async run() {
    const service = await running();
    const page = readFileSync(join(PAGES, 'made-healthy.prom'), 'utf8');
    const server = createServer((_, response) => response.end(page));
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const { port } = server.address() as AddressInfo;
    const machine = {
      hostname: 'switched-off',
      ip_address: '127.0.0.1',
      collector: 'node_exporter',
      options: { port },
    };
    await service.call('POST', `${DEX}/endpoints`, machine);
    const scan = async () =>
      service.finished((await service.call('POST', `${DEX}/endpoints/switched-off/scan`)).body.run_id);
    await scan();
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
    await scan();
    const { endpoint } = (await service.call('GET', `${DEX}/endpoints/switched-off`)).body;
    const fleet = (await service.call('GET', `${DEX}/fleet`)).body;
    const { text } = await service.app.invoke(
      'list_endpoints',
      { prefix: 'switched-off' },
      { id: 'cases', name: 'cases', kind: 'human', via: 'cli', role: 'admin' },
    );
    const wrong = [
      ...(endpoint.score_status === 'unreachable' ? [] : [`its status should not be ${endpoint.score_status}`]),
      ...(endpoint.scored_at === null ? ['the age of its score should be known'] : []),
      ...(fleet.healthy === 0 && fleet.unreachable === 1 ? [] : ['should be counted as not reachable alone']),
      ...(/not reachable/.test(text) && /of 2026-11-27/.test(text)
        ? []
        : ['the list should say so, with the time of the score']),
    ];
    return {
      seen: `${fleet.healthy} healthy, ${fleet.unreachable} not reachable; ${text.trim().split('\n').at(-1)}`,
      wrong,
    };
  },
};
