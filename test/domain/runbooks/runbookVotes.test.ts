/** What votes are worth. */
import { expect, test } from 'vitest';
import { fixRatePct, NO_VOTES, voteBalance } from '../../../src/domain/runbooks/runbookVotes.ts';

test('the share that helped, in whole percent; nobody’s word is no word', () => {
  expect(fixRatePct(NO_VOTES)).toBeNull();
  expect(fixRatePct({ helped: 2, notHelped: 1 })).toBe(67);
  expect(fixRatePct({ helped: 0, notHelped: 3 })).toBe(0);
});

test('one vote weighs little, many weigh nearly all, and both ways alike', () => {
  expect(voteBalance(NO_VOTES)).toBe(0);
  expect(voteBalance({ helped: 1, notHelped: 0 })).toBeCloseTo(0.2);
  expect(voteBalance({ helped: 196, notHelped: 0 })).toBeCloseTo(0.98);
  expect(voteBalance({ helped: 3, notHelped: 5 })).toBe(-voteBalance({ helped: 5, notHelped: 3 }));
});
