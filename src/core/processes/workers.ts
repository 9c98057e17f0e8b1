/** Processes that share the work: each says that it is alive, and what one left unfinished when it died is reclaimed. */
import type { Run } from '../../domain/run.ts';
import { AppError } from '../errors.ts';
import type { Clock, Ports } from '../ports/ports.ts';
import type { Reclaimed } from '../ports/runPorts.ts';
import { reclaimRun } from '../runs/runKinds.ts';
import type { RunPorts } from '../runs/runs.ts';
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
 * Reclaims what a dead process was working on, and what this one released without a record (the database was away when it had
 * ended); what waits without a place in the queue gets one again, which is harmless: claiming is atomic.
 * @param isGone whether a process of this machine that says it is alive has ended
 */
export async function reclaimFromDeadProcesses(
  ports: WorkerPorts & RunPorts & Pick<Ports, 'log'>,
  isGone: (pid: number) => boolean,
): Promise<Reclaimed> {
  const { store, clock, queue, inProgress } = ports;
  const now = clock.now();
  // Read before asking who is alive: a process that came in between, and took a run at once, did not die.
  const running = new Set((await store.runs.inStatus(['running'])).map(({ id }) => id));
  const { alive, dead } = await otherWorkers(ports, isGone);
  if (dead.length > 0) await queue.releaseJobsOf(dead);
  const abandoned = (await store.runs.abandoned(alive)).filter(({ id }) => running.has(id) && !inProgress.has(id));
  const taken: Reclaimed = { interrupted: 0, requeued: 0 };
  for (const run of [...abandoned, ...(await lostRuns(ports))]) {
    const kind = ports.runKinds[run.kind];
    const { requeued, interrupted } = await (kind ? kind.reclaim(run, alive) : reclaimRun(ports, run));
    taken.requeued += requeued;
    taken.interrupted += interrupted;
  }
  for (const id of dead) await store.workers.leave(id, new Date(now.getTime() - FORGET_AFTER_MS));
  return taken;
}

/** Queued runs that have no place in the queue, whatever else is there. */
async function lostRuns({ store, clock, queue, worker }: WorkerPorts): Promise<Run[]> {
  const nowMs = clock.now().getTime();
  const waiting = (await store.runs.inStatus(['queued'])).filter(
    ({ createdAt }) => nowMs - createdAt.getTime() >= LOST_AFTER_MS || createdAt < worker.startedAt,
  );
  if (waiting.length === 0) return [];
  const places = new Set((await queue.pendingJobs('execute_run')).map(({ run_id }) => run_id));
  return waiting.filter(({ id }) => !places.has(id));
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

/** Whether this process, or another that says so, is alive. Read what it works on first: one that starts meanwhile did not die. */
export async function isWorkerAlive(
  ports: Pick<WorkerPorts, 'store' | 'clock' | 'worker'>,
  isGone: (pid: number) => boolean,
  workerId: string,
): Promise<boolean> {
  return workerId === ports.worker.id || (await otherWorkers(ports, isGone)).alive.includes(workerId);
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
