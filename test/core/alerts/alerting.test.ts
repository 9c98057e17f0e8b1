/** Alerts from scan to end through the whole service, on a clock and machines that the test commands. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { jobActor } from '../../../src/core/actor.ts';
import { handleNewAlerts } from '../../../src/core/healing/handleAlerts.ts';
import { type TestClock, testClock } from '../../helpers/clock.ts';
import { alert, delivery } from '../../helpers/deliveries.ts';
import { type Findings, machines, WELL } from '../../helpers/machines.ts';
import { startTestService, type TestService } from '../../helpers/service.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

let service: TestService;
let clock: TestClock;
let findings: Map<string, Findings>;

beforeEach(async () => {
  clock = testClock();
  findings = new Map();
  service = await startTestService(
    { WEBHOOK_REQUIRE_AUTH: 'false' },
    { clock, collector: machines(findings), healing: null },
  );
});
afterEach(() => service.stop());

const register = (hostname: string, more: object = {}) =>
  service.call('POST', '/api/v1/dex/endpoints', { hostname, ...more });
async function scan(hostname: string, found: Findings) {
  findings.set(hostname, found);
  const { body } = await service.call('POST', `/api/v1/dex/endpoints/${hostname}/scan`);
  expect(await service.finished(body.run_id)).toMatchObject({ status: 'completed' });
}
const alerts = async (query = '') => (await service.call('GET', `/api/v1/dex/alerts?${query}`)).body.alerts;
const open = async () => (await alerts()).map((one: { alert_name: string }) => one.alert_name).sort();
const timeline = async (id: number) => (await service.call('GET', `/api/v1/dex/alerts/${id}`)).body.timeline;
const tend = () => service.app.invoke('maintain_alerts', {}, jobActor('dex_maintain_alerts'));
const deliver = (...given: unknown[]) => service.call('POST', '/api/v1/webhooks/alertmanager', delivery(...given));

const FULL_DISK = { ...WELL, diskPct: 97 };
const IN_RUINS = { ...WELL, cpuPct: 99, memoryPct: 99, diskPct: 99, latencyMs: 900, packetLossPct: 50, logErrors: 99 };

describe('scans', () => {
  test('a full disk raises an alert once, and a clear scan ends it', async () => {
    await register('pc-1');
    await scan('pc-1', FULL_DISK);
    // The cap that a full disk puts on the score lies below the line that is warned of.
    expect(await open()).toEqual(['DiskFull', 'LowDexScore']);
    const disk = async () => (await alerts('type=metric'))[0];
    const first = await disk();
    expect(first).toMatchObject({ alert_type: 'metric', severity: 'critical', labels: { mountpoint: '/' } });
    await scan('pc-1', FULL_DISK);
    expect(await disk()).toEqual(first);
    expect(await alerts()).toHaveLength(2);

    clock.advance(15 * MINUTE_MS);
    await scan('pc-1', { ...WELL, diskPct: 93 });
    expect(await open()).toEqual(['DiskFull']);
    await scan('pc-1', WELL);
    expect(await open()).toEqual([]);
    expect(await alerts('status=resolved&type=metric')).toMatchObject([{ id: first.id, resolution: 'clear' }]);
    expect(await timeline(first.id)).toMatchObject([
      { from: null, to: 'active', actor: 'job:scan' },
      { from: 'active', to: 'resolved', why: 'disk /: 50 %, back to normal' },
    ]);
  });

  test('the count of scans in a row survives between scans', async () => {
    await register('pc-1');
    for (const expected of [[], [], ['HighCpu']]) {
      await scan('pc-1', { ...WELL, cpuPct: 99 });
      expect(await open()).toEqual(expected);
    }
  });

  test('the score escalates and de-escalates in place', async () => {
    await register('pc-1');
    const low = async () => (await alerts('name=LowDexScore'))[0];
    await scan('pc-1', IN_RUINS);
    const first = await low();
    expect(first.severity).toBe('critical');
    await scan('pc-1', { ...IN_RUINS, cpuPct: 50, memoryPct: 50, diskPct: 50 });
    expect(await low()).toMatchObject({ id: first.id, severity: 'warning' });
    expect((await timeline(first.id)).map(({ from, to }: { from: string; to: string }) => [from, to])).toEqual([
      [null, 'active'],
      ['active', 'active'],
    ]);
    await scan('pc-1', WELL);
    expect(await low()).toBeUndefined();
  });

  test('a fleet scan raises alerts by batch and keeps the history of the fleet', async () => {
    for (let i = 0; i < 25; i++) {
      await register(`pc-${i}`);
      findings.set(`pc-${i}`, i < 5 ? FULL_DISK : WELL);
    }
    const { body } = await service.call('POST', '/api/v1/dex/fleet/scan');
    await service.finished(body.run_id);
    expect(await open()).toEqual([...Array(5).fill('DiskFull'), ...Array(5).fill('LowDexScore')]);
    const { body: kpi } = await service.call('GET', '/api/v1/dex/kpis');
    expect(kpi.fleet_score_history).toHaveLength(1);
    expect(kpi.avg_fleet_dex_score).toBe(kpi.fleet_score_history[0].avg_score);
    expect(kpi.avg_fleet_dex_score).toBe((await service.call('GET', '/api/v1/dex/fleet')).body.avg_score);
  });

  test('alerts of an endpoint that has gone quiet say that they are stale', async () => {
    await register('pc-1');
    await scan('pc-1', FULL_DISK);
    expect(await alerts()).toMatchObject([{ stale: false }, { stale: false }]);
    clock.advance(HOUR_MS);
    expect(await alerts()).toMatchObject([{ stale: true }, { stale: true }]);
  });
});

describe('acknowledging', () => {
  const ack = (id: number, query = '', body?: object) =>
    service.call('POST', `/api/v1/dex/alerts/${id}/acknowledge${query}`, body);
  let id: number;
  beforeEach(async () => {
    await register('pc-1');
    await scan('pc-1', FULL_DISK);
    id = (await alerts('name=DiskFull'))[0].id;
  });

  test('quiets for the hours given, and the alert wakes by itself', async () => {
    const { body } = await ack(id, '?hours=0.25');
    expect(body.alert).toMatchObject({
      status: 'acknowledged',
      acknowledged_by: 'key:api_key',
      acknowledged_until: '2026-03-02T09:15:00.000Z',
    });
    clock.advance(15 * MINUTE_MS - 1);
    await tend();
    expect(await alerts('status=acknowledged')).toHaveLength(1);
    clock.advance(1);
    await tend();
    expect(await alerts('status=active&name=DiskFull')).toMatchObject([{ id, acknowledged_until: null }]);
    expect((await timeline(id)).map(({ to, via }: { to: string; via: string }) => [to, via])).toEqual([
      ['active', 'job'],
      ['acknowledged', 'rest'],
      ['active', 'job'],
    ]);
  });

  test('until it clears: nothing but the end wakes it', async () => {
    expect((await ack(id, '', { until_clear: true })).body.alert).toMatchObject({ acknowledged_until: null });
    clock.advance(30 * 24 * HOUR_MS);
    await tend();
    expect(await alerts('status=acknowledged')).toHaveLength(1);
  });

  test('four hours unless said, and no less than 15 minutes or more than 7 days', async () => {
    expect((await ack(id)).body.alert.acknowledged_until).toBe('2026-03-02T13:00:00.000Z');
    for (const hours of ['0.2', '169', 'soon', '-1']) expect((await ack(id, `?hours=${hours}`)).status).toBe(400);
    expect((await ack(id, '?hours=168')).status).toBe(200);
  });

  test('what is resolved or unknown is not acknowledged', async () => {
    const { body } = await service.call('POST', `/api/v1/dex/alerts/${id}/resolve`, { reason: 'replaced' });
    expect(body.alert).toMatchObject({ status: 'resolved', resolution: 'person' });
    expect((await ack(id)).status).toBe(409);
    expect((await service.call('POST', `/api/v1/dex/alerts/${id}/resolve`)).status).toBe(409);
    expect((await ack(9999)).status).toBe(404);
  });

  test('twenty people at once: every click has its line, none is lost', async () => {
    await Promise.all(Array.from({ length: 20 }, () => ack(id)));
    expect(await timeline(id)).toHaveLength(21);
  });
});

describe('reading', () => {
  test('filters', async () => {
    await register('pc-1');
    await register('pc-2');
    await scan('pc-1', FULL_DISK);
    await deliver(alert({ host: 'pc-2', labels: { severity: 'info' } }));
    const names = async (query: string) => (await alerts(query)).map((one: { alert_name: string }) => one.alert_name);
    expect(await names('hostname=PC-2')).toEqual(['HighLoad']);
    expect(await names('severity=critical')).toEqual(['DiskFull']);
    expect(await names('type=prometheus')).toEqual(['HighLoad']);
    expect(await names('name=DiskFull')).toEqual(['DiskFull']);
    expect(await names('since=2026-03-02T10:00:00%2B02:00')).toHaveLength(3);
    expect(await names('since=2026-03-02T10:00:00Z')).toEqual([]);
    expect((await service.call('GET', '/api/v1/dex/alerts?limit=1')).body).toMatchObject({ total: 3 });
    expect((await service.call('GET', '/api/v1/dex/alerts?severity=loud')).status).toBe(400);
  });

  test('incidents, with what the affected share', async () => {
    for (let i = 0; i < 12; i++) {
      await register(`pc-${i}`, { collector: 'push', tags: { dept: i < 4 ? 'sales' : 'support' } });
    }
    await deliver(...[0, 1, 2, 3].map((i) => alert({ host: `pc-${i}`, name: 'VpnDown' })));
    await deliver(alert({ host: 'pc-2', name: 'Other', labels: { severity: 'critical' } }));
    const { body } = await service.call('GET', '/api/v1/dex/incidents');
    expect(body).toMatchObject({
      total: 1,
      incidents: [
        {
          hostname: 'pc-2',
          severity: 'critical',
          alert_count: 2,
          alerts: [{ alert_name: 'Other' }, { alert_name: 'VpnDown' }],
        },
      ],
      cohorts: [{ alert_name: 'VpnDown', attribute: 'department', value: 'sales', affected: 4, size: 4, lift: null }],
    });
  });

  test('KPIs: null with a reason at first, right to the second later', async () => {
    const kpis = async () => (await service.call('GET', '/api/v1/dex/kpis?lookback_days=7')).body;
    expect(await kpis()).toMatchObject({
      mtta_minutes: null,
      mttr_minutes: null,
      auto_resolution_rate_pct: null,
      avg_fleet_dex_score: null,
      total_alerts: 0,
      by_alert_name: {},
    });
    expect(Object.keys((await kpis()).reasons)).toEqual(
      expect.arrayContaining(['mtta_minutes', 'mttr_minutes', 'avg_fleet_dex_score', 'approval_latency_minutes']),
    );
    await register('pc-1');
    await scan('pc-1', FULL_DISK);
    const raised = await alerts();
    clock.advance(3 * MINUTE_MS);
    for (const { id } of raised) await service.call('POST', `/api/v1/dex/alerts/${id}/acknowledge`);
    clock.advance(7 * MINUTE_MS + 1000);
    await scan('pc-1', WELL);
    expect(await kpis()).toMatchObject({
      mtta_minutes: 3,
      mttr_minutes: 10.017,
      mttr_median_minutes: 10.017,
      auto_resolution_rate_pct: 0,
      total_alerts: 2,
      resolved_alerts: 2,
      open_alerts: 0,
      by_alert_name: { DiskFull: 1, LowDexScore: 1 },
      noisiest: [{ hostname: 'pc-1', alerts: 2, flaps: 0 }],
    });
  });

  test('metrics count open alerts and moves, and a flood of names shares one label', async () => {
    await register('pc-1');
    await scan('pc-1', FULL_DISK);
    await deliver(...Array.from({ length: 300 }, (_, i) => alert({ host: 'pc-1', name: `Flood${i}` })));
    const page = await (await fetch(`${service.url}/metrics`)).text();
    expect(page).toContain('dex_open_alerts{severity="critical",alert_name="DiskFull"} 1');
    expect(page).toContain('dex_alert_transitions_total{alert_name="DiskFull",from="none",to="active"} 1');
    expect(page.match(/^dex_open_alerts\{/gm)?.length).toBeLessThanOrEqual(102);
    expect(page).toMatch(/dex_open_alerts\{severity="warning",alert_name="other"\} 20[0-2]/);
  });
});

test('new alerts are handed to healing once each, and what a crash kept from it later', async () => {
  await register('pc-1', { collector: 'push' });
  await deliver(alert({ host: 'pc-1', name: 'BeforeHealing' }));
  const handed: string[] = [];
  service.app.ports.healing = {
    handleNewAlerts: () =>
      handleNewAlerts(service.app.ports, async (_ports, alerts) => {
        handed.push(...alerts.map(({ alertName }) => alertName));
      }),
  };
  await tend();
  expect(handed).toEqual(['BeforeHealing']);
  await deliver(alert({ host: 'pc-1', name: 'New' }), alert({ host: 'pc-1', name: 'BeforeHealing' }));
  for (let tries = 0; tries < 200 && handed.length < 2; tries++)
    await new Promise((resolve) => setTimeout(resolve, 25));
  await tend();
  expect(handed).toEqual(['BeforeHealing', 'New']);
});

test('every move is queued for the messengers in the transaction that makes it', async () => {
  const subjects: string[] = [];
  const told = await startTestService(
    { WEBHOOK_REQUIRE_AUTH: 'false' },
    {
      healing: null,
      messengers: [
        {
          name: 'chat',
          paceMs: 1,
          async deliver({ messages }) {
            subjects.push(...messages.map(({ subject, kind, payload }) => `${subject} ${kind} ${payload.to}`));
            return { outcome: 'delivered' };
          },
        },
      ],
    },
  );
  await told.call('POST', '/api/v1/dex/endpoints', { hostname: 'pc-1', collector: 'push' });
  await told.call('POST', '/api/v1/webhooks/alertmanager', delivery(alert()));
  const { body } = await told.call('GET', '/api/v1/dex/alerts');
  await told.call('POST', `/api/v1/dex/alerts/${body.alerts[0].id}/resolve`);
  for (let tries = 0; tries < 200 && subjects.length < 2; tries++)
    await new Promise((resolve) => setTimeout(resolve, 25));
  await told.stop();
  const subject = `alert:${body.alerts[0].id}`;
  expect(subjects).toEqual([`${subject} raised active`, `${subject} changed resolved`]);
});

test('the inner tools exist for their own doors only', async () => {
  const human = { id: 'x', name: 'x', kind: 'human', role: 'admin' } as const;
  for (const [tool, via] of [
    ['ingest_alerts', 'rest'],
    ['ingest_alerts', 'mcp'],
    ['maintain_alerts', 'slack'],
  ] as const) {
    await expect(service.app.invoke(tool, {}, { ...human, via })).rejects.toMatchObject({ kind: 'not_found' });
  }
});
