import { describe, expect, it } from 'vitest';
import { medianSlope, quantile, robustFit, robustSigma, type Track } from '../../../src/domain/forecasts/robustFit.ts';
import { Dice } from '../../bench/seriesGenerator.ts';

function trackOf(points: number, spanHours: number, value: (hour: number) => number): Track {
  const hours = Array.from({ length: points }, (_, i) => (i / (points - 1) - 1) * spanHours);
  return { hours, values: hours.map(value) };
}

describe('robustFit', () => {
  it('finds the line through points on a line, with no doubt', () => {
    const fit = robustFit(trackOf(40, 48, (hour) => 70 + 0.5 * hour));
    expect(fit.slopePerHour).toBeCloseTo(0.5, 9);
    expect(fit.lowPerHour).toBeCloseTo(0.5, 6);
    expect(fit.highPerHour).toBeCloseTo(0.5, 6);
    expect(fit.levelNow).toBeCloseTo(70, 9);
    expect(fit.marginNow).toBeCloseTo(0, 6);
    expect(fit.r2).toBeCloseTo(1, 9);
  });

  it('is not bent by a quarter of wild readings', () => {
    const clean = trackOf(60, 48, (hour) => 60 + 0.3 * hour);
    const values = clean.values.map((value, i) => (i % 4 === 1 ? 99 : value));
    expect(medianSlope({ hours: clean.hours, values })).toBeCloseTo(0.3, 1);
  });

  it('has no r2 and a slope of exactly 0 when nothing varies', () => {
    const fit = robustFit(trackOf(30, 24, () => 42));
    expect(fit).toMatchObject({ slopePerHour: 0, lowPerHour: 0, highPerHour: 0, levelNow: 42, r2: null });
  });

  it('covers the true slope about as often as promised under white noise', () => {
    let covered = 0;
    for (let seed = 1; seed <= 200; seed++) {
      const dice = new Dice(seed);
      const fit = robustFit(trackOf(64, 168, (hour) => 50 + 0.05 * hour + 3 * dice.normal()));
      if (fit.lowPerHour <= 0.05 && fit.highPerHour >= 0.05) covered++;
    }
    expect(covered).toBeGreaterThanOrEqual(180);
  });

  it('seldom calls a random walk without drift a rise', () => {
    let rises = 0;
    for (let seed = 1; seed <= 200; seed++) {
      const dice = new Dice(seed);
      let level = 50;
      const walk = trackOf(64, 168, () => {
        level += dice.normal();
        return level;
      });
      if (robustFit(walk).lowPerHour > 0) rises++;
    }
    // One-sided 5 % is promised: 10 of 200, and three standard deviations of chance.
    expect(rises).toBeLessThanOrEqual(20);
  });

  it('leaves the interval open when blocks of the span are missing', () => {
    const gap = { hours: [-100, -99, -98, -97, -3, -2, -1, 0], values: [10, 10, 10, 10, 60, 60, 60, 60] };
    const fit = robustFit(gap);
    expect(fit.lowPerHour).toBe(Number.NEGATIVE_INFINITY);
    expect(fit.highPerHour).toBe(Number.POSITIVE_INFINITY);
  });
});

it('quantile interpolates between neighbours', () => {
  expect(quantile([1, 2, 3, 4], 0.5)).toBe(2.5);
  expect(quantile([7], 0.95)).toBe(7);
  expect(quantile([], 0.5)).toBeNaN();
});

it('robustSigma estimates a normal deviation and shrugs at outliers', () => {
  const dice = new Dice(3);
  const values = Array.from({ length: 2000 }, (_, i) => (i % 10 === 0 ? 1000 : 5 * dice.normal()));
  expect(robustSigma(values)).toBeGreaterThan(4.5);
  expect(robustSigma(values)).toBeLessThan(6.5);
});
