/** Vectors of words and letter groups. */
import { expect, test } from 'vitest';
import { HASH_DIMENSIONS, hashVector } from '../../../src/domain/runbooks/hashVector.ts';

const cosine = (a: string, b: string) => {
  const [x, y] = [hashVector(a), hashVector(b)];
  return x.reduce((sum, value, index) => sum + value * (y[index] ?? 0), 0);
};

test('a unit vector, the same every time; zero for no words', () => {
  expect(hashVector('disk is full')).toHaveLength(HASH_DIMENSIONS);
  expect(cosine('disk is full', 'disk is full')).toBeCloseTo(1, 5);
  expect(Math.max(...hashVector('the of and'))).toBe(0);
});

test('misspelt and compound words are nearer than strangers', () => {
  for (const [a, b] of [
    ['printer spooler', 'pritner spoler'],
    ['crash looping', 'crashlooping'],
    ['bluetooth', 'blue tooth headset'],
  ] as const) {
    expect(cosine(a, b)).toBeGreaterThan(cosine(a, 'certificate expires tomorrow') + 0.15);
  }
});
