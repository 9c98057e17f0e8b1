/** Processes that share the work: each says that it is alive, and what one left unfinished when it died is reclaimed. */

import { AppError } from '../errors.ts';
import type { Clock, Ports } from '../ports/ports.ts';
import { type RunPorts, reclaimRun } from '../runs/runs.ts';
import { reclaimShards } from '../scans/fleetScan.ts';
import { countWorkers, SILENCE_MS } from './aliveWorkers.ts';

/** A run's queue entry that got lost (its process died between the two) is missed after so long. */
const LOST_AFTER_MS = 60_000;

/** Longer than any process can be silent and still come back. */
const FORGET_AFTER_MS = 24 * 3_600_000;

type WorkerPorts = Pick<Ports, 'store' | 'clock' | 'queue' | 'worker'>;

/** @param works whether this process works on jobs, or only takes them */
export async function beat({ store, clock, worker }: WorkerPorts, works: boolean): Promise<void> {
  await store.workers.beat({ ...worker, works, seenAt: clock.now() });
}

export async function leave({ store, clock, worker }: WorkerPorts): Promise<void> {
  await store.workers.leave(worker.id, new Date(clock.now().getTime() - FORGET_AFTER_MS));
}

/**
 * What a dead process was working on is reclaimed, and what this one released without recording it (the database was away when it had
 * ended); what waits without a place in the queue gets one again, which is harmless: claiming is atomic.
 * @param isGone tells of a process that says it is alive that it is not; only for those of this machine
 */
export async function reclaimFromDeadProcesses(
  ports: WorkerPorts & RunPorts & Pick<Ports, 'log'>,
  isGone: (pid: number) => boolean,
): Promise<{ interrupted: number; requeued: number }> {
  const { store, clock, queue, inProgress } = ports;
  const now = clock.now();
  // Read before asking who is alive: a process that came in between, and took a run at once, has died of nothing.
  const running = new Set((await store.runs.inStatus(['running'])).map(({ id }) => id));
  const { alive, dead } = await otherWorkers(ports, isGone);
  if (dead.length > 0) await queue.releaseJobsOf(dead);
  const taken = { interrupted: 0, requeued: 0 };
  const abandoned = await store.runs.abandoned(alive);
  for (const run of abandoned.filter(({ id }) => running.has(id) && !inProgress.has(id))) {
    const outcome = await reclaimRun(ports, run, 'The process that worked on this run ended before the run did.');
    if (outcome) taken[outcome]++;
  }
  taken.requeued += await reclaimShards(ports, alive);
  for (const id of dead) await store.workers.leave(id, new Date(now.getTime() - FORGET_AFTER_MS));
  return { ...taken, requeued: taken.requeued + (await queueLostRuns(ports)) };
}

/** Queues again what waits and has no place in the queue, whatever else is there; returns how many runs. */
async function queueLostRuns({ store, clock, queue, worker }: WorkerPorts): Promise<number> {
  const nowMs = clock.now().getTime();
  const waiting = (await store.runs.inStatus(['queued'])).filter(
    ({ createdAt }) => nowMs - createdAt.getTime() >= LOST_AFTER_MS || createdAt < worker.startedAt,
  );
  if (waiting.length === 0) return 0;
  const places = new Set((await queue.pendingJobs('execute_run')).map(({ run_id }) => run_id));
  // Remediations get into the queue when their turn has come.
  const begun = new Set((await store.remediations.inStatus(['running'])).map(({ id }) => id));
  const lost = waiting.filter(({ id, kind }) => !places.has(id) && (kind !== 'remediation' || begun.has(id)));
  for (const { id } of lost) await queue.enqueue('execute_run', { run_id: id });
  return lost.length;
}

/**
 * Detects a process that was asleep, or whose clock jumped: to it all others seem silent, until they have said with the new time
 * that they are alive. Ask at each beat.
 */
export function createSleepCheck({ now }: Clock): () => boolean {
  let askedAt = now();
  return () => {
    const before = askedAt;
    askedAt = now();
    return askedAt.getTime() - before.getTime() >= SILENCE_MS;
  };
}

/** Whether no other process of the service is alive. */
export async function isAlone(ports: WorkerPorts, isGone: (pid: number) => boolean): Promise<boolean> {
  return (await otherWorkers(ports, isGone)).alive.length === 0;
}

/** Ids of the other processes that are known: those that say they are alive, and those that fell silent without signing off. */
async function otherWorkers(
  { store, clock, worker }: Pick<WorkerPorts, 'store' | 'clock' | 'worker'>,
  isGone: (pid: number) => boolean,
): Promise<{ alive: string[]; dead: string[] }> {
  const silentSince = new Date(clock.now().getTime() - SILENCE_MS);
  const others = (await store.workers.seenSince(new Date(0))).filter(({ id }) => id !== worker.id);
  const { alive = [], dead = [] } = Object.groupBy(others, ({ seenAt, host, pid }) =>
    seenAt >= silentSince && (host !== worker.host || !isGone(pid)) ? 'alive' : 'dead',
  );
  return { alive: alive.map(({ id }) => id), dead: dead.map(({ id }) => id) };
}

/** @throws AppError `unavailable` when work is shared and nobody does any */
export async function requireWorkers(ports: Pick<Ports, 'store' | 'clock'>): Promise<number> {
  const working = await countWorkers(ports);
  if (working > 0) return working;
  throw new AppError('unavailable', 'RUN_QUEUE_URL is set and no worker runs: start one with `npm run worker`.');
}
