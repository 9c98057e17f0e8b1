/** A clock that moves only when told to. */
import type { Clock } from '../../src/core/ports/ports.ts';

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

/** A clock that goes on by itself from a chosen time, for what waits its turn by the clock. */
export function runningClock(start: Date): TestClock {
  let aheadMs = start.getTime() - Date.now();
  return {
    now: () => new Date(Date.now() + aheadMs),
    advance(ms) {
      aheadMs += ms;
    },
  };
}
