/** Runs one program in its own process group, so that stopping it stops all it started. */
import { spawn } from 'node:child_process';

export interface ProgramOptions {
  cwd: string;
  env: Record<string, string>;
  timeLimitMs: number;
  signal: AbortSignal;
}

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
  /** Why we ended it; null when it ended by itself. */
  stopped: 'time' | 'signal' | null;
}

/** A report of more than this is cut, and then cannot be read. */
const MAX_STDOUT_BYTES = 32 * 1024 * 1024;
const MAX_STDERR_BYTES = 64 * 1024;

/** What a program may take to end itself before it is killed; milliseconds. */
const GRACE_MS = 5_000;

/** Resolves when the program has ended, however it ended; rejects when it cannot be started. */
export function runProgram(program: string, args: string[], options: ProgramOptions): Promise<Ended> {
  const { cwd, env, timeLimitMs, signal } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    const stdout = capped(MAX_STDOUT_BYTES);
    const stderr = capped(MAX_STDERR_BYTES);
    child.stdout.on('data', stdout.take);
    child.stderr.on('data', stderr.take);

    let stopped: Ended['stopped'] = null;
    let killer: ReturnType<typeof setTimeout> | undefined;
    const killGroup = (how: NodeJS.Signals) => {
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, how);
      } catch {
        // The group is gone already.
      }
    };
    const stop = (why: 'time' | 'signal') => {
      stopped ??= why;
      killGroup('SIGTERM');
      killer ??= setTimeout(killGroup, GRACE_MS, 'SIGKILL');
    };
    const onAbort = () => stop('signal');
    const limit = setTimeout(stop, timeLimitMs, 'time');
    const cleanUp = () => {
      clearTimeout(limit);
      clearTimeout(killer);
      signal.removeEventListener('abort', onAbort);
    };
    child.once('error', (error) => {
      cleanUp();
      reject(error);
    });
    child.once('close', (code) => {
      cleanUp();
      if (stopped) killGroup('SIGKILL'); // whoever of the group outlived its leader
      resolve({ code, stdout: stdout.text(), stderr: stderr.text(), stopped });
    });
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
  });
}

function capped(maxBytes: number) {
  const chunks: Buffer[] = [];
  let bytes = 0;
  return {
    take(chunk: Buffer) {
      if (bytes < maxBytes) chunks.push(chunk);
      bytes += chunk.length;
    },
    text: () => Buffer.concat(chunks).toString('utf8'),
  };
}
