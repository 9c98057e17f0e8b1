import { expect, test } from 'vitest';
import { healthyGapsMs, type KpiAlert, kpis, openFigures } from '../../../src/domain/alerts/kpi.ts';

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
    healthyMs: 0,
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

test('what lay well between the flaps of an alert is no time that it took', () => {
  const moves = [
    { at: at(0), from: null, to: 'active' as const },
    { at: at(5), from: 'active' as const, to: 'resolved' as const },
    { at: at(15), from: 'resolved' as const, to: 'active' as const },
    { at: at(16), from: 'active' as const, to: 'acknowledged' as const },
    { at: at(20), from: 'acknowledged' as const, to: 'resolved' as const },
    { at: at(50), from: 'resolved' as const, to: 'active' as const },
    { at: at(60), from: 'active' as const, to: 'resolved' as const },
  ];
  expect(healthyGapsMs(moves)).toBe(40 * 60_000);
  const flapped = alert({
    createdAt: at(0),
    startsAt: at(50),
    resolvedAt: at(60),
    flaps: 2,
    healthyMs: healthyGapsMs(moves),
  });
  expect(kpis([flapped], SINCE).mttrMinutes).toBe(20);
});

test('what is open is counted with how long it has been', () => {
  const open = [alert({ createdAt: at(0) }), alert({ createdAt: at(60) }), alert({ createdAt: at(540) })];
  expect(openFigures(open, at(600))).toEqual({ alerts: 3, medianHours: 9, longestHours: 10 });
  expect(openFigures([], at(600))).toEqual({ alerts: 0, medianHours: null, longestHours: null });
});
