/** Executing runs: a queued run is claimed once, worked on by its kind, and always ends in a status that says how. */
import type { OutboxMessage } from '../../domain/outbox.ts';
import { isFinished, type Run, type RunKind, type RunStatus } from '../../domain/run.ts';
import type { Actor } from '../actor.ts';
import { AppError } from '../errors.ts';
import { isResumable, jobOf } from '../planner/plannerJob.ts';
import type { Ports } from '../ports/ports.ts';
import type { Store } from '../ports/storePorts.ts';

/** How a piece of work ended, or why it pauses: for a human, or `queued` for the next process. */
export interface RunOutcome {
  status: Exclude<RunStatus, 'running'>;
  result?: unknown;
  error?: string;
  /** Sent outside once, and only if the run really ends so. */
  news?: OutboxMessage[];
}

/** Does the work of one kind of run; throwing means failed. Null: others work on, and end the run. */
export type RunExecutor = (run: Run, context: RunContext) => Promise<RunOutcome | null>;

export interface RunContext {
  /** Aborted when the work has to stop, whatever the reason. */
  signal: AbortSignal;
  /** Aborted when somebody cancelled the run. */
  cancelled: AbortSignal;
  /** Keeps how far the run is, as its result so far. */
  progress(result: unknown): Promise<void>;
}

export type RunExecutors = Partial<Record<RunKind, RunExecutor>>;

/** How often a run is looked at whose changes another process may have made; milliseconds. */
const POLL_EVERY_MS = 1000;

/** What it takes to end a run or to queue it again. */
export type RunPorts = Pick<Ports, 'store' | 'clock' | 'queue' | 'metrics' | 'runEvents' | 'inProgress'>;

/** Thrown by an executor whose work somebody cancelled. */
export class RunCancelled extends Error {}

export type RunSubject = Partial<Pick<Run, 'id' | 'hostname' | 'goal' | 'agentProfile' | 'state'>>;

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

/** Works on a queued run. A second call for the same run does nothing: claiming is atomic. */
export async function executeRun(
  ports: Ports,
  executors: RunExecutors,
  runId: string,
  signal: AbortSignal,
): Promise<Run> {
  const queued = await requireRun(ports, runId);
  const startedAt = queued.startedAt ?? ports.clock.now();
  ports.inProgress.add(runId);
  try {
    if (await ports.store.runs.claim(runId, ports.worker.id, startedAt)) {
      await workOn(ports, executors, { ...queued, status: 'running', startedAt }, signal);
    }
  } finally {
    ports.inProgress.delete(runId);
  }
  return requireRun(ports, runId);
}

async function workOn(ports: Ports, executors: RunExecutors, run: Run, signal: AbortSignal): Promise<void> {
  ports.runEvents.publish(run.id, { type: 'changed' });
  const watch = watchForCancel(ports, run.id);
  const context: RunContext = {
    signal: AbortSignal.any([signal, watch.cancelled]),
    cancelled: watch.cancelled,
    progress: (partial) => ports.store.runs.update(run.id, { result: partial }),
  };
  const about = { 'dexops.run.id': run.id, 'dexops.run.kind': run.kind, 'dexops.hostname': run.hostname };
  await ports.tracing
    .span(`run ${run.kind}`, about, async ({ add }) => {
      const status = await outcomeOf(ports, executors, run, context);
      add({ 'dexops.run.status': status, 'error.type': status === 'failed' ? status : null });
    })
    .finally(() => watch.stop());
}

/** Does the run's work and lets go of it, unless the work goes on elsewhere; the status it was left in. */
async function outcomeOf(ports: Ports, executors: RunExecutors, run: Run, context: RunContext): Promise<RunStatus> {
  try {
    const execute = executors[run.kind];
    if (!execute) throw new AppError('unavailable', `This service has nothing that executes ${run.kind} runs.`);
    const outcome = await execute(run, context);
    return outcome ? await leave(ports, run, outcome) : 'running';
  } catch (error) {
    if (error instanceof RunCancelled) return leave(ports, run, { status: 'cancelled', error: error.message });
    if (!(error instanceof AppError))
      ports.log.error({ err: error, run_id: run.id }, 'run failed with an unexpected error');
    const message = error instanceof AppError ? error.message : 'An internal error; the log has it under this run id.';
    return leave(ports, run, { status: 'failed', error: message });
  }
}

/** The outcome of work that gave a result, unless the service stopped under it. */
export function resultOutcome(result: unknown, signal: AbortSignal): RunOutcome {
  return signal.aborted
    ? { status: 'interrupted', result, error: 'The service stopped.' }
    : { status: 'completed', result };
}

/** Lets go of a running run. One that was cancelled in the meantime stays so. */
async function leave(ports: Ports, run: Run, { status, news = [], ...rest }: RunOutcome): Promise<RunStatus> {
  if (isFinished(status)) {
    await endRun(ports, run, ['running'], { status, ...rest }, async (store, at) => {
      if (news.length > 0) await store.outbox.add(news, at);
    });
  } else {
    await ports.store.runs.move(run.id, ['running'], { status, ...rest });
    if (status === 'queued') await ports.queue.enqueue('execute_run', { run_id: run.id });
    ports.runEvents.publish(run.id, { type: 'changed' });
  }
  return status;
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
    if (run.kind === 'fleet_scan') await store.scanShards.drop(run.id);
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
 * Stops a run: work under way notices at once here, and within a second in another process.
 * @throws AppError `not_found`, `conflict` when it has ended, `refused` for a remediation
 */
export async function cancelRun(ports: Ports, runId: string, by: string): Promise<Run> {
  const run = await requireRun(ports, runId);
  if (run.kind === 'remediation') {
    throw new AppError(
      'refused',
      'A remediation is not cancelled as a run, because its alert has to be released with it.',
      { run_id: runId },
      { next: [{ to: 'Cancel the remediation', tool: 'cancel_remediation', input: { remediation_id: runId } }] },
    );
  }
  const end = { status: 'cancelled' as const, error: `Cancelled by ${by}.` };
  if (await endRun(ports, run, ['queued', 'running', 'waiting_approval'], end)) return requireRun(ports, runId);
  throw new AppError('conflict', `Run ${runId} has ended already.`, { run_id: runId });
}

/** Notices when a run is ended from outside. */
export function watchForCancel(ports: Ports, runId: string): { cancelled: AbortSignal; stop(): void } {
  const cancel = new AbortController();
  const look = async () => {
    const status = await ports.store.runs.status(runId).catch(() => 'running' as const);
    if (status !== 'running') cancel.abort(new Error('The run was cancelled.'));
  };
  const timer = setInterval(look, POLL_EVERY_MS);
  const unsubscribe = ports.runEvents.subscribe(runId, ({ type }) => {
    if (type === 'changed') void look();
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

/** Resolves when the run changed in this process, when it is time to look what others did, or when the signal aborts. */
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

/**
 * Sees to a run whose process died: one that can go on is queued again with what it had reached; any other is marked
 * interrupted, since its work may be half done and is never repeated blindly. Null for a fleet scan that is in its shards' hands.
 */
export async function reclaimRun(ports: RunPorts, run: Run, error: string): Promise<'requeued' | 'interrupted' | null> {
  if (run.kind === 'fleet_scan') {
    // Without shards nothing was done yet.
    if ((await ports.store.scanShards.totals(run.id)).shards > 0) return null;
    await queueAgain(ports, run, run.state);
    return 'requeued';
  }
  if (!isResumable(run)) {
    await endRun(ports, run, ['running'], { status: 'interrupted', error });
    return 'interrupted';
  }
  const job = jobOf(run);
  await queueAgain(ports, run, { ...job, resumes: job.resumes + 1 });
  return 'requeued';
}

async function queueAgain(ports: RunPorts, run: Run, state: unknown): Promise<void> {
  if (await ports.store.runs.move(run.id, ['running'], { status: 'queued', state })) {
    await ports.queue.enqueue('execute_run', { run_id: run.id });
  }
}

export async function requireRun(ports: Pick<Ports, 'store'>, runId: string): Promise<Run> {
  const run = await ports.store.runs.get(runId);
  if (!run) throw new AppError('not_found', `There is no run ${runId}.`, { run_id: runId });
  return run;
}
