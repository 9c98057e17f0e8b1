import { describe, expect, it } from 'vitest';
import type { SeriesPoint } from '../../../src/domain/forecasts/seriesShape.ts';
import { analyseTrend, project } from '../../../src/domain/forecasts/trend.ts';
import { TREND_RULES } from '../../../src/domain/forecasts/trendRules.ts';
import { durationText } from '../../../src/domain/forecasts/trendText.ts';
import { Dice } from '../../bench/seriesGenerator.ts';

const NOW_MS = Date.UTC(2026, 2, 10, 12);
const HOUR_MS = 3_600_000;

/** A sample every 15 minutes up to now; `value` gets hours relative to now. */
function series(hours: number, value: (hour: number) => number | null): SeriesPoint[] {
  return Array.from({ length: hours * 4 + 1 }, (_, i) => {
    const hour = i / 4 - hours;
    return { atMs: NOW_MS + hour * HOUR_MS, value: value(hour) };
  });
}
const diskTrend = (points: SeriesPoint[]) => analyseTrend('diskPct', points, NOW_MS);

describe('a steady leak', () => {
  const dice = new Dice(1);
  const trend = diskTrend(series(168, (hour) => 75 + 0.25 * hour + 0.2 * dice.normal()));

  it('alerts with the time to the limit, its bounds and its text', () => {
    expect(trend.status).toBe('alert');
    expect(trend.slopePerHour).toBeCloseTo(0.25, 2);
    expect(trend.timeToImpactHours).toBeCloseTo(60, 0);
    expect(trend.timeToImpactLowHours!).toBeLessThan(trend.timeToImpactHours!);
    expect(trend.timeToImpactHighHours!).toBeGreaterThan(trend.timeToImpactHours!);
    expect(trend.timeToImpactHighHours!).toBeLessThan(70);
    expect(trend.timeToImpactText).toMatch(/^about (2|3) days$/);
    expect(trend.reason).toMatch(/^rises 6\.\d points a day since 2026-03-03 12:00 UTC; reaches 90 % in about/);
    expect(trend.r2!).toBeGreaterThan(0.99);
    expect(trend.points).toBe(673);
  });

  it('projects within bounds, and never beyond 100', () => {
    expect(trend.projected24h!.value).toBeCloseTo(81, 0);
    expect(trend.projected24h!.low).toBeLessThan(trend.projected24h!.value);
    expect(trend.projected24h!.high).toBeGreaterThan(trend.projected24h!.value);
    expect(trend.projected7d).toMatchObject({ value: 100, high: 100 });
  });

  it('is only rising while the limit is further than the horizon', () => {
    const slow = diskTrend(series(168, (hour) => 40 + 0.05 * hour));
    expect(slow.status).toBe('rising');
    expect(slow.reason).toContain('not certain within 7 days');
    expect(slow.timeToImpactHours).toBeCloseTo(1000, 0);
  });
});

describe('a climb that set in lately', () => {
  it('is fitted from where it began', () => {
    const trend = diskTrend(series(168, (hour) => 40 + 1.5 * Math.max(0, hour + 20)));
    expect(trend.status).toBe('alert');
    expect(trend.slopePerHour).toBeCloseTo(1.5, 1);
    const startedHoursAgo = (NOW_MS - trend.segmentStartedAt!.getTime()) / HOUR_MS;
    expect(Math.abs(startedHoursAgo - 20)).toBeLessThan(3);
  });

  it('is not believed further ahead than twice its age', () => {
    const trend = diskTrend(series(168, (hour) => 40 + 0.8 * Math.max(0, hour + 10)));
    expect(trend.status).toBe('rising');
    expect(trend.reason).toContain('too short a climb');
  });

  it('that has ended is stable again', () => {
    const trend = diskTrend(series(168, (hour) => 40 + 0.6 * Math.min(60, Math.max(0, hour + 84))));
    expect(trend.status).toBe('stable');
  });
});

describe('one reading far below the line', () => {
  const dice = new Dice(5);
  const climb = (metric: 'diskPct' | 'memoryPct', last: number) => {
    const points = series(168, (hour) => 80 + 0.2 * hour + 0.3 * dice.normal());
    // Among others of its hour, where a median would hide it.
    return analyseTrend(metric, [...points, { atMs: NOW_MS + HOUR_MS / 4, value: last }], NOW_MS + HOUR_MS / 3);
  };

  it('is a clean-up of a disk, whose forecast is over at once', () => {
    expect(climb('diskPct', 78).status).toBe('alert');
    const cleaned = climb('diskPct', 41);
    expect(cleaned).toMatchObject({ status: 'insufficient_data', timeToImpactHours: null, current: 41 });
    expect(cleaned.segmentStartedAt).toEqual(new Date(NOW_MS + HOUR_MS / 4));
    expect(cleaned.reason).toMatch(/^fell from (80|79\.9|80\.1) % to 41 % just now/);
  });

  it('may be a dip of memory, which comes back: nothing is announced, and nothing ends', () => {
    expect(climb('memoryPct', 41)).toMatchObject({ status: 'insufficient_data', segmentStartedAt: null });
  });
});

describe('resets', () => {
  it('tells a cleaned disk from a falling one and waits for new samples', () => {
    const trend = diskTrend(series(168, (hour) => (hour < -3 ? 85 + 0.1 * hour : 40)));
    expect(trend.status).toBe('insufficient_data');
    expect(trend.reason).toContain('since it fell from');
    expect(trend.segmentStartedAt!.getTime()).toBeGreaterThanOrEqual(NOW_MS - 4 * HOUR_MS);
  });

  it('stays calm while a level returns to where it lived before', () => {
    const rebooted = series(168, (hour) => (hour < -24 ? 62 : 20 + 1.2 * (hour + 24)));
    const trend = analyseTrend('memoryPct', rebooted, NOW_MS);
    expect(trend).toMatchObject({ status: 'rising', knownTerritory: true });
    expect(trend.reason).toContain('was at 62 % before');
  });

  it('alerts when the climb after a clean-up is much faster than the one before', () => {
    const trend = diskTrend(series(168, (hour) => (hour < -24 ? 75 + 0.1 * hour : 40 + 1.2 * (hour + 24))));
    expect(trend).toMatchObject({ status: 'alert', knownTerritory: false });
  });

  it('does not extrapolate one tooth of a sawtooth with log rotation', () => {
    const trend = diskTrend(series(168, (hour) => 40 + ((hour + 168) % 31)));
    expect(trend.status).toBe('stable');
    expect(trend.reason).toContain('rises and falls back (5 times');
  });

  it('notices when the rotation has stopped', () => {
    const trend = diskTrend(series(168, (hour) => 40 + (hour < -43 ? (hour + 168) % 31 : hour + 44) * 0.8));
    expect(trend.status).toBe('alert');
    expect(trend.timeToImpactHours).toBeCloseTo((90 - 40 - 44 * 0.8) / 0.8, 0);
  });
});

describe('daily cycles', () => {
  const cycle = (hour: number) => 8 * Math.sin((2 * Math.PI * hour) / 24);

  it('is stable in the middle of the morning rise', () => {
    const trend = analyseTrend(
      'memoryPct',
      series(168, (hour) => 60 + cycle(hour)),
      NOW_MS,
    );
    expect(trend.status).toBe('stable');
  });

  it('finds the leak under the cycle, and counts to the first peak that reaches the limit', () => {
    const value = (hour: number) => 70 + 0.15 * hour + cycle(hour);
    const trend = analyseTrend('memoryPct', series(168, value), NOW_MS);
    expect(trend.status).toBe('alert');
    expect(trend.slopePerHour).toBeCloseTo(0.15, 2);
    let impact = 0;
    while (value(impact) < 90) impact++;
    expect(Math.abs(trend.timeToImpactHours! - impact)).toBeLessThanOrEqual(8);
    expect(trend.line!.peakAbove).toBeGreaterThan(6);
  });
});

describe('a laptop that is off at night', () => {
  const isOn = (hour: number) => (((hour + 4) % 24) + 24) % 24 < 10;
  const hoursOn = (from: number) => Array.from({ length: -from }, (_, i) => isOn(from + i)).filter(Boolean).length;

  it('is predicted by its running time, in hours of the wall clock', () => {
    const value = (hour: number) => 80 - 0.4 * hoursOn(Math.floor(hour));
    const trend = diskTrend(series(160, (hour) => (isOn(hour) ? value(hour) : null)));
    expect(trend.status).toBe('alert');
    // 10 points at 0.4 an hour, 10 hours a day.
    expect(trend.timeToImpactHours!).toBeGreaterThan(48);
    expect(trend.timeToImpactHours!).toBeLessThan(72);
  });

  it('is calm when its memory fills every working day', () => {
    const trend = analyseTrend(
      'memoryPct',
      series(160, (hour) => (isOn(hour) ? 35 + 3 * ((((hour + 4) % 24) + 24) % 24) : null)),
      NOW_MS,
    );
    expect(trend.status).toBe('stable');
  });
});

describe('other shapes', () => {
  it('a single step up is no trend', () => {
    expect(diskTrend(series(168, (hour) => (hour < -60 ? 50 : 65))).status).toBe('stable');
  });

  it('noise is no trend', () => {
    const dice = new Dice(4);
    const trend = analyseTrend(
      'cpuPct',
      series(168, () => 50 + 8 * dice.normal()),
      NOW_MS,
    );
    expect(trend.status).toBe('stable');
  });

  it('a falling level improves', () => {
    const trend = diskTrend(series(168, (hour) => 60 - 0.1 * hour));
    expect(trend).toMatchObject({ status: 'improving', timeToImpactHours: null, timeToImpactText: null });
  });

  it('a level at the limit has no time left', () => {
    const trend = diskTrend(series(168, (hour) => 95 + 0.05 * hour));
    expect(trend).toMatchObject({ status: 'alert', reached: true, timeToImpactHours: 0, timeToImpactText: 'now' });
  });
});

describe('bad input', () => {
  it('none, one point, or only unmeasured values', () => {
    expect(diskTrend([])).toMatchObject({ status: 'insufficient_data', current: null, points: 0 });
    expect(diskTrend([{ atMs: NOW_MS, value: 50 }])).toMatchObject({ status: 'insufficient_data', current: 50 });
    expect(diskTrend(series(48, () => null))).toMatchObject({ status: 'insufficient_data', current: null });
  });

  it('NaN, values over 100 and future samples change nothing', () => {
    const clean = series(168, (hour) => 75 + 0.25 * hour);
    const dirt = [Number.NaN, 4500, -30, Number.POSITIVE_INFINITY].map((value, i) => ({
      atMs: NOW_MS - (10 * i + 1) * HOUR_MS,
      value,
    }));
    const future = { atMs: NOW_MS + HOUR_MS, value: 1 };
    expect(diskTrend([...clean, ...dirt, future])).toEqual(diskTrend(clean));
  });

  it('a clock that went back: the order of samples does not matter', () => {
    const clean = series(168, (hour) => 75 + 0.25 * hour);
    const jumbled = [...clean.slice(300), ...clean.slice(0, 300)];
    expect(diskTrend(jumbled)).toEqual(diskTrend(clean));
  });

  it('duplicate timestamps neither break nor sway it', () => {
    const clean = series(168, (hour) => 75 + 0.25 * hour);
    const twice = diskTrend(clean.flatMap((point) => [point, point]));
    expect(twice.status).toBe('alert');
    expect(twice.slopePerHour).toBeCloseTo(0.25, 3);
    const allAtOnce = clean.map((point) => ({ ...point, atMs: NOW_MS }));
    expect(diskTrend(allAtOnce).status).toBe('insufficient_data');
  });

  it('a constant series is stable', () => {
    expect(diskTrend(series(168, () => 55))).toMatchObject({ status: 'stable', slopePerHour: 0, r2: null });
  });

  it('a gap of days within a leak does not hide it', () => {
    const trend = diskTrend(series(168, (hour) => (hour > -110 && hour < -50 ? null : 75 + 0.25 * hour)));
    expect(trend.status).toBe('alert');
    expect(trend.slopePerHour).toBeCloseTo(0.25, 2);
  });

  it('samples at the two ends only are not enough', () => {
    const trend = diskTrend(series(168, (hour) => (hour > -165 && hour < -3 ? null : 75 + 0.25 * hour)));
    expect(trend.status).toBe('insufficient_data');
  });

  it('a last sample from long ago says nothing about now', () => {
    const trend = diskTrend(series(168, (hour) => (hour > -30 ? null : 75 + 0.25 * hour)));
    expect(trend).toMatchObject({ status: 'insufficient_data', reason: 'the last sample is 30 hours old' });
  });

  it('too short a watch is not enough, longer for memory and CPU than for a disk', () => {
    const short = series(24, (hour) => 80 + hour);
    expect(analyseTrend('diskPct', short, NOW_MS).status).toBe('alert');
    expect(analyseTrend('memoryPct', short, NOW_MS).status).toBe('insufficient_data');
    expect(analyseTrend('cpuPct', short, NOW_MS).reason).toContain('3 days are needed');
  });

  it('rules can be set', () => {
    const rules = { ...TREND_RULES.diskPct, limitPct: 80, horizonHours: 12 };
    const trend = analyseTrend(
      'diskPct',
      series(168, (hour) => 75 + 0.25 * hour),
      NOW_MS,
      rules,
    );
    expect(trend.status).toBe('rising');
    expect(trend.timeToImpactHours).toBeCloseTo(20, 0);
  });
});

it('project keeps to 0–100', () => {
  const fit = { levelNow: 5, marginNow: 1, slopePerHour: -1, lowPerHour: -2, highPerHour: 0.5 };
  expect(project(fit, 10)).toEqual({ value: 0, low: 0, high: 11 });
});

it('durationText speaks like people', () => {
  expect([0, 0.02, 0.4, 1, 5.2, 47.4, 47.6, 72, -3].map(durationText)).toEqual([
    '0 minutes',
    '1 minute',
    '24 minutes',
    '1 hour',
    '5 hours',
    '47 hours',
    '2 days',
    '3 days',
    '0 minutes',
  ]);
});
