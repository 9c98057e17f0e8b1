/** Processes that share the work: each says that it is alive, and what one left unfinished when it died is taken up. */
import { AppError } from './errors.ts';
import type { Ports } from './ports.ts';
import { type RunPorts, takeUpRun } from './runs.ts';
import type { Worker } from './storePorts.ts';

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
 * Runs that a dead process was working on are taken up; runs that wait while the queue is empty are queued again, which is harmless: claiming a run is atomic.
 * @param isGone tells of a process that says it is alive that it is not; only for those of this machine
 */
export async function takeUpWhatDiedLeft(
  ports: Needs & RunPorts,
  isGone: (pid: number) => boolean,
): Promise<{ interrupted: number; requeued: number }> {
  const { store, clock, queue, worker } = ports;
  const now = clock.now();
  const alive = await aliveWorkers(ports, isGone);
  const taken = { interrupted: 0, requeued: 0 };
  for (const run of await store.runs.abandoned(alive.map(({ id }) => id))) {
    taken[await takeUpRun(ports, run, 'The process that worked on this run ended before the run did.')]++;
  }
  if ((await queue.waiting()) > 0) return taken;
  const lost = (await store.runs.inStatus(['queued'])).filter(
    ({ kind, createdAt }) =>
      // Remediations have an order of their own.
      kind !== 'remediation' && (now.getTime() - createdAt.getTime() >= LOST_AFTER_MS || createdAt < worker.startedAt),
  );
  for (const run of lost) await queue.enqueue('execute_run', { run_id: run.id });
  return { ...taken, requeued: taken.requeued + lost.length };
}

/** Whether no other process of the service is alive. */
export async function isAlone(needs: Needs, isGone: (pid: number) => boolean): Promise<boolean> {
  return (await aliveWorkers(needs, isGone)).every(({ id }) => id === needs.worker.id);
}

async function aliveWorkers(
  { store, clock, worker }: Pick<Needs, 'store' | 'clock' | 'worker'>,
  isGone: (pid: number) => boolean,
): Promise<Worker[]> {
  const seen = await store.workers.seenSince(new Date(clock.now().getTime() - SILENCE_MS));
  return seen.filter(({ id, host, pid }) => id === worker.id || host !== worker.host || !isGone(pid));
}

/** @throws AppError `unavailable` when work is shared and nobody does any */
export async function requireWorkers({ store, clock }: Pick<Ports, 'store' | 'clock'>): Promise<number> {
  const seen = await store.workers.seenSince(new Date(clock.now().getTime() - SILENCE_MS));
  const working = seen.filter(({ works }) => works).length;
  if (working > 0) return working;
  throw new AppError('unavailable', 'RUN_QUEUE_URL is set and no worker runs: start one with `npm run worker`.');
}
