import { expect, test } from 'vitest';
import { createRateLimit } from '../../../src/surfaces/http/rateLimit.ts';
import { testClock } from '../../helpers/clock.ts';

test('a caller gets its burst, then the steady rate, and is told when to come back', () => {
  const clock = testClock();
  const limit = createRateLimit(6, clock.now);
  for (let i = 0; i < 6; i++) limit.take('a');
  expect(() => limit.take('a')).toThrow('Come back in 10 s');
  clock.advance(9999);
  expect(() => limit.take('a')).toThrow('Come back in 1 s');
  clock.advance(1);
  limit.take('a');
  expect(() => limit.take('a')).toThrow();
  clock.advance(3_600_000);
  for (let i = 0; i < 6; i++) limit.take('a');
  expect(() => limit.take('a')).toThrow();
});

test('a clock that is set back refuses nobody', () => {
  const clock = testClock();
  const limit = createRateLimit(6, clock.now);
  limit.take('a');
  clock.advance(-90_000);
  limit.take('a');
  clock.advance(10_000);
  for (let i = 0; i < 5; i++) limit.take('a');
  expect(() => limit.take('a')).toThrow('Come back in 10 s');
});

test('zero is no limit', () => {
  const limit = createRateLimit(0, testClock().now);
  for (let i = 0; i < 1000; i++) limit.take('a');
});

test('the caller that was quiet longest is forgotten first', () => {
  const limit = createRateLimit(1, testClock().now);
  limit.take('first');
  limit.take('second');
  for (let i = 0; i < 9_998; i++) limit.take(`caller-${i}`);
  expect(() => limit.take('first')).toThrow(); // its turn moves it to the end of the line
  limit.take('one too many');
  limit.take('second');
  expect(() => limit.take('first')).toThrow();
});
