/** What must not be announced: what has just fallen, what levels off, and what is stable. */
import { describe, expect, test } from 'vitest';
import { reachedWithin } from '../../../src/domain/forecasts/certainty.ts';
import { predictiveAlert } from '../../../src/domain/forecasts/predictiveAlert.ts';
import type { SeriesPoint } from '../../../src/domain/forecasts/seriesShape.ts';
import { analyseTrend } from '../../../src/domain/forecasts/trend.ts';
import { TREND_METRICS } from '../../../src/domain/forecasts/trendRules.ts';
import { Dice } from '../../bench/seriesGenerator.ts';

const NOW_MS = Date.UTC(2026, 2, 10, 12);
const HOUR_MS = 3_600_000;

function series(hours: number, value: (hour: number) => number): SeriesPoint[] {
  return Array.from({ length: hours * 4 + 1 }, (_, i) => {
    const hour = i / 4 - hours;
    return { atMs: NOW_MS + hour * HOUR_MS, value: Math.min(100, value(hour)) };
  });
}

describe.each(TREND_METRICS)('%s', (metric) => {
  const trendOf = (points: SeriesPoint[]) => analyseTrend(metric, points, NOW_MS);
  const climb = (dice: Dice) => (hour: number) => 86 + 0.3 * hour + 0.4 * dice.normal();

  test('the climb itself is announced', () => {
    expect(trendOf(series(96, climb(new Dice(2)))).status).toBe('alert');
  });

  test.each([1, 2, 4])('a series that fell %i scans ago announces nothing', (scans) => {
    const dice = new Dice(scans);
    const trend = trendOf(series(96, (hour) => (hour > -scans / 4 ? 45 : climb(dice)(hour))));
    expect(trend.status).toBe('insufficient_data');
    expect(trend.timeToImpactText).toBeNull();
    expect(predictiveAlert(trend)).toBeNull();
  });

  test('a fall that two scans show ends a current alert', () => {
    const dice = new Dice(7);
    const trend = trendOf(series(96, (hour) => (hour > -0.5 ? 45 : climb(dice)(hour))));
    const open = { severity: 'warning' as const, raisedAt: new Date(NOW_MS - 8 * HOUR_MS) };
    expect(
      predictiveAlert(trend, { ...open, predictedTimeToImpact: 'about 5 hours', predictedTimeToImpactHours: 5 }),
    ).toBeNull();
  });

  test('a plateau below the line is told from a climb', () => {
    const dice = new Dice(3);
    const trend = trendOf(series(168, (hour) => 87 - 45 * Math.exp(-(hour + 168) / 45) + 0.3 * dice.normal()));
    expect(trend.status).not.toBe('alert');
    expect(predictiveAlert(trend)).toBeNull();
  });

  test.each([80, 86, 88.5])('a stable series at %d % has no time until the limit', (level) => {
    const dice = new Dice(level);
    const trend = trendOf(series(168, () => level + 0.5 * dice.normal()));
    expect(trend.status).toBe('stable');
    expect(trend).toMatchObject({ timeToImpactHours: null, timeToImpactText: null });
  });
});

describe('how certain a prediction is', () => {
  const madeAt = new Date(NOW_MS);
  const at = (hours: number) => new Date(NOW_MS + hours * HOUR_MS);

  test('is even where the middle of its bounds is the horizon, and falls with the time', () => {
    const bounds = { madeAt, soonestAt: at(120), latestAt: at(235) };
    expect(reachedWithin(bounds, 168, 168)).toBeCloseTo(0.5, 2);
    expect(reachedWithin(bounds, 100, 168)).toBeGreaterThan(0.95);
    expect(reachedWithin(bounds, 400, 168)).toBeLessThan(0.05);
    expect(reachedWithin(bounds, 0, 168)).toBe(1);
  });

  test('is the less the wider its bounds are', () => {
    const wide = reachedWithin({ madeAt, soonestAt: at(20), latestAt: at(500) }, 100, 168);
    const narrow = reachedWithin({ madeAt, soonestAt: at(90), latestAt: at(110) }, 100, 168);
    expect(narrow).toBeGreaterThan(wide);
  });
});
