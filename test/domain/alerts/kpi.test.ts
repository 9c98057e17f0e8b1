import { expect, test } from 'vitest';
import { type KpiAlert, kpis } from '../../../src/domain/alerts/kpi.ts';

const SINCE = new Date('2026-03-01T00:00:00Z');
const at = (minutes: number) => new Date(SINCE.getTime() + minutes * 60_000);

function alert(more: Partial<KpiAlert> = {}): KpiAlert {
  return {
    hostname: 'pc-1',
    alertName: 'DiskFull',
    status: 'active',
    startsAt: at(10),
    createdAt: at(10),
    acknowledgedAt: null,
    resolvedAt: null,
    resolution: null,
    flaps: 0,
    ...more,
  };
}

test('without alerts every figure is null and says why', () => {
  const none = kpis([], SINCE);
  expect(none).toMatchObject({
    mttaMinutes: null,
    mttrMinutes: null,
    mttrMedianMinutes: null,
    autoResolutionRatePct: null,
    totalAlerts: 0,
    resolvedAlerts: 0,
  });
  expect(Object.keys(none.reasons).sort()).toEqual([
    'autoResolutionRatePct',
    'mttaMinutes',
    'mttrMedianMinutes',
    'mttrMinutes',
  ]);
});

test('times are from the start, to the second', () => {
  const figures = kpis(
    [
      alert({ acknowledgedAt: at(12), resolvedAt: at(20), resolution: 'auto' }),
      alert({ acknowledgedAt: at(14), resolvedAt: at(10 + 1 / 60), resolution: 'source' }),
      alert({ resolvedAt: at(40), resolution: 'person' }),
      alert(),
    ],
    SINCE,
  );
  expect(figures).toMatchObject({
    mttaMinutes: 3,
    mttrMinutes: 13.339,
    mttrMedianMinutes: 10,
    autoResolutionRatePct: 33.3,
    totalAlerts: 4,
    resolvedAlerts: 3,
    byResolution: { auto: 1, source: 1, person: 1 },
    reasons: {},
  });
});

test('an alert from before counts for its end, not for its creation', () => {
  const old = alert({ startsAt: at(-60), createdAt: at(-60), resolvedAt: at(0), resolution: 'clear' });
  expect(kpis([old], SINCE)).toMatchObject({ totalAlerts: 0, resolvedAlerts: 1, mttrMinutes: 60, byAlertName: [] });
});

test('a problem lasts from where its source saw it begin, and one that came back since it was first raised', () => {
  const told = alert({ startsAt: at(8), createdAt: at(10), resolvedAt: at(20), resolution: 'source' });
  expect(kpis([told], SINCE).mttrMinutes).toBe(12);
  const back = alert({ startsAt: at(18), createdAt: at(10), resolvedAt: at(20), resolution: 'source', flaps: 1 });
  expect(kpis([back], SINCE).mttrMinutes).toBe(10);
});

test('names and endpoints by how often, flaps counting as noise', () => {
  const { byAlertName, noisiest } = kpis(
    [
      alert({ hostname: 'a', alertName: 'X' }),
      alert({ hostname: 'a', alertName: 'Y' }),
      alert({ hostname: 'b', alertName: 'X', flaps: 4 }),
    ],
    SINCE,
  );
  expect(byAlertName).toEqual([
    { alertName: 'X', alerts: 2 },
    { alertName: 'Y', alerts: 1 },
  ]);
  expect(noisiest).toEqual([
    { hostname: 'b', alerts: 1, flaps: 4 },
    { hostname: 'a', alerts: 2, flaps: 0 },
  ]);
});
