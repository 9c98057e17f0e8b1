/** Programs that are run for us: their answer, and that none of them outlives the process that watches it. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runProgram } from '../../../src/adapters/runners/program.ts';
import { isAlive } from '../../helpers/isAlive.ts';

const PATIENCE = { timeout: 20_000, interval: 50 };

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'dexops-program-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const options = () => ({
  cwd: dir,
  env: { PATH: '/usr/bin:/bin' },
  timeLimitMs: 60_000,
  signal: new AbortController().signal,
});

test('a program gets its arguments as they are, no input, and its answer and exit code come back', async () => {
  const script = 'cat; printf "<%s>" "$@"; echo trouble >&2; exit 3';
  const odd = ['$(id)', '; rm -rf /', 'two words', ''];
  expect(await runProgram('sh', ['-c', script, 'name', ...odd], options())).toEqual({
    code: 3,
    stdout: odd.map((word) => `<${word}>`).join(''),
    stderr: 'trouble\n',
    stopped: null,
  });
});

test('what is not there cannot be started', async () => {
  await expect(runProgram('no-such-program', [], options())).rejects.toThrow(/not found/);
});

test('a program that ended leaves no watcher behind', async () => {
  const { stdout } = await runProgram('sh', ['-c', 'ps -o pid= -g $PPID'], options());
  for (const pid of stdout.trim().split(/\s+/).map(Number)) {
    await expect.poll(() => isAlive(pid), PATIENCE).toBe(false);
  }
});

test.each([
  ['when it is asked to', 'sleep 300 & echo $! > child; wait'],
  ['even when it would not', 'trap "" TERM; sleep 300 & echo $! > child; while :; do wait; done'],
])(
  'a program whose watching process is killed ends %s',
  async (_name, script) => {
    const module = JSON.stringify(resolve('src/adapters/runners/program.ts'));
    const given = JSON.stringify({ cwd: dir, env: options().env, timeLimitMs: 60_000 });
    const code = `import { runProgram } from ${module};
    await runProgram('sh', ['-c', ${JSON.stringify(script)}], { ...${given}, signal: new AbortController().signal });`;
    const watching = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'ignore' });
    const childFile = join(dir, 'child');
    await expect.poll(() => existsSync(childFile) && readFileSync(childFile, 'utf8'), PATIENCE).toMatch(/^\d+\n$/);
    const child = Number(readFileSync(childFile, 'utf8'));
    expect(isAlive(child)).toBe(true);
    watching.kill('SIGKILL');
    await expect.poll(() => isAlive(child), PATIENCE).toBe(false);
  },
  60_000,
);
