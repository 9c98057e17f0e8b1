/** What runs drive: the handler of each kind, implemented by the room whose work it is, and the events of those who watch. */
import type { OutboxMessage } from '../../domain/outbox.ts';
import type { Run, RunKind, RunStatus } from '../../domain/run.ts';
import type { Store } from './storePorts.ts';

/** How a piece of work ended, or why it pauses: for a human, or `queued` for the next process. */
export interface RunOutcome {
  status: Exclude<RunStatus, 'running'>;
  result?: unknown;
  error?: string;
  /** Sent once, and only if the run really ends so. */
  updates?: OutboxMessage[];
}

export interface RunContext {
  /** Aborted when the work has to stop, whatever the reason. */
  signal: AbortSignal;
  /** Aborted when somebody cancelled the run. */
  cancelled: AbortSignal;
  /** Keeps how far the run is, as its result so far. */
  progress(result: unknown): Promise<void>;
}

/** What was done about runs, or parts of them, whose process died. */
export interface Reclaimed {
  requeued: number;
  interrupted: number;
}

/** Everything in which one kind of run differs from the others. */
export interface RunKindHandler {
  /** Does the work; throwing means failed. Null: others continue it, and end the run. */
  execute(run: Run, context: RunContext): Promise<RunOutcome | null>;
  /**
   * Handles a running run whose process died, or a queued one that has no place in the queue.
   * @param workerIds the other processes that are alive
   */
  reclaim(run: Run, workerIds: readonly string[]): Promise<Reclaimed>;
  /** Written in the transaction that ends the run. */
  onEnd(store: Store, run: Run): Promise<void>;
  /** Stops the run on somebody's request. @throws AppError `conflict` when it has ended, `refused` where another tool does it */
  cancel(run: Run, by: string): Promise<void>;
}

/** Kinds that are missing cannot be executed by this process. */
export type RunKindHandlers = Partial<Record<RunKind, RunKindHandler>>;

/** `changed`: read the stored run again. `text`: what a model is writing, as it comes; never stored. `withdrawn`: that text is void. */
export type RunEvent = { type: 'changed' } | { type: 'text'; delta: string } | { type: 'withdrawn' };

/** What happens to runs in this process, for those who watch. Other processes' runs are seen by reading the store. */
export interface RunEvents {
  publish(runId: string, event: RunEvent): void;
  /** Returns how to stop listening. */
  subscribe(runId: string, listener: (event: RunEvent) => void): () => void;
}
