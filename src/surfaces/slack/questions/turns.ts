/** Spreads work over turns of the event loop, so that a crowd's requests are all acknowledged before the first is worked on. */
import { setImmediate } from 'node:timers/promises';

/** Waits for a turn of one's own; between two turns, what arrived meanwhile is received. */
export function createTurns(): () => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  return () => {
    last = last.then(() => setImmediate());
    return last;
  };
}
