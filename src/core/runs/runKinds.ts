/** What most kinds of run have in common: interrupted work is not repeated, and ending needs nothing else. */
import type { Run } from '../../domain/run.ts';
import type { Reclaimed, RunKindHandler } from '../ports/runPorts.ts';
import { cancelOpenRun, endRun, type RunPorts } from './runs.ts';

/** A kind of run that differs from others by its work alone, or by what `differs` says. */
export function runKind(
  ports: RunPorts,
  execute: RunKindHandler['execute'],
  differs: Partial<Omit<RunKindHandler, 'execute'>> = {},
): RunKindHandler {
  return {
    execute,
    reclaim: (run) => reclaimRun(ports, run),
    onEnd: async () => {},
    cancel: (run, by) => cancelOpenRun(ports, run, by),
    ...differs,
  };
}

/** A run that was only queued is queued again; one whose process died may be half done, and is never repeated blindly. */
export async function reclaimRun(ports: RunPorts, run: Run): Promise<Reclaimed> {
  if (run.status === 'queued') return requeueRun(ports, run, run.state);
  const error = 'The process that worked on this run ended before the run did.';
  await endRun(ports, run, ['running'], { status: 'interrupted', error });
  return { requeued: 0, interrupted: 1 };
}

/** Gives a run that is queued, or whose process died, to the next process. @param state what that one starts from */
export async function requeueRun(ports: RunPorts, run: Run, state: unknown): Promise<Reclaimed> {
  if (run.status === 'queued' || (await ports.store.runs.move(run.id, ['running'], { status: 'queued', state }))) {
    await ports.queue.enqueue('execute_run', { run_id: run.id });
  }
  return { requeued: 1, interrupted: 0 };
}

export const NOTHING_RECLAIMED: Reclaimed = { requeued: 0, interrupted: 0 };
