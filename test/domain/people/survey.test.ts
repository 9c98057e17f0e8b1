/** Whom a survey asks, and when. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isWorkingTime, remindThoseAskedBy, sample } from '../../../src/domain/people/survey.ts';

describe('working time', () => {
  test.each([
    ['2026-03-02T09:00:00Z', 'UTC', true],
    ['2026-03-02T08:59:59Z', 'UTC', false],
    ['2026-03-02T16:59:59Z', 'UTC', true],
    ['2026-03-02T17:00:00Z', 'UTC', false],
    ['2026-03-02T00:30:00Z', 'UTC', false],
    ['2026-03-02T09:00:00Z', 'America/New_York', false],
    ['2026-03-02T14:00:00Z', 'America/New_York', true],
    // Friday evening in London is Saturday morning in Tokyo.
    ['2026-03-07T01:00:00Z', 'Asia/Tokyo', false],
    ['2026-03-06T01:00:00Z', 'Asia/Tokyo', true],
    // Summer time began in Berlin on 29 March 2026.
    ['2026-03-30T07:00:00Z', 'Europe/Berlin', true],
    ['2026-03-23T07:00:00Z', 'Europe/Berlin', false],
    ['2026-03-02T09:00:00Z', 'Middle/Earth', true],
  ])('%s in %s: %s', (at, timeZone, expected) => {
    expect(isWorkingTime(new Date(at), timeZone)).toBe(expected);
  });
});

test('the reminder comes when half of the time has passed', () => {
  const ends = new Date('2026-03-09T09:00:00Z');
  expect(remindThoseAskedBy(new Date('2026-03-05T21:00:00Z'), ends)).toEqual(new Date('2026-03-02T09:00:00Z'));
});

test('a sample holds its share of different people', () => {
  const people = Array.from({ length: 40 }, (_, id) => id);
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100 }),
      fc.infiniteStream(fc.float({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
      (share, lots) => {
        const chosen = sample(people, share, () => lots.next().value as number);
        expect(chosen).toHaveLength(Math.ceil((40 * share) / 100));
        expect(new Set(chosen).size).toBe(chosen.length);
        expect(people).toEqual(expect.arrayContaining(chosen));
      },
    ),
  );
});

test('everybody has the same chance', () => {
  let state = 42;
  const random = () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
  const drawn = new Map<number, number>();
  for (let draw = 0; draw < 4000; draw++) {
    for (const one of sample([0, 1, 2, 3], 50, random)) drawn.set(one, (drawn.get(one) ?? 0) + 1);
  }
  for (const times of drawn.values()) expect(Math.abs(times - 2000)).toBeLessThan(150);
});
