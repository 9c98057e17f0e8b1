/** The job queue over Agenda: in this process by default, shared between workers when RUN_QUEUE_URL names a store. */
import { setTimeout as delay } from 'node:timers/promises';
import { Agenda } from 'agenda';
import { AppError } from '../../core/errors.ts';
import type { Log, Queue } from '../../core/ports/ports.ts';
import type { Probe } from '../../core/processes/health.ts';
import type { Tracing } from '../../core/tracing.ts';
import { openJobs } from './backends.ts';
import { watchClock } from './clockSteps.ts';
import type { OpenPostgresPool } from './jobStorage.ts';
import { watchLocks } from './watchedLocks.ts';

/**
 * The rules for jobs (operations guide, "Scheduled Jobs", worker settings): killed after ten minutes, results kept for two hours; never
 * retried. A shared queue is searched that often for jobs of processes whose clocks are ahead of this one's.
 */
export const JOB_RULES = { timeoutMs: 600_000, keepResultMs: 7_200_000, bringForwardEveryMs: 15_000 };

/** How much longer than a job may take it stays taken, should its process die. */
const LOCK_MARGIN_MS = 60_000;

/** How often results are looked through for old ones; milliseconds. */
const CLEAN_EVERY_MS = 600_000;

/** How often it is seen to that no job is taken by this process and forgotten; milliseconds. */
const FREE_EVERY_MS = 5000;

/** A queue that is away says so many times a second; once in so long is enough for the log. */
const COMPLAIN_EVERY_MS = 10_000;

/** For work to notice that it was aborted; milliseconds. */
const ABORT_GRACE_MS = 2000;

/** How a worker looks for work when no notification reaches it. */
const POLL_MS = 1000;

/** Called whenever a job has ended; `error` is null when it went well. */
type OnEnd = (job: string, startedAt: Date, error: Error | null) => Promise<void>;

export interface Scheduler extends Queue {
  /** Names a handler; `concurrency` is how many of it this process works on at once. */
  define(
    job: string,
    handler: (data: Record<string, unknown>, signal: AbortSignal) => Promise<void>,
    concurrency: number,
  ): void;
  /** Runs a job by cron expression (UTC); one schedule for all workers. Rejects with `invalid` when that time never comes. */
  every(cron: string, job: string): Promise<void>;
  /** Removes jobs and schedules by name, whoever made them; names that are not in the queue are ignored. */
  remove(jobs: readonly string[]): Promise<void>;
  /** Starts working on jobs; before it the scheduler only takes them. */
  start(): Promise<void>;
  /** How many jobs are due and not taken yet. */
  waiting(): Promise<number>;
  /** Waits for what is running, at most so long, then aborts it. */
  stop(drainMs: number): Promise<void>;
  /** For how long the job that waits the longest has been due; seconds, 0 when none waits. */
  lagS(): Promise<number>;
  /** For the health page: whether the queue answers, and how much waits in it. */
  probe: Probe;
}

/** Where in a job's data the span stands that asked for it. */
const TRACEPARENT = 'traceparent';

export interface SchedulerOptions {
  /** RUN_QUEUE_URL */
  url: string;
  /** Names this process to those that share the queue. */
  name: string;
  log: Log;
  tracing: Tracing;
  onEnd: OnEnd;
  /** For a queue in PostgreSQL. */
  openPostgres: OpenPostgresPool;
  rules?: typeof JOB_RULES;
}

export async function createScheduler({
  url,
  name,
  log,
  tracing,
  onEnd,
  openPostgres,
  rules = JOB_RULES,
}: SchedulerOptions): Promise<Scheduler> {
  let complainedAtMs = -COMPLAIN_EVERY_MS;
  const complain = (error: Error) => {
    if (performance.now() - complainedAtMs < COMPLAIN_EVERY_MS) return;
    complainedAtMs = performance.now();
    log.error({ err: error }, 'job queue error');
  };
  const storage = await openJobs(url, openPostgres, complain);
  const remark = storage.remark?.();
  if (remark) log.warn({ backend: storage.backend.name }, remark);
  const locks = watchLocks(storage.backend.repository, name);
  const agenda = new Agenda({
    name,
    backend: { ...storage.backend, repository: locks.repository },
    processEvery: POLL_MS,
    defaultLockLifetime: rules.timeoutMs + LOCK_MARGIN_MS,
    // In one process nobody else could look at the results.
    removeOnComplete: url === '',
  });
  const stopping = new AbortController();
  const running = new Set<Promise<void>>();
  let cleaning: NodeJS.Timeout | undefined;
  let freeing: NodeJS.Timeout | undefined;
  let bringing: NodeJS.Timeout | undefined;
  let stopWatching = () => {};
  const schedules = new Map<string, string>();
  agenda.on('error', complain);

  const lagS = async () => {
    const due = await storage.oldestDue();
    return due ? Math.max(0, (Date.now() - due.getTime()) / 1000) : 0;
  };
  const releaseJobsOf = async (workerIds: readonly string[]) => {
    const { jobs } = await agenda.db.queryJobs({ state: 'running' });
    // One that was begun and does not repeat stays taken until its lock ends, and is then done once more.
    const theirs = jobs.filter(
      ({ lastModifiedBy, nextRunAt }) => nextRunAt && workerIds.includes(lastModifiedBy ?? ''),
    );
    await agenda.db.unlockJobs(theirs.map(({ _id }) => _id));
  };
  const clean = async () => {
    const keptSince = new Date(Date.now() - rules.keepResultMs);
    const { jobs } = await agenda.db.queryJobs();
    const old = jobs.filter(
      ({ nextRunAt, lockedAt, lastRunAt }) => !nextRunAt && !lockedAt && lastRunAt && lastRunAt < keptSince,
    );
    if (old.length > 0) await agenda.db.removeJobs({ ids: old.map(({ _id }) => _id) });
  };

  const schedule = async (cron: string, job: string) => {
    const { attrs } = await agenda.every(cron, job, undefined, { timezone: 'UTC', skipImmediate: true });
    // Agenda keeps what it cannot read as a job that never runs.
    if (attrs.nextRunAt === null)
      throw new AppError('invalid', `The schedule of ${job} is no time that ever comes: ${cron}`);
  };
  /**
   * Nothing is ever asked for later than now, so what waits for the future was asked for by a clock that was ahead: this one's before it
   * was set back, or another process's.
   */
  const bringForward = async () => {
    const now = new Date();
    const { jobs } = await agenda.db.queryJobs();
    for (const { state: _, ...job } of jobs) {
      if (job.repeatInterval || job.lockedAt || !job.nextRunAt) continue;
      if (job.nextRunAt.getTime() - now.getTime() > POLL_MS)
        await agenda.db.saveJob({ ...job, nextRunAt: now }, undefined);
    }
  };

  const enqueue = async (job: string, data: Record<string, unknown>) => {
    const asker = tracing.here();
    await agenda.now(job, asker === null ? data : { ...data, [TRACEPARENT]: asker });
  };

  return {
    enqueue,
    async enqueueOnce(job) {
      const { jobs } = await agenda.db.queryJobs({ name: job, state: 'queued' });
      if (!jobs.some(({ nextRunAt, lockedAt }) => nextRunAt && !lockedAt)) await enqueue(job, {});
    },
    waiting: () => agenda.db.getQueueSize(),
    lagS,

    async pendingJobs(job) {
      const { jobs } = await agenda.db.queryJobs({ name: job });
      return jobs.flatMap(({ nextRunAt, data }) => (nextRunAt ? [(data ?? {}) as Record<string, unknown>] : []));
    },

    releaseJobsOf,

    define(job, handler, concurrency) {
      agenda.define<Record<string, unknown>>(
        job,
        async ({ attrs }) => {
          const startedAt = new Date();
          let failure: Error | null = null;
          const overdue = new AbortController();
          const timer = setTimeout(
            () => overdue.abort(new Error(`${job} took longer than ${rules.timeoutMs / 1000} s`)),
            rules.timeoutMs,
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
            log.error({ err: error, job }, 'job failed');
            // Kept with the job as its result; without a backoff Agenda does not try it again.
            throw error;
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
      // To save a schedule is to sign it. One that is being worked on keeps the name of whoever does that: it is freed by it, should
      // that process die.
      schedules.set(job, cron);
      const { jobs } = await agenda.db.queryJobs({ name: job });
      if (jobs.some(({ lockedAt, repeatInterval }) => lockedAt && repeatInterval === cron)) return;
      await schedule(cron, job);
    },

    async remove(jobs) {
      if (jobs.length > 0) await agenda.cancel({ names: [...jobs] });
    },

    async start() {
      await bringForward();
      await agenda.start();
      stopWatching = watchClock((byMs) => {
        log.warn({ by_s: Math.round(byMs / 1000) }, 'the clock of this machine was set back: what waits is due again');
        const again = [...schedules].map(([job, cron]) => schedule(cron, job));
        Promise.all([bringForward(), ...again]).catch(complain);
      });
      const cleanAndComplain = () => clean().catch(complain);
      cleaning = setInterval(cleanAndComplain, CLEAN_EVERY_MS);
      if (url !== '') bringing = setInterval(() => bringForward().catch(complain), rules.bringForwardEveryMs);
      freeing = setInterval(() => locks.freeForgotten().catch(complain), FREE_EVERY_MS);
      await cleanAndComplain();
    },

    async stop(drainMs) {
      clearInterval(cleaning);
      clearInterval(freeing);
      clearInterval(bringing);
      stopWatching();
      // Agenda can miss the end of the last job and then waits out its whole limit; we know when ours have ended.
      const idle = new AbortController();
      void Promise.allSettled(running).then(() => idle.abort());
      await agenda.drain({ timeout: drainMs, signal: idle.signal, closeConnection: false });
      stopping.abort();
      // What was aborted stores how far it is, and gives back what it has taken, before anything closes.
      await Promise.race([Promise.allSettled(running), delay(ABORT_GRACE_MS)]);
      if (running.size > 0) await releaseJobsOf([name]).catch(complain);
      await storage.close();
    },

    async probe() {
      const [waiting, lag_s] = await Promise.all([agenda.db.getQueueSize(), lagS()]);
      return { status: 'ok', backend: storage.backend.name, waiting, lag_s };
    },
  };
}
