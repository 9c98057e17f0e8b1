/** The job queue over Agenda: in this process by default, shared between workers when RUN_QUEUE_URL names a store. */
import { setTimeout as delay } from 'node:timers/promises';
import { Agenda, type AgendaBackend } from 'agenda';
import type { Probe } from '../../core/health.ts';
import type { Log, Queue } from '../../core/ports.ts';
import type { Tracing } from '../../core/tracing.ts';
import { memoryJobs } from './memoryJobs.ts';

/** Jobs are killed after ten minutes and never retried (operations guide, "Scheduled Jobs"). */
const JOB_TIMEOUT_MS = 600_000;

/** For work to notice that it was aborted; milliseconds. */
const ABORT_GRACE_MS = 2000;

/** How a worker looks for work when no notification reaches it. */
const POLL_MS = 1000;

/** Told whenever a job has ended; `error` is null when it went well. */
export type OnEnd = (job: string, startedAt: Date, error: Error | null) => Promise<void>;

export interface Scheduler extends Queue {
  /** Names a handler; `concurrency` is how many of it this process works on at once. */
  define(
    job: string,
    handler: (data: Record<string, unknown>, signal: AbortSignal) => Promise<void>,
    concurrency: number,
  ): void;
  /** Runs a job by cron expression (UTC); one schedule for all workers. */
  every(cron: string, job: string): Promise<void>;
  /** Starts working on jobs; before it the scheduler only takes them. */
  start(): Promise<void>;
  /** Waits for what is running, at most so long, then aborts it. */
  stop(drainMs: number): Promise<void>;
  /** For the health page: whether the queue answers, and how much waits in it. */
  probe: Probe;
}

/** Where in a job's data the span stands that asked for it. */
const TRACEPARENT = 'traceparent';

export async function createScheduler(
  queueUrl: string,
  { log, tracing }: { log: Log; tracing: Tracing },
  onEnd: OnEnd,
): Promise<Scheduler> {
  const backend = await backendFor(queueUrl);
  const agenda = new Agenda({
    backend,
    processEvery: POLL_MS,
    defaultLockLifetime: JOB_TIMEOUT_MS + 60_000,
    removeOnComplete: true,
  });
  const stopping = new AbortController();
  const running = new Set<Promise<void>>();
  let started = false;
  agenda.on('error', (error: Error) => log.error({ err: error }, 'job queue error'));

  return {
    async enqueue(job, data) {
      const asker = tracing.here();
      await agenda.now(job, asker === null ? data : { ...data, [TRACEPARENT]: asker });
    },
    waiting: () => agenda.db.getQueueSize(),

    define(job, handler, concurrency) {
      agenda.define<Record<string, unknown>>(
        job,
        async ({ attrs }) => {
          const startedAt = new Date();
          let failure: Error | null = null;
          const overdue = new AbortController();
          const timer = setTimeout(
            () => overdue.abort(new Error(`${job} took longer than ten minutes`)),
            JOB_TIMEOUT_MS,
          );
          const { [TRACEPARENT]: asker = null, ...data } = attrs.data ?? {};
          const signal = AbortSignal.any([stopping.signal, overdue.signal]);
          const work = tracing.under(asker as string | null, () =>
            tracing.span(`job ${job}`, { 'dexops.job': job }, () => handler(data, signal), 'consumer'),
          );
          running.add(work);
          try {
            await work;
          } catch (error) {
            failure = error as Error;
            // Swallowed on purpose: a failed job is not tried again, and Agenda would keep it for ever.
            log.error({ err: error, job }, 'job failed');
          } finally {
            clearTimeout(timer);
            running.delete(work);
            await onEnd(job, startedAt, failure).catch((error: unknown) =>
              log.error({ err: error, job }, 'the end of a job could not be noted'),
            );
          }
        },
        { concurrency, lockLimit: concurrency },
      );
    },

    async every(cron, job) {
      await agenda.every(cron, job, undefined, { timezone: 'UTC', skipImmediate: true });
    },

    async start() {
      started = true;
      await agenda.start();
    },

    async stop(drainMs) {
      // Agenda can miss the end of the last job and then waits out its whole limit; we know when ours have ended.
      const idle = new AbortController();
      void Promise.allSettled(running).then(() => idle.abort());
      await agenda.drain({ timeout: drainMs, signal: idle.signal });
      stopping.abort();
      // What was aborted stores how far it is before the database closes.
      await Promise.race([Promise.allSettled(running), delay(ABORT_GRACE_MS)]);
      await agenda.stop();
      // Agenda leaves the connection of a queue open that it never worked on.
      if (!started) await backend.disconnect();
    },

    async probe() {
      return { status: 'ok', backend: backend.name, waiting: await agenda.db.getQueueSize() };
    },
  };
}

/** Only the backend that is used is loaded: the MongoDB driver alone costs a fifth of a second. */
async function backendFor(url: string): Promise<AgendaBackend> {
  switch (url.split(':')[0]) {
    case '':
      return memoryJobs();
    case 'mongodb':
    case 'mongodb+srv': {
      const { MongoBackend } = await import('@agendajs/mongo-backend');
      return new MongoBackend({ address: url });
    }
    case 'redis':
    case 'rediss': {
      const { RedisBackend } = await import('@agendajs/redis-backend');
      return new RedisBackend({ connectionString: url });
    }
    default: {
      const { PostgresBackend } = await import('@agendajs/postgres-backend');
      return new PostgresBackend({ connectionString: url });
    }
  }
}
