/** How late this process is by itself: a scanner that gets no processor must not say of machines that they do not answer. */
import { performance } from 'node:perf_hooks';

const TICK_MS = 50;
/** Timers are never exact; less than this is no lateness. */
const SLACK_MS = 20;

export interface Lateness {
  /** Milliseconds by which timers of this process have been late altogether since the watch began. */
  totalMs(): number;
  stop(): void;
}

export function watchLateness(): Lateness {
  let totalMs = 0;
  let lastTickMs = performance.now();
  const overdueMs = (nowMs: number) => Math.max(0, nowMs - lastTickMs - TICK_MS - SLACK_MS);
  const timer = setInterval(() => {
    const nowMs = performance.now();
    totalMs += overdueMs(nowMs);
    lastTickMs = nowMs;
  }, TICK_MS);
  timer.unref();
  return {
    // A tick that is overdue at this moment counts as well: it may stand behind the caller in the queue.
    totalMs: () => totalMs + overdueMs(performance.now()),
    stop: () => clearInterval(timer),
  };
}
