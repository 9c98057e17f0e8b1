import { describe, expect, it } from 'vitest';
import {
  aftermathOf,
  endpointWeeks,
  judgePrediction,
  limitReachedAt,
  type Prediction,
  type PredictionVerdict,
  predictionAccuracy,
  predictionDeadline,
  predictionOf,
} from '../../../src/domain/forecasts/prediction.ts';
import { analyseTrend } from '../../../src/domain/forecasts/trend.ts';

const HOUR_MS = 3_600_000;
const MADE_MS = Date.UTC(2026, 2, 10, 12);
const hoursOn = (hours: number) => new Date(MADE_MS + hours * HOUR_MS);

/** Predicted in 50 hours, between 40 and 60. */
const prediction: Prediction = {
  hostname: 'dev-machine-01',
  metric: 'diskPct',
  alertName: 'DiskFull',
  madeAt: hoursOn(0),
  limitPct: 90,
  value: 75,
  slopePerHour: 0.3,
  expectedAt: hoursOn(50),
  soonestAt: hoursOn(40),
  latestAt: hoursOn(60),
};
const verdict = (reachedHours: number | null, nowHours: number, intervenedHours: number | null = null) =>
  judgePrediction(
    prediction,
    {
      reachedAt: reachedHours === null ? null : hoursOn(reachedHours),
      intervenedAt: intervenedHours === null ? null : hoursOn(intervenedHours),
    },
    hoursOn(nowHours),
  ).verdict;

describe('judgePrediction', () => {
  it('waits until the deadline, one and a half times the latest bound', () => {
    expect(predictionDeadline(prediction)).toEqual(hoursOn(91));
    expect(verdict(null, 91)).toBe('open');
    expect(verdict(null, 92)).toBe('false');
  });

  it('hits between the bounds and a tenth beyond', () => {
    expect([40, 50, 60, 36.1, 65.9].map((hours) => verdict(hours, 70))).toEqual(Array(5).fill('hit'));
  });

  it('is late when the limit came sooner, early when it came after the bounds', () => {
    expect([verdict(35, 70), verdict(67, 70), verdict(90, 91)]).toEqual(['late', 'early', 'early']);
  });

  it('is false when the limit came only after the deadline', () => {
    expect(verdict(95, 100)).toBe('false');
  });

  it('is averted when somebody stepped in before', () => {
    expect(verdict(null, 30, 20)).toBe('averted');
    expect(verdict(50, 60, 20)).toBe('averted');
    expect(verdict(50, 60, 55)).toBe('hit');
    expect(verdict(null, 100, 95)).toBe('false');
  });

  it('keeps the hours of warning', () => {
    expect(judgePrediction(prediction, { reachedAt: hoursOn(45), intervenedAt: null }, hoursOn(50))).toEqual({
      verdict: 'hit',
      judgedAt: hoursOn(50),
      reachedAt: hoursOn(45),
      leadHours: 45,
    });
  });
});

describe('limitReachedAt', () => {
  const samples = (...values: (number | null)[]) =>
    values.map((value, i) => ({ atMs: MADE_MS + (i * HOUR_MS) / 4, value }));

  it('dates the start of an hour at the limit', () => {
    expect(limitReachedAt(samples(80, 91, 92, 90, 93, 94), 90)).toEqual(hoursOn(0.25));
  });

  it('does not count a spike, or an hour with a break', () => {
    expect(limitReachedAt(samples(80, 91, 92, 90, 80, 94), 90)).toBeNull();
    expect(limitReachedAt(samples(99), 90)).toBeNull();
    expect(limitReachedAt([], 90)).toBeNull();
  });

  it('takes a missing sample for neither', () => {
    expect(limitReachedAt(samples(91, null, Number.NaN, 92), 90)).toEqual(hoursOn(0));
  });
});

it('predictionOf keeps what a trend foresees, and nothing when it foresees nothing', () => {
  const points = (aHour: number) =>
    Array.from({ length: 673 }, (_, i) => ({
      atMs: MADE_MS + (i / 4 - 168) * HOUR_MS,
      value: 75 + aHour * (i / 4 - 168),
    }));
  const made = predictionOf('dev-machine-01', analyseTrend('diskPct', points(0.25), MADE_MS), hoursOn(0))!;
  expect(made).toMatchObject({ hostname: 'dev-machine-01', alertName: 'DiskFull', limitPct: 90, value: 75 });
  expect((made.expectedAt.getTime() - MADE_MS) / HOUR_MS).toBeCloseTo(60, 3);
  expect(made.soonestAt <= made.expectedAt && made.expectedAt <= made.latestAt).toBe(true);
  expect(predictionOf('dev-machine-01', analyseTrend('diskPct', points(-0.1), MADE_MS), hoursOn(0))).toBeNull();
});

describe('predictionAccuracy', () => {
  const ledger = (...verdicts: [PredictionVerdict, number | null][]) =>
    verdicts.map(([verdict, leadHours]) => ({ verdict, leadHours }));

  it('counts precision over what was judged only', () => {
    const sum = predictionAccuracy(
      ledger(['hit', 20], ['hit', 40], ['early', 90], ['late', 2], ['false', null], ['open', null], ['averted', null]),
      10,
    );
    expect(sum).toEqual({
      predictions: 7,
      open: 1,
      averted: 1,
      hits: 2,
      early: 1,
      late: 1,
      falseAlarms: 1,
      precision: 0.8,
      withinBounds: 0.4,
      leadHoursMedian: 30,
      falseAlarmsPerEndpointWeek: 0.1,
    });
  });

  it('says null where nothing can be said', () => {
    expect(predictionAccuracy([], 0)).toMatchObject({
      predictions: 0,
      precision: null,
      withinBounds: null,
      leadHoursMedian: null,
      falseAlarmsPerEndpointWeek: null,
    });
  });
});

describe('aftermathOf', () => {
  const samples = (...points: [number, number | null][]) =>
    points.map(([hour, value]) => ({ atMs: hoursOn(hour).getTime(), value }));

  it('finds the limit, and who stepped in', () => {
    const history = samples([10, 80], [50, 91], [51, 92]);
    expect(aftermathOf(prediction, history, null, hoursOn(60))).toEqual({ reachedAt: hoursOn(50), intervenedAt: null });
    expect(aftermathOf(prediction, history, hoursOn(20), hoursOn(60)).intervenedAt).toEqual(hoursOn(20));
  });

  it('says nothing of an endpoint that was out of sight when the limit was due', () => {
    const left = samples([10, 80], [39, 84], [45, null]);
    expect(aftermathOf(prediction, left, null, hoursOn(91)).intervenedAt).toBeNull();
    expect(aftermathOf(prediction, left, null, hoursOn(92)).intervenedAt).toEqual(hoursOn(39));
    expect(aftermathOf(prediction, [], null, hoursOn(92)).intervenedAt).toEqual(prediction.madeAt);
    const stayed = samples([10, 80], [41, 84]);
    expect(aftermathOf(prediction, stayed, null, hoursOn(92)).intervenedAt).toBeNull();
  });
});

describe('endpointWeeks', () => {
  it('counts what of each span lies in the period', () => {
    const spans = [
      { from: hoursOn(-1000), to: hoursOn(84) },
      { from: hoursOn(0), to: hoursOn(1000) },
      { from: hoursOn(-1000), to: hoursOn(-500) },
    ];
    expect(endpointWeeks(spans, hoursOn(0), hoursOn(168))).toBeCloseTo(1.5);
    expect(endpointWeeks([], hoursOn(0), hoursOn(168))).toBe(0);
  });
});
