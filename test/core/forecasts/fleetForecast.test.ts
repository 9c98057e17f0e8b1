/** What will break this week: the predictions of the whole fleet, most certain first, over a real database. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { jobActor } from '../../../src/core/actor.ts';
import type { StoredPrediction } from '../../../src/core/ports/alertPorts.ts';
import { type TestClock, testClock } from '../../helpers/clock.ts';
import { startTestService, type TestService } from '../../helpers/service.ts';

const HOUR_MS = 3_600_000;
let service: TestService;
let clock: TestClock;

beforeAll(async () => {
  clock = testClock();
  service = await startTestService({}, { clock, healing: null });
});
afterAll(() => service.stop());

const text = async () => (await service.app.invoke('get_fleet_forecast', {}, jobActor('test'))).text;

async function predicted(hostname: string, hours: [soonest: number, expected: number, latest: number]): Promise<void> {
  await service.call('POST', '/api/v1/dex/endpoints', { hostname });
  const endpoint = await service.app.ports.store.endpoints.get(hostname);
  const at = (after: number) => new Date(clock.now().getTime() + after * HOUR_MS);
  const prediction: Omit<StoredPrediction, 'id'> = {
    endpointId: endpoint?.id as number,
    hostname,
    metric: 'diskPct',
    alertName: 'DiskFull',
    madeAt: clock.now(),
    limitPct: 90,
    value: 80,
    slopePerHour: 0.1,
    expectedAt: at(hours[1]),
    soonestAt: at(hours[0]),
    latestAt: at(hours[2]),
    severity: 'warning',
    impactText: `about ${hours[1]} hours`,
    impactHours: hours[1],
    endedAt: null,
    verdict: 'open',
    judgedAt: null,
    reachedAt: null,
    leadHours: null,
  };
  await service.app.ports.store.predictions.add([prediction]);
}

test('none says of how many, and of how many nothing is known', async () => {
  await service.call('POST', '/api/v1/dex/endpoints', { hostname: 'new' });
  expect(await text()).toBe(
    'Nothing is predicted to break in the next 7 days, of 1 machines. Of 1 nothing can be predicted: too new, or not answering.',
  );
});

test('the most certain comes first', async () => {
  await predicted('late', [140, 200, 300]);
  await predicted('soon', [20, 24, 30]);
  await predicted('unsure', [30, 100, 400]);
  const { status, body } = await service.call('GET', '/api/v1/dex/forecast');
  expect(status).toBe(200);
  expect(body.forecasts.map(({ hostname }: { hostname: string }) => hostname)).toEqual(['soon', 'unsure', 'late']);
  expect(body).toMatchObject({ total: 3, endpoints: 4, precision: null });
  expect(body.forecasts[0]).toMatchObject({ metric: 'disk_pct', probability: 1, limit_pct: 90 });
  expect(await text()).toContain('soon: disk reaches 90 % in about 24 hours (100 % certain)');
});

test('the number of days is bounded', async () => {
  expect((await service.call('GET', '/api/v1/dex/forecast?days=0')).status).toBe(422);
});
