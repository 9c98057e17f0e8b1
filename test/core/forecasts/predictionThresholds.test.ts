/** Thresholds from the ledger through the whole service: proposed, taken over by a person, kept, in force, and taken back. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { jobActor } from '../../../src/core/actor.ts';
import type { StoredSnapshot } from '../../../src/core/ports/endpointPorts.ts';
import type { Endpoint } from '../../../src/domain/fleet/endpoint.ts';
import { type TestClock, testClock } from '../../helpers/clock.ts';
import { flatSnapshot } from '../../helpers/flatSnapshot.ts';
import { MODEL } from '../../helpers/healingWorld.ts';
import { WELL } from '../../helpers/machines.ts';
import { startTestService, type TestService } from '../../helpers/service.ts';

const HOUR_MS = 3_600_000;
const PATH = '/api/v1/dex/predictions/thresholds/DiskFull';

let service: TestService;
let clock: TestClock;
let endpoint: Endpoint;
beforeEach(async () => {
  clock = testClock();
  service = await startTestService({}, { clock, healing: null });
  await service.call('POST', '/api/v1/dex/endpoints', { hostname: 'pc-1', collector: 'push' });
  endpoint = (await service.app.ports.store.endpoints.get('pc-1')) as Endpoint;
});
afterEach(() => service.stop());

/** Judged predictions of long ago: some came true from near, the others were seen from far and did not come. */
async function judged(cameTrue: number, falseAlarms: number): Promise<void> {
  const madeAt = new Date(clock.now().getTime() - 40 * 24 * HOUR_MS);
  const row = (highHours: number, leadHours: number | null) => ({
    endpointId: endpoint.id,
    hostname: 'pc-1',
    metric: 'diskPct' as const,
    alertName: 'DiskFull' as const,
    madeAt,
    limitPct: 90,
    value: 60,
    slopePerHour: 1,
    expectedAt: new Date(madeAt.getTime() + 0.8 * highHours * HOUR_MS),
    soonestAt: new Date(madeAt.getTime() + 0.6 * highHours * HOUR_MS),
    latestAt: new Date(madeAt.getTime() + highHours * HOUR_MS),
    severity: 'warning' as const,
    impactText: 'about a day',
    impactHours: 0.8 * highHours,
    endedAt: madeAt,
    verdict: leadHours === null ? ('false' as const) : ('hit' as const),
    judgedAt: clock.now(),
    reachedAt: leadHours === null ? null : new Date(madeAt.getTime() + leadHours * HOUR_MS),
    leadHours,
  });
  await service.app.ports.store.predictions.add([
    ...Array.from({ length: cameTrue }, () => row(40, 30)),
    ...Array.from({ length: falseAlarms }, () => row(80, null)),
  ]);
}
const view = async () =>
  (await service.call('GET', '/api/v1/dex/predictions/accuracy')).body.thresholds.find(
    ({ alert_name }: { alert_name: string }) => alert_name === 'DiskFull',
  );

/** A climb over four days, with its limit another four days away. */
async function slowLeak(): Promise<void> {
  const nowMs = clock.now().getTime();
  const rows = Array.from({ length: 24 * 4 }, (_, i): StoredSnapshot => {
    const diskPct = 10 + 0.4 * i + Math.sin(i * 37.1) * 0.3;
    const at = new Date(nowMs - (96 - i) * HOUR_MS);
    const { hostname: _name, ...snapshot } = flatSnapshot(endpoint, at, { ...WELL, diskPct });
    return { ...snapshot, endpointId: endpoint.id };
  });
  await service.app.ports.store.snapshots.add(rows);
}
const check = () => service.app.invoke('check_predictions', {}, jobActor('dex_check_predictive_alerts'));
const open = async () => (await service.call('GET', '/api/v1/dex/alerts')).body.alerts;

test('with too few verdicts nothing is proposed, and asking for it is refused with the number that is missing', async () => {
  await judged(9, 10);
  expect(await view()).toMatchObject({ horizon_hours: 168, set_by: null, judged: 19, proposed_hours: null });
  const { status, body } = await service.call('POST', PATH, { horizon: 'proposed' });
  expect(status).toBe(422);
  expect(body.error.message).toContain('19 predictions were judged; 20 are needed');
  expect(await view()).toMatchObject({ horizon_hours: 168, set_by: null });
});

test('a proposal is shown with its before and after, taken over by a person, in force at once, and taken back', async () => {
  await judged(15, 15);
  expect(await view()).toMatchObject({
    horizon_hours: 168,
    proposed_hours: 72,
    before: { came_true: 15, false_alarms: 15, precision: 0.5, lead_hours_median: 30 },
    after: { came_true: 15, false_alarms: 0, missed: 0, precision: 1, lead_hours_median: 30 },
  });
  await expect(
    service.app.invoke(
      'set_prediction_threshold',
      { alert_name: 'DiskFull', horizon: 'proposed' },
      { ...MODEL, via: 'rest' },
    ),
  ).rejects.toMatchObject({ kind: 'denied' });
  const taken = await service.call('POST', PATH, { horizon: 'proposed' });
  expect(taken).toMatchObject({ status: 200, body: { threshold: { horizon_hours: 72, default_hours: 168 } } });
  expect(await view()).toMatchObject({
    horizon_hours: 72,
    set_by: expect.any(String),
    set_at: clock.now().toISOString(),
  });
  const { items } = await service.app.ports.store.audit.list(
    { tool: 'set_prediction_threshold' },
    { limit: 9, offset: 0 },
  );
  expect(items.map(({ outcome, subject }) => [outcome, subject])).toEqual([
    ['ok', 'DiskFull'],
    ['denied', 'DiskFull'],
  ]);

  await slowLeak();
  await check();
  const trend = async () => (await service.call('GET', '/api/v1/dex/endpoints/pc-1/trends')).body.trends[0];
  expect(await trend()).toMatchObject({ status: 'rising' });
  expect((await trend()).time_to_impact_high_hours).toBeGreaterThan(72);
  expect(await open()).toEqual([]);
  await service.call('POST', PATH, { horizon: 'default' });
  expect(await view()).toMatchObject({ horizon_hours: 168, set_by: null });
  expect(await trend()).toMatchObject({ status: 'alert' });
  await check();
  expect(await open()).toMatchObject([{ alert_name: 'DiskFull', alert_type: 'predictive' }]);
}, 60_000);

test.each([{ horizon: 'lower' }, { horizon: 12 }, {}])('%j sets nothing', async (body) => {
  expect((await service.call('POST', PATH, body)).status).toBe(400);
  expect((await service.call('POST', PATH.replace('DiskFull', 'Novel'), { horizon: 'default' })).status).toBe(400);
});
