/** The rules for jobs, with the queue in this process and in a real PostgreSQL. */
import { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  createScheduler,
  JOB_RULES,
  type Scheduler,
  type SchedulerOptions,
} from '../../../src/adapters/scheduler/scheduler.ts';
import { NO_TRACING } from '../../../src/core/tracing.ts';
import { collectingLog } from '../../helpers/collectingLog.ts';
import { createTestDatabase } from '../../helpers/testDatabase.ts';

let url: string;
let pool: Pool;
beforeAll(async () => {
  url = await createTestDatabase();
  pool = new Pool({ connectionString: url, max: 1 });
}, 120_000);
afterAll(() => pool.end());

let names = 0;
const jobName = () => `job_${++names}`;
const wait = { timeout: 30_000 };

async function openScheduler(queueUrl: string, more: Partial<SchedulerOptions> = {}) {
  const ended: string[] = [];
  const onEnd: SchedulerOptions['onEnd'] = async (job, _at, error) =>
    void ended.push(`${job} ${error?.message ?? 'ok'}`);
  const { log, lines } = collectingLog();
  const scheduler: Scheduler = await createScheduler({
    url: queueUrl,
    name: 'this',
    log,
    tracing: NO_TRACING,
    onEnd,
    ...more,
  });
  return { scheduler, ended, lines };
}

test('the rules are those of the operations guide', () => {
  expect(JOB_RULES).toEqual({ timeoutMs: 600_000, keepResultMs: 7_200_000 });
});

test('a queue that does not answer stops the start and says which', async () => {
  const nobody = 'postgresql://dexops:dexops@127.0.0.1:9/none';
  await expect(openScheduler(nobody)).rejects.toMatchObject({
    kind: 'unavailable',
    message: expect.stringContaining('RUN_QUEUE_URL (PostgreSQL) does not answer'),
  });
});

test('a time that never comes is refused instead of kept and never run', async () => {
  const { scheduler } = await openScheduler('');
  scheduler.define('survey', async () => {}, 1);
  await scheduler.start();
  try {
    for (const cron of ['99 * * * *', '0 0 31 2 *', 'x y z a b'])
      await expect(scheduler.every(cron, 'survey')).rejects.toMatchObject({ kind: 'invalid' });
    await scheduler.every('0 8 * * MON', 'survey');
  } finally {
    await scheduler.stop(0);
  }
});

describe.each(['in process', 'postgresql'])('%s', (kind) => {
  const queueUrl = () => (kind === 'postgresql' ? url : '');

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
        return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))));
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

describe('in PostgreSQL', () => {
  const rowsOf = async (job: string) =>
    (await pool.query('select data, fail_reason, locked_at, next_run_at from agenda_jobs where name = $1', [job])).rows;

  test('results are kept for two hours, with why a job failed, and then removed', async () => {
    const { scheduler, ended } = await openScheduler(url);
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
    const kept = await rowsOf(job);
    expect(kept).toHaveLength(3);
    expect(kept.find(({ data }) => data.n === 1)).toMatchObject({ fail_reason: 'no luck', next_run_at: null });

    const age =
      "update agenda_jobs set last_run_at = now() - $2 * interval '1 second' where name = $1 and data->>'n' = $3";
    await pool.query(age, [job, 7190, '1']);
    await pool.query(age, [job, 7201, '2']);
    const { scheduler: next } = await openScheduler(url);
    await next.start();
    expect((await rowsOf(job)).map(({ data }) => data.n).sort()).toEqual([1, 3]);
    await next.stop(0);
  }, 60_000);

  test('one schedule for all: two processes on one minute run a job once', async () => {
    const job = jobName();
    const both = [await openScheduler(url, { name: 'one' }), await openScheduler(url, { name: 'two' })];
    for (const { scheduler } of both) {
      scheduler.define(job, async () => {}, 1);
      await scheduler.every('* * * * *', job);
    }
    expect(await rowsOf(job)).toHaveLength(1);
    await pool.query('update agenda_jobs set next_run_at = now() where name = $1', [job]);
    for (const { scheduler } of both) await scheduler.start();
    await expect.poll(() => both.flatMap(({ ended }) => ended).length, wait).toBeGreaterThan(0);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const untilNext = 60_000 - (Date.now() % 60_000);
    // Over the turn of a minute it may rightly have run again.
    if (untilNext > 5000 && untilNext < 55_000) expect(both.flatMap(({ ended }) => ended)).toHaveLength(1);
    for (const { scheduler } of both) await scheduler.stop(0);
  }, 60_000);

  test('what a dead process had taken and not begun, and its schedules, are free again', async () => {
    const job = jobName();
    const { scheduler, ended } = await openScheduler(url);
    scheduler.define(job, async () => {}, 1);
    await scheduler.enqueue(job, {});
    await pool.query("update agenda_jobs set locked_at = now(), last_modified_by = 'dead' where name = $1", [job]);
    await scheduler.start();
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(ended).toEqual([]);
    await scheduler.releaseJobsOf(['somebody else']);
    expect((await rowsOf(job))[0].locked_at).not.toBeNull();
    await scheduler.releaseJobsOf(['dead']);
    await expect.poll(() => ended, wait).toEqual([`${job} ok`]);
    await scheduler.stop(0);
  }, 60_000);

  test('a process that joins does not sign a schedule that another is working on', async () => {
    const job = jobName();
    const [{ scheduler: dies }, { scheduler: joins }] = [await openScheduler(url), await openScheduler(url)];
    for (const { define } of [dies, joins]) define(job, async () => {}, 1);
    await dies.every('0 0 1 1 *', job);
    await pool.query("update agenda_jobs set locked_at = now(), last_modified_by = 'dead' where name = $1", [job]);
    await joins.every('0 0 1 1 *', job);
    await joins.releaseJobsOf(['dead']);
    expect((await rowsOf(job))[0].locked_at).toBeNull();
    // Another time is another schedule, whoever is at work.
    await joins.every('0 0 2 1 *', job);
    expect((await rowsOf(job))[0].next_run_at.getUTCDate()).toBe(2);
    for (const { stop } of [dies, joins]) await stop(0);
  }, 60_000);

  test('what nobody has begun is known with its data', async () => {
    const { scheduler, ended } = await openScheduler(url);
    const job = jobName();
    scheduler.define(job, async () => {}, 1);
    await scheduler.enqueue(job, { n: 1 });
    await scheduler.enqueue(job, { n: 2 });
    const unbegun = async () => (await scheduler.unbegun(job)).map(({ n }) => n).sort();
    expect(await unbegun()).toEqual([1, 2]);
    await scheduler.start();
    await expect.poll(() => ended.length, wait).toBe(2);
    expect(await unbegun()).toEqual([]);
    await scheduler.stop(0);
  }, 60_000);

  // A trigger stands for the store that is away at this very moment.
  test.each([
    ['begins', 'old.last_run_at is null'],
    ['ends', 'old.last_run_at is not null'],
  ])(
    'a job whose state is not stored when it %s is done, or free, within seconds',
    async (_when, condition) => {
      const [once, scheduled] = [jobName(), jobName()];
      const { scheduler, ended } = await openScheduler(url, { name: `forgets-${once}` });
      for (const job of [once, scheduled]) scheduler.define(job, async () => {}, 1);
      await scheduler.every('0 0 1 1 *', scheduled);
      await scheduler.enqueue(once, {});
      await pool.query('update agenda_jobs set next_run_at = now() where name = $1', [scheduled]);
      await pool.query(`create or replace function away() returns trigger language plpgsql as $$ begin raise 'away'; end $$;
      create trigger away before update of last_run_at on agenda_jobs for each row
      when (old.name in ('${once}', '${scheduled}') and ${condition}) execute function away()`);
      await scheduler.start();
      const stored = async () => [...(await rowsOf(once)), ...(await rowsOf(scheduled))];
      const failed = 'select count(*)::int as n from agenda_jobs where name = any($1) and locked_at is not null';
      await expect.poll(async () => (await pool.query(failed, [[once, scheduled]])).rows[0].n, wait).toBe(2);
      await new Promise((resolve) => setTimeout(resolve, 1500));
      await pool.query('drop trigger away on agenda_jobs');
      await expect.poll(async () => (await stored()).map(({ locked_at }) => locked_at), wait).toEqual([null, null]);
      await expect.poll(() => [...ended].sort(), wait).toEqual([`${once} ok`, `${scheduled} ok`].sort());
      await scheduler.stop(0);
    },
    120_000,
  );
});
