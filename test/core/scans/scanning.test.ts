/** Scans through the whole service: what comes from a collector that gives nonsense, and who sees hourly means. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { jobActor } from '../../../src/core/actor.ts';
import { type TestClock, testClock } from '../../helpers/clock.ts';
import { type Findings, machines, WELL } from '../../helpers/machines.ts';
import { API_KEY, startTestService, type TestService } from '../../helpers/service.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let service: TestService;
let clock: TestClock;
const findings = new Map<string, Findings>();
beforeAll(async () => {
  clock = testClock();
  service = await startTestService({}, { clock, collector: machines(findings), healing: null });
}, 60_000);
afterAll(() => service.stop());

const PATH = '/api/v1/dex/endpoints';
async function scan(hostname: string, found: Findings) {
  findings.set(hostname, found);
  const { body } = await service.call('POST', `${PATH}/${hostname}/scan`);
  return service.finished(body.run_id);
}

test('a number that is none costs the metric, not the scan', async () => {
  await service.call('POST', PATH, { hostname: 'nonsense' });
  const run = await scan('nonsense', { ...WELL, cpuPct: Number.NaN, latencyMs: Number.POSITIVE_INFINITY });
  expect(run).toMatchObject({
    status: 'completed',
    result: {
      snapshot: {
        cpu_pct: null,
        latency_ms: null,
        memory_pct: 40,
        unmeasured: expect.arrayContaining([
          { metric: 'cpu_pct', reason: 'what came is not a number' },
          { metric: 'latency_ms', reason: 'what came is not a number' },
        ]),
      },
    },
  });
  const { body } = await service.call('GET', `${PATH}/nonsense/score`);
  expect(body.coverage).toBeLessThan(1);
});

test('a history that is older than single scans says which of its points are hourly means', async () => {
  await service.call('POST', PATH, { hostname: 'old-history' });
  await scan('old-history', WELL);
  clock.advance(HOUR_MS / 4);
  await scan('old-history', { ...WELL, cpuPct: 99, memoryPct: 99 });
  clock.advance(35 * DAY_MS);
  await scan('old-history', WELL);
  await service.app.invoke('maintain_retention', {}, jobActor('dex_maintain_retention'));

  const { body } = await service.call('GET', `${PATH}/old-history/history`);
  expect(body.count).toBe(2);
  const [now, hour] = body.history;
  expect(now.hourly).toBeNull();
  expect(hour.hourly).toMatchObject({ highest: 100, scans: 2 });
  expect(hour.score).toBeCloseTo((hour.hourly.lowest + 100) / 2, 1);
  expect(hour.scored_at).toBe('2026-03-02T09:00:00.000Z');

  const { text } = await service.app.invoke('get_score_history', { hostname: 'old-history' }, jobActor('test'));
  expect(text).toContain(`lowest ${hour.hourly.lowest}, highest 100 over 3 scans`);
  expect(text).toContain('hourly means up to 2026-03-02T09:00:00.000Z');
  const earlier = await service.call('GET', `${PATH}/old-history/history?before=${now.scored_at}`);
  expect(earlier.body.history).toEqual([hour]);
  expect((await service.call('GET', `${PATH}/old-history/history?before=yesterday`)).status).toBe(400);

  const picture = await fetch(`${service.url}${PATH}/old-history/history`, {
    headers: { 'X-API-Key': API_KEY, Accept: 'image/png' },
  });
  expect(picture.headers.get('content-type')).toBe('image/png');
});
