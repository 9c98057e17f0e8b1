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
    [-40, 20, 85, 'people_unhappy'],
    [40, 20, 45, 'machines_unwell'],
    [40, 20, 85, 'agree'],
    [-40, 20, 45, 'agree'],
    [-15, 20, 85, 'unclear'],
    [-40, 20, null, 'unclear'],
  ] as const)('eNPS %i ± %i and a score of %s: %s', (enps, margin, score, expected) => {
    expect(agreement({ enps, margin }, score, 60)).toBe(expected);
  });
});
