/** A clock that moves only when told to. */
import type { Clock } from '../../src/core/ports.ts';

export interface TestClock extends Clock {
  advance(ms: number): void;
}

export function testClock(start = new Date('2026-03-02T09:00:00Z')): TestClock {
  let nowMs = start.getTime();
  return {
    now: () => new Date(nowMs),
    advance(ms) {
      nowMs += ms;
    },
  };
}
