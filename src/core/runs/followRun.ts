/** Watching runs: for their end, for a cancellation, and for every change on the way, whichever process makes it. */
import { isFinished, type Run } from '../../domain/run.ts';
import type { Ports } from '../ports/ports.ts';
import { requireRun } from './runs.ts';

/** How often a run is read whose changes another process may have made; milliseconds. */
const POLL_EVERY_MS = 1000;

/** Notices when a run is ended from outside. */
export function watchForCancel(ports: Ports, runId: string): { cancelled: AbortSignal; stop(): void } {
  const cancel = new AbortController();
  const check = async () => {
    const status = await ports.store.runs.status(runId).catch(() => 'running' as const);
    if (status !== 'running') cancel.abort(new Error('The run was cancelled.'));
  };
  const timer = setInterval(check, POLL_EVERY_MS);
  const unsubscribe = ports.runEvents.subscribe(runId, ({ type }) => {
    if (type === 'changed') void check();
  });
  return {
    cancelled: cancel.signal,
    stop() {
      clearInterval(timer);
      unsubscribe();
    },
  };
}

/**
 * Follows a run until it has ended, waits for a human, or the time is up; `onChange` gets it at the start and after
 * every change that was seen.
 */
export async function followRun(
  ports: Ports,
  runId: string,
  waitMs: number,
  signal: AbortSignal,
  onChange: (run: Run) => void = () => {},
): Promise<Run> {
  const over = AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(waitMs))]);
  for (;;) {
    const change = nextChange(ports, runId, over);
    const run = await requireRun(ports, runId);
    onChange(run);
    if (isFinished(run.status) || run.status === 'waiting_approval' || over.aborted) return run;
    await change;
  }
}

/** Resolves when the run changed in this process, when it is time to read what others did, or when the signal aborts. */
function nextChange(ports: Ports, runId: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      unsubscribe();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, POLL_EVERY_MS);
    const unsubscribe = ports.runEvents.subscribe(runId, ({ type }) => {
      if (type === 'changed') done();
    });
    signal.addEventListener('abort', done);
  });
}
