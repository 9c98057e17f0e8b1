import { describe, expect, it } from 'vitest';
import type { Track } from '../../../src/domain/forecasts/robustFit.ts';
import {
  dailyProfile,
  findResets,
  highestLevel,
  phaseOfDay,
  runningTime,
  since,
  stretchStart,
  thin,
  tidy,
  until,
  withoutProfile,
} from '../../../src/domain/forecasts/seriesShape.ts';
import { Dice } from '../../bench/seriesGenerator.ts';

const NOW_MS = Date.UTC(2026, 2, 10, 12);
const HOUR_MS = 3_600_000;

function hourly(hours: number, value: (hour: number) => number): Track {
  const at = Array.from({ length: hours }, (_, i) => i - hours + 0.5);
  return { hours: at, values: at.map(value) };
}

describe('tidy', () => {
  it('sorts, and leaves out nulls, NaN, non-percentages, the future and what is too old', () => {
    const track = tidy(
      [
        { atMs: NOW_MS - HOUR_MS, value: 20 },
        { atMs: NOW_MS - 3 * HOUR_MS, value: 10 },
        { atMs: NOW_MS - 2 * HOUR_MS, value: null },
        { atMs: NOW_MS - 2 * HOUR_MS, value: Number.NaN },
        { atMs: NOW_MS - 2 * HOUR_MS, value: Number.POSITIVE_INFINITY },
        { atMs: NOW_MS - 2 * HOUR_MS, value: 4500 },
        { atMs: NOW_MS - 2 * HOUR_MS, value: -20 },
        { atMs: Number.NaN, value: 50 },
        { atMs: NOW_MS + HOUR_MS, value: 50 },
        { atMs: NOW_MS - 200 * HOUR_MS, value: 50 },
        { atMs: NOW_MS, value: 100.4 },
      ],
      NOW_MS,
      168,
    );
    expect(track).toEqual({ hours: [-3, -1, 0], values: [10, 20, 100] });
  });
});

it('thin takes the median of each bucket, and so merges equal times and drops a lone spike', () => {
  const track = { hours: [-1.9, -1.9, -1.5, -1.1, -0.5], values: [10, 10, 95, 11, 20] };
  expect(thin(track, 1)).toEqual({ hours: [-1.7, -0.5], values: [10.5, 20] });
});

it('since and until cut a track in two', () => {
  const track = { hours: [-3, -2, -1], values: [1, 2, 3] };
  expect(since(track, -2)).toEqual({ hours: [-2, -1], values: [2, 3] });
  expect(until(track, -2)).toEqual({ hours: [-3], values: [1] });
  expect(since(track, 5)).toEqual({ hours: [], values: [] });
  expect(until(track, 5)).toEqual(track);
});

describe('runningTime', () => {
  it('stops the clock while an endpoint is off', () => {
    const track = { hours: [-49, -48, -47, -25, -24, -23, -1, 0], values: [1, 2, 3, 4, 5, 6, 7, 8] };
    const { track: running, onShare } = runningTime(track)!;
    expect(running).toEqual({ hours: [-7, -6, -5, -4, -3, -2, -1, 0], values: track.values });
    expect(onShare).toBeCloseTo(7 / 49, 9);
  });

  it('leaves an endpoint alone that is always on, or was silent just once', () => {
    expect(runningTime(hourly(48, () => 40))).toBeNull();
    expect(runningTime({ hours: [-90, -89, -88, -2, -1, 0], values: [1, 1, 1, 1, 1, 1] })).toBeNull();
    expect(runningTime({ hours: [0, 0, 0], values: [1, 1, 1] })).toBeNull();
  });
});

describe('findResets', () => {
  it('finds the fall of a cleaned disk and says from where to where', () => {
    const resets = findResets(hourly(48, (hour) => (hour < -20 ? 80 : 40)));
    expect(resets).toEqual([{ hour: -19.5, from: 80, to: 40 }]);
  });

  it('finds every tooth of a sawtooth', () => {
    expect(findResets(hourly(120, (hour) => 30 + ((hour + 120) % 30)))).toHaveLength(3);
  });

  it('takes neither the end of a short spike nor a gentle fall nor noise for one', () => {
    expect(findResets(hourly(48, (hour) => (hour > -20 && hour < -19 ? 80 : 40)))).toEqual([]);
    expect(findResets(hourly(48, (hour) => 40 - 1.2 * hour))).toEqual([]);
    const dice = new Dice(5);
    expect(findResets(hourly(168, () => 40 + 4 * dice.normal()))).toEqual([]);
  });
});

describe('dailyProfile', () => {
  it('learns a daily cycle and takes it out', () => {
    const track = hourly(168, (hour) => 40 + 10 * Math.sin((2 * Math.PI * hour) / 24));
    const profile = dailyProfile(track)!;
    expect(Math.max(...profile)).toBeCloseTo(10, 0);
    const flat = withoutProfile(track, profile).values;
    expect(Math.max(...flat) - Math.min(...flat)).toBeLessThan(1.5);
  });

  it('learns it under a climb, too', () => {
    const profile = dailyProfile(hourly(168, (hour) => 60 + 0.2 * hour + 8 * Math.sin((2 * Math.PI * hour) / 24)))!;
    expect(Math.max(...profile)).toBeGreaterThan(6);
    expect(Math.max(...profile)).toBeLessThan(10);
  });

  it('sees none in noise, in a constant, or in less than three days', () => {
    const dice = new Dice(9);
    expect(dailyProfile(hourly(168, () => 40 + 5 * dice.normal()))).toBeNull();
    expect(dailyProfile(hourly(168, () => 40))).toBeNull();
    expect(dailyProfile(hourly(48, (hour) => 40 + 10 * Math.sin((2 * Math.PI * hour) / 24)))).toBeNull();
  });

  it('counts the phase of the past and the future alike', () => {
    expect([phaseOfDay(-0.5), phaseOfDay(-24.5), phaseOfDay(0), phaseOfDay(24), phaseOfDay(23.5)]).toEqual([
      23, 23, 0, 0, 23,
    ]);
  });
});

describe('stretchStart', () => {
  it('finds where a climb set in after quiet days', () => {
    const start = stretchStart(
      hourly(168, (hour) => 40 + 1.5 * Math.max(0, hour + 30)),
      6,
    );
    expect(Math.abs(start + 30)).toBeLessThan(2);
  });

  it('finds where a climb ended', () => {
    const start = stretchStart(
      hourly(168, (hour) => 40 + 0.6 * Math.min(60, Math.max(0, hour + 100))),
      6,
    );
    expect(Math.abs(start + 40)).toBeLessThan(3);
  });

  it('keeps a straight or merely noisy track whole', () => {
    const dice = new Dice(2);
    expect(
      stretchStart(
        hourly(168, (hour) => 60 + 0.1 * hour),
        6,
      ),
    ).toBe(-167.5);
    expect(
      stretchStart(
        hourly(168, () => 40 + 3 * dice.normal()),
        6,
      ),
    ).toBe(-167.5);
  });
});

it('highestLevel ignores a peak that did not last', () => {
  expect(highestLevel([40, 40, 90, 41, 42, 42])).toBe(42);
  expect(highestLevel([])).toBe(Number.NEGATIVE_INFINITY);
});
