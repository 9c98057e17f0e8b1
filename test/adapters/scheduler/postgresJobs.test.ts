/** The queue in a real PostgreSQL. */
import { Pool } from 'pg';
import { afterAll, beforeAll } from 'vitest';
import { createTestDatabase } from '../../helpers/testDatabase.ts';
import { describeSharedQueue, type SharedQueue, type StoredJob } from './queueRules.ts';

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
