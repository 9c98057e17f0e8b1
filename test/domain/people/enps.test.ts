/** eNPS, its margin, and how people and machines compare. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addTallies,
  agreement,
  correlation,
  enpsOf,
  FEEDBACK_CATEGORIES,
  type FeedbackCategory,
  tallyOf,
} from '../../../src/domain/people/enps.ts';

const said = (...ratings: number[]) => ratings.map((rating) => ({ rating, category: 'other' as FeedbackCategory }));
const answer = fc.record({
  rating: fc.integer({ min: 1, max: 5 }),
  category: fc.constantFrom(...FEEDBACK_CATEGORIES),
});

/** Shares of promoters and detractors among everybody: every mixture in steps of a tenth. */
const OPINIONS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8].flatMap((p) =>
  [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8].filter((d) => p + d < 0.95).map((d) => [p, d] as const),
);

/** The probability, counted over all outcomes, that so many answers give an interval with the true eNPS in it. */
function coverage(answers: number, p: number, d: number): number {
  const logFactorial = Array.from({ length: answers + 1 }, () => 0);
  for (let i = 2; i <= answers; i++) logFactorial[i] = logFactorial[i - 1]! + Math.log(i);
  const truth = (p - d) * 100;
  let covered = 0;
  for (let promoters = 0; promoters <= answers; promoters++) {
    for (let detractors = 0; detractors <= answers - promoters; detractors++) {
      const passives = answers - promoters - detractors;
      const { low, high } = enpsOf({ ratings: [0, detractors, passives, promoters, 0], categories: {} })!;
      if (truth < low || truth > high) continue;
      const ways =
        logFactorial[answers]! - logFactorial[promoters]! - logFactorial[detractors]! - logFactorial[passives]!;
      covered += Math.exp(ways + promoters * Math.log(p) + detractors * Math.log(d) + passives * Math.log(1 - p - d));
    }
  }
  return covered;
}

describe('eNPS', () => {
  test('by the formula of the operations guide', () => {
    const figures = enpsOf(tallyOf(said(5, 5, 4, 4, 4, 3, 3, 2, 1, 1)));
    expect(figures).toMatchObject({ responses: 10, promoters: 5, passives: 2, detractors: 3, enps: 20 });
    // p = 0.5, d = 0.3: √((0.8 − 0.04) / 10) = 0.2757
    expect(figures?.margin).toBe(27.6);
    expect(figures?.averageRating).toBe(3.2);
  });

  test.each([
    [[5, 5, 5, 4, 4], 100, 0],
    [[1, 1, 2, 2, 2], -100, 0],
    [[3, 3, 3, 3, 3], 0, 0],
    [[5, 1], 0, 70.7],
  ])('of %j is %i ± %d', (ratings, enps, margin) => {
    expect(enpsOf(tallyOf(said(...ratings)))).toMatchObject({ enps, margin });
  });

  test('of nothing is nothing', () => {
    expect(enpsOf(tallyOf([]))).toBeNull();
  });

  test('categories come by how often they were named', () => {
    const answers = (['software', 'hardware', 'software'] as const).map((category) => ({ rating: 3, category }));
    expect(enpsOf(tallyOf(answers))?.topCategories).toEqual([
      { category: 'software', responses: 2 },
      { category: 'hardware', responses: 1 },
    ]);
  });

  test('the margin is the standard error of a variable that is 1, 0 or −1', () => {
    fc.assert(
      fc.property(fc.array(answer, { minLength: 1, maxLength: 60 }), (answers) => {
        const values = answers.map(({ rating }) => (rating >= 4 ? 1 : rating <= 2 ? -1 : 0));
        const mean = values.reduce<number>((sum, value) => sum + value, 0) / values.length;
        const variance = values.reduce<number>((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
        const figures = enpsOf(tallyOf(answers));
        expect(figures?.enps).toBeCloseTo(mean * 100, 0);
        expect(Math.abs((figures?.margin ?? 0) - Math.sqrt(variance / values.length) * 100)).toBeLessThan(0.06);
      }),
    );
  });

  test.each([5, 8, 10, 20, 50, 100])(
    'of %i answers, the interval covers the truth in 92 to 97 %% of cases',
    (answers) => {
      const coverages = OPINIONS.map(([p, d]) => coverage(answers, p, d));
      const mean = coverages.reduce((sum, share) => sum + share, 0) / coverages.length;
      expect(mean).toBeGreaterThan(0.92);
      expect(mean).toBeLessThan(0.97);
      // No single state of opinion is served much worse than the average.
      expect(Math.min(...coverages)).toBeGreaterThan(0.915);
    },
  );

  test('the interval stays within what an eNPS can be', () =>
    expect(enpsOf(tallyOf(said(5, 5, 5, 5, 5)))).toMatchObject({ enps: 100, low: 14.3, high: 100 }));

  test('tallies of parts add up to the tally of the whole', () => {
    fc.assert(
      fc.property(fc.array(fc.array(answer, { maxLength: 9 }), { maxLength: 6 }), (parts) => {
        expect(addTallies(parts.map(tallyOf))).toEqual(tallyOf(parts.flat()));
      }),
    );
  });
});

describe('people and machines', () => {
  test('correlate', () => {
    expect(
      correlation([
        [50, -40],
        [70, 0],
        [90, 40],
      ]),
    ).toBe(1);
    expect(
      correlation([
        [50, 40],
        [70, 0],
        [90, -40],
      ]),
    ).toBe(-1);
  });

  test('do not correlate when there are two groups only, or all are alike', () => {
    expect(correlation([[50, 1] as const, [60, 2] as const])).toBeNull();
    expect(correlation([50, 60, 70].map((score) => [score, 10] as const))).toBeNull();
  });

  test.each([
    [-60, -20, 85, 'people_unhappy'],
    [20, 60, 45, 'machines_unwell'],
    [20, 60, 85, 'agree'],
    [-60, -20, 45, 'agree'],
    [-35, 5, 85, 'unclear'],
    [-60, -20, null, 'unclear'],
  ] as const)('eNPS between %i and %i and a score of %s: %s', (low, high, score, expected) => {
    expect(agreement({ responses: 40, low, high }, score, 60)).toBe(expected);
  });

  test('from five answers nothing is concluded, however much they agree', () => {
    const figures = enpsOf(tallyOf(said(1, 1, 1, 1, 1)));
    expect(figures?.high).toBeLessThan(0);
    expect(agreement(figures!, 85, 60)).toBe('unclear');
  });
});
