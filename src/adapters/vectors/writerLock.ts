/** Lets one process at a time write the runbook index. */
import { rm } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../../core/errors.ts';

const SQLITE_BUSY = 5;
const SQLITE_NOTADB = 26;

/**
 * Holds SQLite's exclusive lock on an empty file until released. The system frees it when the process dies, however it
 * dies, which a file with a process id in it cannot promise.
 */
export async function lockWriter(path: string, waitMs: number): Promise<() => void> {
  const giveUp = performance.now() + waitMs;
  for (;;) {
    const lock = new DatabaseSync(path, { timeout: 0 });
    try {
      lock.exec('BEGIN EXCLUSIVE');
      return () => lock.close();
    } catch (error) {
      lock.close();
      const code = error instanceof Error && 'errcode' in error ? error.errcode : null;
      if (code === SQLITE_NOTADB) await rm(path, { force: true });
      else if (code !== SQLITE_BUSY) throw error;
    }
    if (performance.now() > giveUp) {
      throw new AppError(
        'conflict',
        'Another process is indexing the runbooks and did not finish: try again when it has.',
      );
    }
    await sleep(50);
  }
}
