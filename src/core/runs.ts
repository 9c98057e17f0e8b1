/** Executing runs: a queued run is claimed once, worked on by its kind, and always ends in a status that says how. */
import type { Run, RunKind } from '../domain/run.ts';
import type { Actor } from './actor.ts';
import { AppError } from './errors.ts';
import type { Ports } from './ports.ts';

/** Does the work of one kind of run and returns its result; throwing means failed. */
export type RunExecutor = (run: Run, context: RunContext) => Promise<unknown>;

export interface RunContext {
  signal: AbortSignal;
  /** Keeps how far the run is, as its result so far. */
  progress(result: unknown): Promise<void>;
}

export type RunExecutors = Partial<Record<RunKind, RunExecutor>>;

/** Thrown by an executor whose work somebody cancelled. */
export class RunCancelled extends Error {}

export type RunSubject = Partial<Pick<Run, 'hostname' | 'goal' | 'agentProfile'>>;

/** A run that nobody has stored yet. */
export function newRun(ports: Pick<Ports, 'ids' | 'clock'>, actor: Actor, kind: RunKind, about: RunSubject = {}): Run {
  return {
    id: ports.ids.next(),
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
    usage: null,
    costUsd: null,
  };
}

/** Works on a queued run. A second call for the same run does nothing: claiming is atomic. */
export async function executeRun(
  ports: Ports,
  executors: RunExecutors,
  runId: string,
  signal: AbortSignal,
): Promise<Run> {
  const run = await requireRun(ports, runId);
  if (!(await ports.store.runs.claim(runId, ports.clock.now()))) return requireRun(ports, runId);
  const startedAt = ports.clock.now();
  const finish = async (end: Pick<Run, 'status'> & Partial<Run>) => {
    const finishedAt = ports.clock.now();
    await ports.store.runs.update(runId, { ...end, finishedAt });
    ports.metrics.runFinished(run.kind, end.status, (finishedAt.getTime() - startedAt.getTime()) / 1000);
    return requireRun(ports, runId);
  };
  try {
    const execute = executors[run.kind];
    if (!execute) throw new AppError('unavailable', `This service has nothing that executes ${run.kind} runs.`);
    const result = await execute(run, {
      signal,
      progress: (partial) => ports.store.runs.update(runId, { result: partial }),
    });
    return await finish(
      signal.aborted
        ? { status: 'interrupted', result, error: 'The service stopped.' }
        : { status: 'completed', result },
    );
  } catch (error) {
    if (error instanceof RunCancelled) return finish({ status: 'cancelled', error: error.message });
    if (error instanceof AppError) return finish({ status: 'failed', error: error.message });
    ports.log.error({ err: error, run_id: runId }, 'run failed with an unexpected error');
    return finish({ status: 'failed', error: 'An internal error; the log has it under this run id.' });
  }
}

/**
 * After a restart: runs that were being worked on are marked interrupted (their work may be half done, so it is never
 * repeated blindly), runs that were still queued are queued again; remediations have an order of their own.
 */
export async function recoverRuns(ports: Ports): Promise<{ interrupted: number; requeued: number }> {
  const running = await ports.store.runs.inStatus(['running']);
  for (const run of running) {
    await ports.store.runs.update(run.id, {
      status: 'interrupted',
      finishedAt: ports.clock.now(),
      error: 'The service stopped while this run was under way.',
    });
  }
  const queued = (await ports.store.runs.inStatus(['queued'])).filter(({ kind }) => kind !== 'remediation');
  for (const run of queued) await ports.queue.enqueue('execute_run', { run_id: run.id });
  return { interrupted: running.length, requeued: queued.length };
}

export async function requireRun(ports: Ports, runId: string): Promise<Run> {
  const run = await ports.store.runs.get(runId);
  if (!run) throw new AppError('not_found', `There is no run ${runId}.`, { run_id: runId });
  return run;
}
