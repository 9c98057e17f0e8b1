/** Processes that share the work: each says that it is alive, and what one left unfinished when it died is taken up. */
import { AppError } from './errors.ts';
import type { Ports } from './ports.ts';

/** How often a process says that it is alive, and how long a silent one is believed to be; four beats may be lost. */
export const BEAT_MS = 15_000;
export const SILENCE_MS = 60_000;

/** A run's queue entry that got lost (its process died between the two) is missed after so long. */
const LOST_AFTER_MS = 60_000;

/** Longer than any process can be silent and still come back. */
const FORGET_AFTER_MS = 24 * 3_600_000;

type Needs = Pick<Ports, 'store' | 'clock' | 'queue' | 'worker'>;

/** @param works whether this process works on jobs, or only takes them */
export async function beat({ store, clock, worker }: Needs, works: boolean): Promise<void> {
  await store.workers.beat({ ...worker, works, seenAt: clock.now() });
}

export async function leave({ store, clock, worker }: Needs): Promise<void> {
  await store.workers.leave(worker.id, new Date(clock.now().getTime() - FORGET_AFTER_MS));
}

/**
 * Runs that a dead process was working on are marked interrupted (their work may be half done, so it is never repeated
 * blindly); runs that wait while the queue is empty are queued again, which is harmless: claiming a run is atomic.
 * @param isGone tells of a process that says it is alive that it is not; only for those of this machine
 */
export async function takeUpWhatDiedLeft(
  { store, clock, queue, worker }: Needs,
  isGone: (pid: number) => boolean,
): Promise<{ interrupted: number; requeued: number }> {
  const now = clock.now();
  const seen = await store.workers.seenSince(new Date(now.getTime() - SILENCE_MS));
  const alive = seen.filter(({ id, host, pid }) => id === worker.id || host !== worker.host || !isGone(pid));
  const interrupted = await store.runs.interrupt(
    alive.map(({ id }) => id),
    now,
    'The process that worked on this run ended before the run did.',
  );
  if ((await queue.waiting()) > 0) return { interrupted, requeued: 0 };
  const lost = (await store.runs.inStatus(['queued'])).filter(
    ({ createdAt }) => now.getTime() - createdAt.getTime() >= LOST_AFTER_MS || createdAt < worker.startedAt,
  );
  for (const run of lost) await queue.enqueue('execute_run', { run_id: run.id });
  return { interrupted, requeued: lost.length };
}

/** @throws AppError `unavailable` when work is shared and nobody does any */
export async function requireWorkers({ store, clock }: Pick<Ports, 'store' | 'clock'>): Promise<number> {
  const seen = await store.workers.seenSince(new Date(clock.now().getTime() - SILENCE_MS));
  const working = seen.filter(({ works }) => works).length;
  if (working > 0) return working;
  throw new AppError('unavailable', 'RUN_QUEUE_URL is set and no worker runs: start one with `npm run worker`.');
}
