/** Tells a loop that sleeps that there is work, so that it need not look often. */
import { pause } from './pause.ts';

export interface Bell {
  ring(): void;
  /** Waits until the time is over, the signal aborts, or the bell rings; at once when it has rung since this was waited for last. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

export function createBell(): Bell {
  let rung = false;
  let woken = new AbortController();
  return {
    ring() {
      rung = true;
      woken.abort();
    },
    async wait(ms, signal) {
      if (!rung) await pause(ms, AbortSignal.any([signal, woken.signal]));
      if (!rung) return;
      rung = false;
      woken = new AbortController();
    },
  };
}
