/** The queue in a real PostgreSQL. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  describeSharedQueue,
  jobName,
  openScheduler,
  type SharedQueue,
  type StoredJob,
  wait,
} from '../adapters/scheduler/queueRules.ts';
import { freePort } from '../helpers/freePort.ts';
import { runProgram } from '../helpers/program.ts';
import { createTestDatabase } from '../helpers/testDatabase.ts';

let url: string;
let pool: Pool;
beforeAll(async () => {
  url = await createTestDatabase();
  pool = new Pool({ connectionString: url, max: 1 });
}, 120_000);
afterAll(() => pool.end());

const COLUMNS = {
  lastRunAt: 'last_run_at',
  nextRunAt: 'next_run_at',
  lockedAt: 'locked_at',
  lastModifiedBy: 'last_modified_by',
};
const queue: SharedQueue = {
  url: () => url,
  async jobs(name) {
    const columns = 'data, fail_reason as "failReason", locked_at as "lockedAt", next_run_at as "nextRunAt"';
    return (await pool.query<StoredJob>(`select ${columns} from agenda_jobs where name = $1`, [name])).rows;
  },
  async change(name, fields, n) {
    const sets = Object.keys(fields).map((field, i) => `${COLUMNS[field as keyof typeof COLUMNS]} = $${i + 3}`);
    const which = "name = $1 and ($2::text is null or data->>'n' = $2)";
    await pool.query(`update agenda_jobs set ${sets.join(', ')} where ${which}`, [name, n, ...Object.values(fields)]);
  },
};

describeSharedQueue('PostgreSQL', queue);

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
    await queue.change(scheduled, { nextRunAt: new Date() });
    await pool.query(`create or replace function away() returns trigger language plpgsql as $$ begin raise 'away'; end $$;
    create trigger away before update of last_run_at on agenda_jobs for each row
    when (old.name in ('${once}', '${scheduled}') and ${condition}) execute function away()`);
    await scheduler.start();
    const locks = async () =>
      [...(await queue.jobs(once)), ...(await queue.jobs(scheduled))].map((job) => job.lockedAt);
    await expect.poll(async () => (await locks()).filter((lock) => lock !== null).length, wait).toBe(2);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await pool.query('drop trigger away on agenda_jobs');
    await expect.poll(locks, wait).toEqual([null, null]);
    await expect.poll(() => [...ended].sort(), wait).toEqual([`${once} ok`, `${scheduled} ok`].sort());
    await scheduler.stop(0);
  },
  120_000,
);

test('a first start without a worker says that one is missing, and goes on', { timeout: 60_000 }, async () => {
  const dir = await mkdtemp(join(tmpdir(), 'dexops-alone-'));
  const service = runProgram('src/main.ts', [], {
    DATA_DIR: dir,
    RUN_QUEUE_URL: url,
    PORT: String(await freePort()),
    EMBEDDING_MODEL: 'none',
    LLM_PROVIDER: '',
  });
  try {
    await service.said(/This machine has no score yet\. RUN_QUEUE_URL is set and no worker runs[\s\S]*Next steps/);
  } finally {
    await service.stop();
    await rm(dir, { recursive: true, force: true });
  }
});
