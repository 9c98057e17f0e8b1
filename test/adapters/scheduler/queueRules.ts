/** What must hold of every queue, and of every one that processes share. */
import { describe, expect, test, vi } from 'vitest';
import { openPostgresPool } from '../../../src/adapters/db/postgresPool.ts';
import {
  createScheduler,
  JOB_RULES,
  type Scheduler,
  type SchedulerOptions,
} from '../../../src/adapters/scheduler/scheduler.ts';
import { NO_TRACING } from '../../../src/core/tracing.ts';
import { collectingLog } from '../../helpers/collectingLog.ts';

/** A job as its storage has it. */
export interface StoredJob {
  data: Record<string, unknown>;
  failReason: string | null;
  lockedAt: Date | null;
  nextRunAt: Date | null;
}

export interface JobChange {
  lastRunAt?: Date;
  nextRunAt?: Date;
  lockedAt?: Date;
  lastModifiedBy?: string;
}

/** A queue between processes, and what a test may do behind its back. */
export interface SharedQueue {
  url(): string;
  jobs(name: string): Promise<StoredJob[]>;
  /** Changes all jobs of a name, or the one with this `n` in its data. */
  change(name: string, fields: JobChange, n?: number): Promise<void>;
}

let names = 0;
export const jobName = () => `job_${++names}`;
export const wait = { timeout: 30_000 };

export async function openScheduler(queueUrl: string, more: Partial<SchedulerOptions> = {}) {
  const ended: string[] = [];
  const onEnd: SchedulerOptions['onEnd'] = async (job, _at, error) =>
    void ended.push(`${job} ${error?.message ?? 'ok'}`);
  const { log, lines } = collectingLog();
  const scheduler: Scheduler = await createScheduler({
    url: queueUrl,
    name: 'this',
    log,
    tracing: NO_TRACING,
    openPostgres: openPostgresPool,
    onEnd,
    ...more,
  });
  return { scheduler, ended, lines };
}

export function describeQueue(kind: string, queueUrl: () => string): void {
  describe(kind, () => {
    test('a job that fails is not tried again', async () => {
      const { scheduler, ended } = await openScheduler(queueUrl());
      const job = jobName();
      let tries = 0;
      scheduler.define(
        job,
        async () => {
          tries++;
          throw new Error('no luck');
        },
        1,
      );
      await scheduler.start();
      await scheduler.enqueue(job, {});
      await expect.poll(() => ended, wait).toEqual([`${job} no luck`]);
      await new Promise((resolve) => setTimeout(resolve, 2500)); // two looks at the queue
      expect(tries).toBe(1);
      await scheduler.stop(0);
    }, 60_000);

    test('a job that takes too long is aborted and counts as ended', async () => {
      const { scheduler, ended } = await openScheduler(queueUrl(), { rules: { ...JOB_RULES, timeoutMs: 300 } });
      const job = jobName();
      scheduler.define(
        job,
        (_data, signal) =>
          new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
        1,
      );
      await scheduler.start();
      await scheduler.enqueue(job, {});
      await expect.poll(() => ended, wait).toEqual([`${job} ${job} took longer than 0.3 s`]);
      await scheduler.stop(0);
    }, 60_000);

    test('the lag is the age of the job that waits the longest, until somebody takes it', async () => {
      const { scheduler, ended } = await openScheduler(queueUrl());
      const job = jobName();
      scheduler.define(job, async () => {}, 1);
      expect(await scheduler.lagS()).toBe(0);
      await scheduler.enqueue(job, { n: 1 });
      await new Promise((resolve) => setTimeout(resolve, 1100));
      await scheduler.enqueue(job, { n: 2 });
      expect(await scheduler.lagS()).toBeGreaterThan(1);
      expect(await scheduler.probe()).toMatchObject({ status: 'ok', waiting: 2, lag_s: expect.any(Number) });
      await scheduler.start();
      await expect.poll(() => ended.length, wait).toBe(2);
      expect(await scheduler.lagS()).toBe(0);
      await scheduler.stop(0);
    }, 60_000);

    test('what is wanted once waits once, and comes again when it was begun', async () => {
      const { scheduler, ended } = await openScheduler(queueUrl());
      const job = jobName();
      const begun = Promise.withResolvers<void>();
      const goOn = Promise.withResolvers<void>();
      scheduler.define(
        job,
        async () => {
          begun.resolve();
          await goOn.promise;
        },
        1,
      );
      for (let times = 0; times < 5; times++) await scheduler.enqueueOnce(job);
      expect(await scheduler.pendingJobs(job)).toHaveLength(1);
      await scheduler.start();
      await begun.promise;
      // What it has read already it will not read again.
      for (let times = 0; times < 5; times++) await scheduler.enqueueOnce(job);
      goOn.resolve();
      await expect.poll(() => ended.length, wait).toBe(2);
      await new Promise((resolve) => setTimeout(resolve, 1200));
      expect(ended).toHaveLength(2);
      await scheduler.stop(0);
    }, 60_000);

    test('what nobody has begun is known with its data', async () => {
      const { scheduler, ended } = await openScheduler(queueUrl());
      const job = jobName();
      scheduler.define(job, async () => {}, 1);
      await scheduler.enqueue(job, { n: 1 });
      await scheduler.enqueue(job, { n: 2 });
      const pending = async () => (await scheduler.pendingJobs(job)).map(({ n }) => n).sort();
      expect(await pending()).toEqual([1, 2]);
      await scheduler.start();
      await expect.poll(() => ended.length, wait).toBe(2);
      expect(await pending()).toEqual([]);
      await scheduler.stop(0);
    }, 60_000);

    test('stopping lets a running job end, and aborts one that takes longer than the drain', async () => {
      const { scheduler, ended } = await openScheduler(queueUrl());
      const [short, long] = [jobName(), jobName()];
      let begun = 0;
      scheduler.define(
        short,
        async () => {
          begun++;
          await new Promise((resolve) => setTimeout(resolve, 500));
        },
        1,
      );
      scheduler.define(
        long,
        (_data, signal) => {
          begun++;
          return new Promise((_resolve, reject) =>
            signal.addEventListener('abort', () => reject(new Error('stopped'))),
          );
        },
        1,
      );
      await scheduler.start();
      await scheduler.enqueue(short, {});
      await scheduler.enqueue(long, {});
      await expect.poll(() => begun, wait).toBe(2);
      await scheduler.stop(1500);
      expect(ended).toEqual([`${short} ok`, `${long} stopped`]);
    }, 60_000);
  });
}

/** @param queue is asked for its address only when tests run */
export function describeSharedQueue(kind: string, queue: SharedQueue): void {
  describeQueue(kind, queue.url);
  describe(`${kind}, shared`, () => {
    const secondsAgo = (seconds: number) => new Date(Date.now() - seconds * 1000);

    test('results are kept for two hours, with why a job failed, and then removed', async () => {
      const { scheduler, ended } = await openScheduler(queue.url());
      const job = jobName();
      scheduler.define(
        job,
        async ({ n }) => {
          if (n === 1) throw new Error('no luck');
        },
        3,
      );
      await scheduler.start();
      for (const n of [1, 2, 3]) await scheduler.enqueue(job, { n });
      await expect.poll(() => ended.length, wait).toBe(3);
      await scheduler.stop(1000);
      const kept = await queue.jobs(job);
      expect(kept).toHaveLength(3);
      expect(kept.find(({ data }) => data.n === 1)).toMatchObject({ failReason: 'no luck', nextRunAt: null });

      await queue.change(job, { lastRunAt: secondsAgo(7190) }, 1);
      await queue.change(job, { lastRunAt: secondsAgo(7201) }, 2);
      const { scheduler: next } = await openScheduler(queue.url());
      await next.start();
      expect((await queue.jobs(job)).map(({ data }) => data.n).sort()).toEqual([1, 3]);
      await next.stop(0);
    }, 60_000);

    test('what an earlier version scheduled is removed by name, and nothing else', async () => {
      const [retired, kept] = [jobName(), jobName()];
      const earlier = await openScheduler(queue.url(), { name: 'earlier' });
      await earlier.scheduler.every('* * * * *', retired);
      await earlier.scheduler.every('* * * * *', kept);
      await earlier.scheduler.stop(0);
      const { scheduler } = await openScheduler(queue.url());
      await scheduler.remove([]);
      expect(await queue.jobs(retired)).toHaveLength(1);
      await scheduler.remove([retired, jobName()]);
      expect(await queue.jobs(retired)).toEqual([]);
      expect(await queue.jobs(kept)).toHaveLength(1);
      await scheduler.stop(0);
    }, 60_000);

    test('one schedule for all: two processes on one minute run a job once', async () => {
      const job = jobName();
      const both = [
        await openScheduler(queue.url(), { name: 'one' }),
        await openScheduler(queue.url(), { name: 'two' }),
      ];
      for (const { scheduler } of both) {
        scheduler.define(job, async () => {}, 1);
        await scheduler.every('* * * * *', job);
      }
      expect(await queue.jobs(job)).toHaveLength(1);
      await queue.change(job, { nextRunAt: new Date() });
      for (const { scheduler } of both) await scheduler.start();
      await expect.poll(() => both.flatMap(({ ended }) => ended).length, wait).toBeGreaterThan(0);
      await new Promise((resolve) => setTimeout(resolve, 1500));
      const untilNext = 60_000 - (Date.now() % 60_000);
      // Over the turn of a minute it may rightly have run again.
      if (untilNext > 5000 && untilNext < 55_000) expect(both.flatMap(({ ended }) => ended)).toHaveLength(1);
      for (const { scheduler } of both) await scheduler.stop(0);
    }, 60_000);

    test('two processes that work on several kinds of job at once do each job once', async () => {
      const kinds = Array.from({ length: 4 }, jobName);
      const done: string[] = [];
      const both = [
        await openScheduler(queue.url(), { name: 'one' }),
        await openScheduler(queue.url(), { name: 'two' }),
      ];
      for (const { scheduler } of both) {
        for (const kind of kinds) scheduler.define(kind, async ({ n }) => void done.push(`${kind} ${n}`), 3);
        await scheduler.start();
      }
      const asked = kinds.flatMap((kind) => Array.from({ length: 10 }, (_, n) => ({ kind, n })));
      await Promise.all(asked.map(({ kind, n }, i) => both[i % 2]!.scheduler.enqueue(kind, { n })));
      await expect.poll(() => done.length, wait).toBeGreaterThanOrEqual(asked.length);
      await new Promise((resolve) => setTimeout(resolve, 1500)); // another look at the queue
      expect(done.sort()).toEqual(asked.map(({ kind, n }) => `${kind} ${n}`).sort());
      for (const { scheduler } of both) await scheduler.stop(0);
    }, 60_000);

    test('what a process asked for whose clock is an hour ahead is done soon', async () => {
      const job = jobName();
      const done: unknown[] = [];
      const rules = { ...JOB_RULES, bringForwardEveryMs: 1000 };
      const { scheduler } = await openScheduler(queue.url(), { rules });
      scheduler.define(job, async ({ n }) => void done.push(n), 1);
      await scheduler.start();
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_000 });
      await scheduler.enqueue(job, { n: 1 }).finally(() => vi.useRealTimers());
      await expect.poll(() => done, { timeout: 30_000, interval: 100 }).toEqual([1]);
      await scheduler.stop(0);
    }, 60_000);

    test('processes that start at the same moment make one schedule', async () => {
      const job = jobName();
      const all = await Promise.all(
        ['one', 'two', 'three', 'four'].map((name) => openScheduler(queue.url(), { name })),
      );
      for (const { scheduler } of all) scheduler.define(job, async () => {}, 1);
      await Promise.all(all.map(({ scheduler }) => scheduler.every('0 4 * * *', job)));
      expect(await queue.jobs(job)).toHaveLength(1);
      for (const { scheduler } of all) await scheduler.stop(0);
    }, 60_000);

    test('a process that starts while a scheduled job runs leaves it taken', async () => {
      const job = jobName();
      let begun = 0;
      const work = () => {
        begun++;
        return new Promise<void>((resolve) => setTimeout(resolve, 3500));
      };
      const { scheduler: first } = await openScheduler(queue.url(), { name: 'one' });
      first.define(job, work, 1);
      await first.every('0 4 * * *', job);
      await queue.change(job, { nextRunAt: new Date() });
      await first.start();
      await expect.poll(() => begun, wait).toBe(1);

      const { scheduler: second } = await openScheduler(queue.url(), { name: 'two' });
      second.define(job, work, 1);
      await second.every('0 4 * * *', job);
      await queue.change(job, { nextRunAt: new Date() });
      await second.start();
      await new Promise((resolve) => setTimeout(resolve, 2000)); // two looks at the queue
      expect(begun).toBe(1);
      await Promise.all([first.stop(0), second.stop(0)]);
    }, 60_000);

    test('what a dead process had taken and not begun, and its schedules, are free again', async () => {
      const job = jobName();
      const { scheduler, ended } = await openScheduler(queue.url());
      scheduler.define(job, async () => {}, 1);
      await scheduler.enqueue(job, {});
      await queue.change(job, { lockedAt: new Date(), lastModifiedBy: 'dead' });
      await scheduler.start();
      await new Promise((resolve) => setTimeout(resolve, 1500));
      expect(ended).toEqual([]);
      await scheduler.releaseJobsOf(['somebody else']);
      expect((await queue.jobs(job))[0]?.lockedAt).not.toBeNull();
      await scheduler.releaseJobsOf(['dead']);
      await expect.poll(() => ended, wait).toEqual([`${job} ok`]);
      await scheduler.stop(0);
    }, 60_000);

    test('a process that joins does not sign a schedule that another is working on', async () => {
      const job = jobName();
      const [{ scheduler: dies }, { scheduler: joins }] = [
        await openScheduler(queue.url()),
        await openScheduler(queue.url()),
      ];
      for (const { define } of [dies, joins]) define(job, async () => {}, 1);
      await dies.every('0 0 1 1 *', job);
      await queue.change(job, { lockedAt: new Date(), lastModifiedBy: 'dead' });
      await joins.every('0 0 1 1 *', job);
      await joins.releaseJobsOf(['dead']);
      expect((await queue.jobs(job))[0]?.lockedAt ?? null).toBeNull();
      // Another time is another schedule, whoever is at work.
      await joins.every('0 0 2 1 *', job);
      expect((await queue.jobs(job))[0]?.nextRunAt?.getUTCDate()).toBe(2);
      for (const { stop } of [dies, joins]) await stop(0);
    }, 60_000);
  });
}
