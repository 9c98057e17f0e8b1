/** Opening a database: beside others on an empty one, and with limits on what a statement may take. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase } from '../../../src/adapters/db/open.ts';
import { runProgram } from '../../helpers/program.ts';
import { createTestDatabase } from '../../helpers/testDatabase.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dexops-open-'));
});
afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
});

test.each(['sqlite', 'postgresql'])(
  'four programs that start at once on an empty %s database all come up',
  async (kind) => {
    const url = kind === 'sqlite' ? `sqlite:///${join(dir, 'new', 'shared.db')}` : await createTestDatabase();
    const env = { DATA_DIR: dir, DATABASE_URL: url, DATABASE_POOL_SIZE: '2', LLM_PROVIDER: '' };
    const programs = [1, 2, 3, 4].map(() => runProgram('src/surfaces/cli.ts', ['keys'], env));
    const codes = await Promise.all(programs.map(({ ended }) => ended));
    expect(codes, programs.map(({ output }) => output()).join('\n---\n')).toEqual([0, 0, 0, 0]);
  },
  120_000,
);

test('a statement on PostgreSQL has a time limit, and says whose it is', async () => {
  const database = await openDatabase(await createTestDatabase());
  const setting = async (name: string) => {
    const [row] = await database.em.fork().execute<{ value: string }[]>('select current_setting(?) as value', [name]);
    return row?.value;
  };
  expect(await setting('statement_timeout')).toBe('1min');
  expect(await setting('idle_in_transaction_session_timeout')).toBe('1min');
  expect(await setting('application_name')).toBe('dexops');
  await database.close();
});
