/** What the ledger proposes, and what it refuses to. */
import { expect, test } from 'vitest';
import type { PredictionVerdict } from '../../../src/domain/forecasts/prediction.ts';
import { JUDGED_NEEDED, proposeHorizon, rulesWith } from '../../../src/domain/forecasts/predictionThreshold.ts';

const MADE = new Date('2026-03-01T00:00:00Z');
const hoursLater = (hours: number) => new Date(MADE.getTime() + hours * 3_600_000);

/** So many predictions whose latest time was so far away when they were made. */
const rows = (count: number, highHours: number, verdict: PredictionVerdict, leadHours: number | null = null) =>
  Array.from({ length: count }, () => ({ madeAt: MADE, latestAt: hoursLater(highHours), verdict, leadHours }));

test('with too few verdicts it proposes nothing and says how many it needs; open and averted ones are none', () => {
  const few = [
    ...rows(10, 150, 'false'),
    ...rows(9, 40, 'hit', 30),
    ...rows(30, 40, 'open'),
    ...rows(30, 40, 'averted'),
  ];
  expect(proposeHorizon(few, 168)).toMatchObject({
    judged: 19,
    proposed: null,
    reason: `19 predictions were judged; ${JUDGED_NEEDED} are needed`,
  });
});

test('predictions that come true often enough are left alone', () => {
  const good = [...rows(16, 100, 'hit', 80), ...rows(4, 150, 'false')];
  expect(proposeHorizon(good, 168)).toMatchObject({ proposed: null, reason: '80 % came true, which is good enough' });
});

test('false alarms from far away go with the longest horizon that leaves them out; true ones come later', () => {
  const ledger = [
    ...rows(10, 60, 'hit', 50),
    ...rows(4, 100, 'late', 90),
    ...rows(2, 50, 'false'),
    ...rows(10, 150, 'false'),
  ];
  const { before, proposed } = proposeHorizon(ledger, 168);
  expect(before).toEqual({ cameTrue: 14, falseAlarms: 12, missed: 0, precision: 14 / 26, leadHoursMedian: 50 });
  // 144 leaves the ten out whole; nothing that came true was further away than 100 hours.
  expect(proposed).toEqual({
    horizonHours: 144,
    after: { cameTrue: 14, falseAlarms: 2, missed: 0, precision: 14 / 16, leadHoursMedian: 50 },
  });
});

test('a horizon that would miss what came true, or leave no time to act, is not proposed', () => {
  // Each came after half the time that was predicted: with 24 hours less they would have come unannounced.
  const close = [...rows(10, 160, 'late', 16), ...rows(10, 160, 'false')];
  expect(proposeHorizon(close, 168).proposed).toBeNull();
  const late = [...rows(10, 160, 'late', 26), ...rows(10, 160, 'false')];
  expect(proposeHorizon(late, 168).proposed).toBeNull();
  expect(proposeHorizon(late, 168).reason).toMatch(/^50 % came true, and no shorter horizon/);
});

test('nothing but false alarms proposes nothing: there is no horizon that is known to be right', () => {
  expect(proposeHorizon(rows(30, 100, 'false'), 168).proposed).toBeNull();
});

test('a horizon is for its alert only', () => {
  const horizons = new Map([['DiskFull', 72]] as const);
  expect(rulesWith(horizons, 'diskPct').horizonHours).toBe(72);
  expect(rulesWith(horizons, 'memoryPct').horizonHours).toBe(168);
});
