/** Runs as facts: each is committed before anybody works on it, and ends exactly once, in a status that says how. */
import type { Run, RunKind, RunStatus } from '../../domain/run.ts';
import type { Actor } from '../actor.ts';
import { AppError } from '../errors.ts';
import type { Ports } from '../ports/ports.ts';
import type { Store } from '../ports/storePorts.ts';

/** What it takes to end a run or to queue it again. */
export type RunPorts = Pick<Ports, 'store' | 'clock' | 'queue' | 'metrics' | 'runEvents' | 'runKinds' | 'inProgress'>;

type RunSubject = Partial<Pick<Run, 'id' | 'hostname' | 'goal' | 'agentProfile' | 'state'>>;

/** A run that nobody has stored yet. */
export function newRun(ports: Pick<Ports, 'ids' | 'clock'>, actor: Actor, kind: RunKind, about: RunSubject = {}): Run {
  return {
    id: about.id ?? ports.ids.next(),
    kind,
    status: 'queued',
    hostname: about.hostname ?? null,
    goal: about.goal ?? null,
    agentProfile: about.agentProfile ?? null,
    requestedBy: actor.id,
    via: actor.via,
    createdAt: ports.clock.now(),
    startedAt: null,
    finishedAt: null,
    error: null,
    result: null,
    steps: [],
    state: about.state ?? null,
    usage: null,
    costUsd: null,
  };
}

/** Commits a run that the caller executes itself. */
export async function addRun(ports: Ports, actor: Actor, kind: RunKind, about: RunSubject): Promise<Run> {
  const run = newRun(ports, actor, kind, about);
  await ports.store.runs.add(run);
  return run;
}

/**
 * Asks for work and returns at once: the run is committed before the queue gets it.
 * @param about an `id` that says what the run is for makes asking twice a `conflict`
 */
export async function requestRun(ports: Ports, actor: Actor, kind: RunKind, about: RunSubject = {}): Promise<Run> {
  const run = await addRun(ports, actor, kind, about);
  await ports.queue.enqueue('execute_run', { run_id: run.id });
  return run;
}

/** @throws AppError `not_found` */
export async function requireRun(ports: Pick<Ports, 'store'>, runId: string): Promise<Run> {
  const run = await ports.store.runs.get(runId);
  if (!run) throw new AppError('not_found', `There is no run ${runId}.`, { run_id: runId });
  return run;
}

/** Ends a run if it is in one of these statuses, together with what else has to be kept then; false when it was not. */
export async function endRun(
  ports: RunPorts,
  run: Run,
  from: readonly RunStatus[],
  end: Pick<Run, 'status'> & Partial<Run>,
  also: (store: Store, finishedAt: Date) => Promise<void> = async () => {},
): Promise<boolean> {
  const finishedAt = ports.clock.now();
  const ended = await ports.store.transaction(async (store) => {
    if (!(await store.runs.move(run.id, from, { ...end, finishedAt }))) return false;
    await ports.runKinds[run.kind]?.onEnd(store, run);
    await also(store, finishedAt);
    return true;
  });
  if (ended) {
    const startedAt = run.startedAt ?? finishedAt;
    ports.metrics.runFinished(run.kind, end.status, (finishedAt.getTime() - startedAt.getTime()) / 1000);
    ports.runEvents.publish(run.id, { type: 'changed' });
  }
  return ended;
}

/**
 * Stops a run as its kind wants it: work in progress notices at once in this process, and within a second in another.
 * @throws AppError `not_found`, `conflict` when it has ended, `refused` when its kind is cancelled by another tool
 */
export async function cancelRun(ports: Ports, runId: string, by: string): Promise<Run> {
  const run = await requireRun(ports, runId);
  const { cancel = (run: Run) => cancelOpenRun(ports, run, by) } = ports.runKinds[run.kind] ?? {};
  await cancel(run, by);
  return requireRun(ports, runId);
}

/** @throws AppError `conflict` when it has ended */
export async function cancelOpenRun(ports: RunPorts, run: Run, by: string): Promise<void> {
  const end = { status: 'cancelled' as const, error: `Cancelled by ${by}.` };
  if (await endRun(ports, run, ['queued', 'running', 'waiting_approval'], end)) return;
  throw new AppError('conflict', `Run ${run.id} has ended already.`, { run_id: run.id });
}
