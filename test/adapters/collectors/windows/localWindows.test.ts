/** PowerShell as a program: one that hangs, one that is not there, one that never stops talking. */
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createWindowsReader } from '../../../../src/adapters/collectors/windows/localWindows.ts';
import { isAlive } from '../../../helpers/isAlive.ts';

const NOW = new Date('2026-11-25T12:00:00Z');
const context = { now: NOW, services: undefined };

describe.skipIf(process.platform === 'win32')('a program in the place of powershell.exe', () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'dexops-powershell-'));
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  const program = async (name: string, script: string): Promise<string> => {
    const file = join(dir, name);
    await writeFile(file, `#!/bin/sh\n${script}\n`);
    await chmod(file, 0o755);
    return file;
  };
  const pidsIn = async (file: string) => (await readFile(join(dir, file), 'utf8')).trim().split('\n').map(Number);

  test('that hangs is ended in time with what it started, and what it had said counts', async () => {
    const hangs = await program(
      'hangs',
      `echo '@@os {"name":"Windows 11","memoryKb":16000000,"freeKb":4000000}'
sleep 600 & echo $! >> "${dir}/pids"; echo $$ >> "${dir}/pids"
wait`,
    );
    const reader = createWindowsReader(hangs, 400);
    const startedMs = performance.now();
    const read = await reader.read(context, 900, new AbortController().signal);
    expect(performance.now() - startedMs).toBeLessThan(4000);
    expect(read.memoryPct).toEqual({ value: 75 });
    expect(read.wifiSignalDbm).toEqual({ missing: 'PowerShell did not get to it in time' });
    for (const pid of await pidsIn('pids')) await expect.poll(() => isAlive(pid)).toBe(false);
    // It is not asked again before it is due, or every scan would take as long.
    const again = performance.now();
    await reader.read(context, 900, new AbortController().signal);
    expect(performance.now() - again).toBeLessThan(200);
  });

  test('ends with the scan that asked it', async () => {
    const hangs = await program('waits', `sleep 600 & echo $! > "${dir}/pid"; wait`);
    const stop = new AbortController();
    const reading = createWindowsReader(hangs, 60_000).read(context, 900, stop.signal);
    await expect.poll(() => pidsIn('pid').catch(() => [])).toHaveLength(1);
    stop.abort();
    await reading;
    for (const pid of await pidsIn('pid')) await expect.poll(() => isAlive(pid)).toBe(false);
  });

  test('that is not there is said', async () => {
    const read = await createWindowsReader(join(dir, 'absent')).read(context, 900, new AbortController().signal);
    expect(read.logErrors).toEqual({ missing: 'there is no powershell.exe' });
  });

  test('that never stops talking is ended', async () => {
    const talks = await program('talks', 'yes "@@noise {}"');
    const read = await createWindowsReader(talks, 30_000).read(context, 900, new AbortController().signal);
    expect(read).toEqual({});
  });
});
