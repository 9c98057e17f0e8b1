/** Programs that start at the same moment on a database that none of them has prepared. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runProgram } from '../helpers/program.ts';
import { createTestDatabase } from '../helpers/testDatabase.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dexops-together-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

test.each(['sqlite', 'postgresql'])(
  'four programs that start at once on an empty %s database all come up',
  async (kind) => {
    const url = kind === 'sqlite' ? `sqlite:///${join(dir, 'new', 'shared.db')}` : await createTestDatabase();
    const env = { DATA_DIR: dir, DATABASE_URL: url, DATABASE_POOL_SIZE: '2', LLM_PROVIDER: '' };
    const programs = [1, 2, 3, 4].map(() => runProgram('src/surfaces/cli/cli.ts', ['keys'], env));
    const codes = await Promise.all(programs.map(({ ended }) => ended));
    expect(codes, programs.map(({ output }) => output()).join('\n---\n')).toEqual([0, 0, 0, 0]);
  },
  120_000,
);
