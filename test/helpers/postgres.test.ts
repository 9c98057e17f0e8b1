/** A test run that failed says so with its exit code, although a package of the tests has hooks for the end of the process. */
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

test('a process that may start PostgreSQL ends with the exit code that was set', () => {
  const script = `await import('${new URL('./postgres.ts', import.meta.url).href}'); process.exitCode = 3;`;
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 3, stderr: '' });
});
