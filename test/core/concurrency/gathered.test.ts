import { expect, test } from 'vitest';
import { gathered } from '../../../src/core/concurrency/gathered.ts';
import { AppError } from '../../../src/core/errors.ts';

test('what arrives together, or while a group is under way, makes a group', async () => {
  const groups: number[][] = [];
  const double = gathered<number, number>(async (items) => {
    groups.push(items);
    await Promise.resolve();
    return items.map((item) => item * 2);
  }, 3);
  expect(await Promise.all([1, 2, 3, 4, 5].map(double))).toEqual([2, 4, 6, 8, 10]);
  expect(groups).toEqual([
    [1, 2, 3],
    [4, 5],
  ]);
});

test('one that fails does not fail its neighbours', async () => {
  const work = gathered<number, number>(async (items) => {
    if (items.includes(3)) throw new Error('three');
    return items;
  }, 10);
  const results = await Promise.allSettled([1, 2, 3, 4].map(work));
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
  expect(await work(5)).toBe(5);
});

test('what is down for one is down for all, and is asked once', async () => {
  let asked = 0;
  const work = gathered<number, number>(async () => {
    asked++;
    throw new AppError('unavailable', 'down');
  }, 10);
  const results = await Promise.allSettled([1, 2, 3, 4].map(work));
  expect(results.map(({ status }) => status)).toEqual(Array(4).fill('rejected'));
  expect(asked).toBe(1);
});
