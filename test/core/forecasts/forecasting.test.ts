/** Predictions through the whole service: leaks on a clock that the test commands, over a real database. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { jobActor } from '../../../src/core/actor.ts';
import type { StoredSnapshot } from '../../../src/core/ports/endpointPorts.ts';
import type { Endpoint } from '../../../src/domain/fleet/endpoint.ts';
import { type TestClock, testClock } from '../../helpers/clock.ts';
import { dump } from '../../helpers/dump.ts';
import { flatSnapshot } from '../../helpers/flatSnapshot.ts';
import { type Findings, machines, WELL } from '../../helpers/machines.ts';
import { startTestService, type TestService } from '../../helpers/service.ts';

const HOUR_MS = 3_600_000;
const HOST = 'pc-1';

let service: TestService;
let clock: TestClock;
let findings: Map<string, Findings>;
let startMs: number;

beforeEach(async () => {
  clock = testClock();
  startMs = clock.now().getTime();
  findings = new Map();
  service = await startTestService({}, { clock, collector: machines(findings), healing: null });
  await service.call('POST', '/api/v1/dex/endpoints', { hostname: HOST });
});
afterEach(() => service.stop());

type Metric = 'diskPct' | 'memoryPct' | 'cpuPct';
type Level = (hour: number) => number | null;

/** Reading noise of half a point, the same in every run. */
const noise = (hour: number) => Math.sin(hour * 37.1) * 0.5;

interface Sample {
  atMs: number;
  values: Partial<Record<Metric, number | null>>;
}

async function seen(samples: Sample[]): Promise<void> {
  const endpoint = (await service.app.ports.store.endpoints.get(HOST)) as Endpoint;
  const rows = samples.map(({ atMs, values }): StoredSnapshot => {
    const { hostname: _name, ...snapshot } = flatSnapshot(endpoint, new Date(atMs), { ...WELL, ...values });
    return { ...snapshot, endpointId: endpoint.id };
  });
  await service.app.ports.store.snapshots.add(rows);
}

/** A sample every quarter of an hour. */
async function lived(metric: Metric, level: Level, fromHour: number, toHour: number): Promise<void> {
  const quarters = Array.from({ length: (toHour - fromHour) * 4 }, (_, i) => fromHour + i / 4);
  await seen(
    quarters.map((hour) => {
      const value = level(hour);
      return { atMs: startMs + hour * HOUR_MS, values: { [metric]: value === null ? null : value + noise(hour) } };
    }),
  );
}

const check = async () =>
  (await service.app.invoke('check_predictions', {}, jobActor('dex_check_predictive_alerts'))).output;

/** The hours pass with samples and an hourly check. */
async function hours(metric: Metric, level: Level, from: number, to: number): Promise<void> {
  for (let hour = from; hour < to; hour++) {
    await lived(metric, level, hour, hour + 1);
    clock.advance(startMs + (hour + 1) * HOUR_MS - clock.now().getTime());
    await check();
  }
}

async function scan(found: Findings): Promise<void> {
  findings.set(HOST, found);
  const { body } = await service.call('POST', `/api/v1/dex/endpoints/${HOST}/scan`);
  expect(await service.finished(body.run_id)).toMatchObject({ status: 'completed' });
}
const alerts = async (query = '') => (await service.call('GET', `/api/v1/dex/alerts?${query}`)).body.alerts;
const whys = async (id: number) =>
  (await service.call('GET', `/api/v1/dex/alerts/${id}`)).body.timeline.map(({ why }: { why: string }) => why);
const accuracy = async (query = '') => (await service.call('GET', `/api/v1/dex/predictions/accuracy${query}`)).body;
const trends = (query = '') => service.call('GET', `/api/v1/dex/endpoints/${HOST}/trends${query}`);

/** Two points an hour from 40 %: 90 % are reached 25 hours after hour 0. */
const leak: Level = (hour) => Math.min(100, 40 + 2 * Math.max(0, hour));

describe('a leaking disk', () => {
  test('is announced hours before, becomes the real alert when it comes true, and counts as a hit', async () => {
    await lived('diskPct', leak, -24, 0);
    await hours('diskPct', leak, 0, 16);
    const [foreseen] = await alerts();
    expect(foreseen).toMatchObject({
      alert_name: 'DiskFull',
      alert_type: 'predictive',
      labels: { mountpoint: '/' },
      predicted_time_to_impact: expect.stringMatching(/^about \d+ hours$/),
    });
    expect(foreseen.message).toMatch(/^disk \/ at 7\d %: rises .* points a day since .*; reaches 90 % in about/);

    await hours('diskPct', leak, 16, 29);
    await scan({ ...WELL, diskPct: 98 });
    expect(await alerts('name=DiskFull')).toMatchObject([
      { id: foreseen.id, alert_type: 'metric', severity: 'critical', message: 'disk /: 98 %, above 95 %' },
    ]);
    await hours('diskPct', leak, 29, 30);
    expect(await alerts('name=DiskFull')).toMatchObject([
      { id: foreseen.id, alert_type: 'metric', severity: 'critical', predicted_time_to_impact: 'now' },
    ]);
    expect(await whys(foreseen.id)).toContainEqual(expect.stringMatching(/^the prediction is confirmed: /));

    const ledger = await accuracy();
    expect(ledger).toMatchObject({ predictions: 1, hits: 1, precision: 1, within_bounds: 1, false_alarms: 0 });
    expect(ledger.lead_hours_median).toBeGreaterThan(6);
    expect(ledger.recent).toMatchObject([{ hostname: HOST, alert_name: 'DiskFull', verdict: 'hit' }]);
    const page = await (await fetch(`${service.url}/metrics`)).text();
    expect(page).toContain('dex_predictions_total{alert_name="DiskFull",verdict="open"} 1');
    expect(page).toContain('dex_predictions_total{alert_name="DiskFull",verdict="hit"} 1');
    expect(page).toContain('dex_prediction_precision 1');
  }, 60_000);

  test('that is cleaned ends its alert, and nobody can say whether the prediction was right', async () => {
    await lived('diskPct', leak, -24, 0);
    await hours('diskPct', leak, 0, 16);
    const [foreseen] = await alerts();
    await service.call('POST', `/api/v1/dex/alerts/${foreseen.id}/resolve`, { reason: 'cleaned up' });
    const cleaned: Level = () => 35;
    await hours('diskPct', cleaned, 16, 22);
    expect(await alerts()).toEqual([]);
    expect(await accuracy()).toMatchObject({ predictions: 1, averted: 1, precision: null });
  }, 60_000);

  test('that is emptied by itself resolves the alert; unjudged until its time is over, then false', async () => {
    await lived('diskPct', leak, -24, 0);
    await hours('diskPct', leak, 0, 16);
    const [foreseen] = await alerts();
    const cleaned: Level = () => 35;
    await hours('diskPct', cleaned, 16, 22);
    expect(await alerts('status=resolved')).toMatchObject([{ id: foreseen.id, resolution: 'clear' }]);
    expect((await whys(foreseen.id)).at(-1)).toMatch(/^disk: no longer heading for 90 %/);
    expect(await accuracy()).toMatchObject({ open: 1, precision: null });
    await scan(WELL);
    await hours('diskPct', cleaned, 22, 60);
    expect(await accuracy()).toMatchObject({ open: 0, false_alarms: 1, precision: 0 });
    expect((await accuracy()).false_alarms_per_endpoint_week).toBeGreaterThan(0);
  }, 60_000);

  test('that is out of sight keeps its alert, and proves nothing', async () => {
    await lived('diskPct', leak, -24, 0);
    await hours('diskPct', leak, 0, 16);
    const [foreseen] = await alerts();
    clock.advance(8 * HOUR_MS);
    await check();
    expect(await alerts()).toMatchObject([
      {
        id: foreseen.id,
        message: expect.stringContaining('nothing newer is known, because the last sample is 8 hours old'),
      },
    ]);
    clock.advance(96 * HOUR_MS);
    await check();
    expect(await accuracy()).toMatchObject({ averted: 1, false_alarms: 0 });
  }, 60_000);

  test('is told once, however often it is checked, also by two at once', async () => {
    await lived('diskPct', leak, -24, 16);
    clock.advance(16 * HOUR_MS);
    const checks = await Promise.all([check(), check()]);
    expect(checks.map(({ raised }) => raised).sort()).toEqual([0, 1]);
    await check();
    expect(await alerts()).toHaveLength(1);
    expect(await accuracy()).toMatchObject({ predictions: 1 });
  }, 60_000);
});

test('a measured alert that stands is neither softened nor renamed by a prediction', async () => {
  await lived('diskPct', leak, -24, 16);
  clock.advance(16 * HOUR_MS);
  await scan({ ...WELL, diskPct: 97 });
  const [real] = await alerts('name=DiskFull');
  await check();
  expect(await alerts('name=DiskFull')).toMatchObject([
    { id: real.id, alert_type: 'metric', severity: 'critical', message: real.message },
  ]);
  expect(await accuracy()).toMatchObject({ predictions: 1 });
}, 60_000);

test.each([
  ['memoryPct', 'MemoryLeak', 72],
  ['cpuPct', 'SustainedHighCPU', 96],
] as const)(
  'a climbing %s raises %s',
  async (metric, alertName, watched) => {
    const climb: Level = (hour) => 30 + Math.max(0, hour + watched) * 0.4;
    await lived(metric, climb, -watched - 24, 0);
    await check();
    expect(await alerts()).toMatchObject([{ alert_name: alertName, alert_type: 'predictive' }]);
  },
  60_000,
);

test.each<[string, Level]>([
  ['a constant history', () => 60],
  ['nothing but gaps', () => null],
  ['a working day', (hour) => 50 + 25 * Math.sin((hour / 24) * 2 * Math.PI)],
])(
  '%s raises nothing',
  async (_name, level) => {
    await lived('diskPct', level, -120, 0);
    expect(await check()).toEqual({ endpoints: 1, raised: 0, ended: 0, judged: 0 });
  },
  60_000,
);

describe('trends', () => {
  test('say where every metric is heading, and draw the one that gets there first', async () => {
    await lived('diskPct', leak, -48, 16);
    clock.advance(16 * HOUR_MS);
    const { status, body } = await trends();
    expect(status).toBe(200);
    expect(body.trends.map(({ metric, status }: Record<string, string>) => [metric, status])).toEqual([
      ['disk_pct', 'alert'],
      ['memory_pct', 'stable'],
      ['cpu_pct', 'insufficient_data'],
    ]);
    const [disk] = body.trends;
    expect(disk.slope_per_hour).toBeCloseTo(2, 1);
    expect(disk.time_to_impact_hours).toBeGreaterThan(disk.time_to_impact_low_hours);
    expect(disk.time_to_impact_hours).toBeLessThan(disk.time_to_impact_high_hours);
    expect(disk.projected_24h).toBe(100);
    expect(body.history).toMatchObject({ metric: 'disk_pct', limit_pct: 90 });
    expect(Date.parse(body.history.impact_at)).toBeGreaterThan(clock.now().getTime());
    expect((await trends('?metric=memory_pct')).body.history).toMatchObject({ metric: 'memory_pct', impact_at: null });
  });

  test('of an endpoint that was never seen are unknown, and of an unknown one an error', async () => {
    const { body } = await trends();
    expect(body.trends).toMatchObject(Array(3).fill({ status: 'insufficient_data', current: null, points: 0 }));
    expect(body.history.points).toEqual([]);
    expect((await service.call('GET', '/api/v1/dex/endpoints/nobody/trends')).status).toBe(404);
    expect((await trends('?metric=luck')).status).toBe(400);
  });

  test('survive what broken clocks and collectors send', async () => {
    const odd = [-5, 250, 100.4, null, 50];
    await seen([
      ...odd.map((diskPct, i) => ({ atMs: startMs - i * HOUR_MS, values: { diskPct } })),
      { atMs: startMs + 30 * HOUR_MS, values: { diskPct: 99 } },
      { atMs: startMs - HOUR_MS, values: { diskPct: 51 } },
    ]);
    const { status, body } = await trends();
    expect(status).toBe(200);
    expect(body.trends[0]).toMatchObject({ metric: 'disk_pct', status: 'insufficient_data' });
    expect(await check()).toMatchObject({ raised: 0 });
  });

  test('read and write nothing', async () => {
    await lived('diskPct', leak, -24, 16);
    clock.advance(16 * HOUR_MS);
    // But for who looked at a machine, which is counted for the person whose it is.
    const stored = async () => {
      const { machine_access: _, sqlite_sequence = [], ...rest } = await dump(service.app.config.DATABASE_URL);
      return { ...rest, counted: sqlite_sequence.filter(({ name }) => name !== 'machine_access') };
    };
    const before = await stored();
    await trends();
    await accuracy();
    expect(await stored()).toEqual(before);
  });
});

test('the ledger refuses a span that is none', async () => {
  expect((await service.call('GET', '/api/v1/dex/predictions/accuracy?lookback_days=0')).status).toBe(400);
  expect(await accuracy('?lookback_days=7')).toMatchObject({ predictions: 0, precision: null, recent: [] });
});
