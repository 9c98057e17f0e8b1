/** Executing runs: a queued run is claimed once, worked on by its kind, and always ends in a status that says how. */
import { isFinished, type Run, type RunStatus } from '../../domain/run.ts';
import { AppError } from '../errors.ts';
import type { Ports } from '../ports/ports.ts';
import type { RunContext, RunOutcome } from '../ports/runPorts.ts';
import { watchForCancel } from './followRun.ts';
import { endRun, requireRun } from './runs.ts';

/** Thrown by a handler whose work somebody cancelled. */
export class RunCancelled extends Error {}

/** Works on a queued run. A second call for the same run does nothing: claiming is atomic. */
export async function executeRun(ports: Ports, runId: string, signal: AbortSignal): Promise<Run> {
  const queued = await requireRun(ports, runId);
  const startedAt = queued.startedAt ?? ports.clock.now();
  ports.inProgress.add(runId);
  try {
    if (await ports.store.runs.claim(runId, ports.worker.id, startedAt)) {
      await workOn(ports, { ...queued, status: 'running', startedAt }, signal);
    }
  } finally {
    ports.inProgress.delete(runId);
  }
  return requireRun(ports, runId);
}

async function workOn(ports: Ports, run: Run, signal: AbortSignal): Promise<void> {
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
      const status = await outcomeOf(ports, run, context);
      add({ 'dexops.run.status': status, 'error.type': status === 'failed' ? status : null });
    })
    .finally(() => watch.stop());
}

/** Does the run's work and releases it, unless others continue it; the status it was left in. */
async function outcomeOf(ports: Ports, run: Run, context: RunContext): Promise<RunStatus> {
  try {
    const kind = ports.runKinds[run.kind];
    if (!kind) throw new AppError('unavailable', `This service has nothing that executes ${run.kind} runs.`);
    const outcome = await kind.execute(run, context);
    return outcome ? await release(ports, run, outcome) : 'running';
  } catch (error) {
    if (error instanceof RunCancelled) return release(ports, run, { status: 'cancelled', error: error.message });
    if (!(error instanceof AppError))
      ports.log.error({ err: error, run_id: run.id }, 'run failed with an unexpected error');
    const message = error instanceof AppError ? error.message : 'An internal error; the log has it under this run id.';
    return release(ports, run, { status: 'failed', error: message });
  }
}

/** The outcome of work that gave a result, unless the service stopped under it. */
export function resultOutcome(result: unknown, signal: AbortSignal): RunOutcome {
  return signal.aborted
    ? { status: 'interrupted', result, error: 'The service stopped.' }
    : { status: 'completed', result };
}

/** Releases a running run. One that was cancelled in the meantime stays so. */
async function release(ports: Ports, run: Run, { status, updates = [], ...rest }: RunOutcome): Promise<RunStatus> {
  if (isFinished(status)) {
    await endRun(ports, run, ['running'], { status, ...rest }, async (store, at) => {
      if (updates.length > 0) await store.outbox.add(updates, at);
    });
  } else {
    await ports.store.runs.move(run.id, ['running'], { status, ...rest });
    if (status === 'queued') await ports.queue.enqueue('execute_run', { run_id: run.id });
    ports.runEvents.publish(run.id, { type: 'changed' });
  }
  return status;
}
