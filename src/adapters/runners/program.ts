/** Runs one program in its own process group, so that stopping it stops all it started, and so does the end of this process. */
import { spawn } from 'node:child_process';

interface ProgramOptions {
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

/**
 * Leads the group and starts the program beside a watcher, whose end of a pipe (descriptor 3) closes when this process is
 * gone, even by SIGKILL: then it ends the group as `stop` does. What is run comes in as arguments and is never read as script.
 */
const LEADER = `
(trap '' TERM; read -r _ <&3; kill -s TERM -- -$$; sleep ${GRACE_MS / 1000}; kill -s KILL -- -$$) </dev/null >/dev/null 2>&1 &
watcher=$!
"$@" 3<&- </dev/null &
wait $!
code=$?
kill -s KILL $watcher
exit $code
`;

/** How a shell says that there is no such program, or none that it may run. */
const NOT_STARTED = [126, 127];

/** Resolves when the program has ended, however it ended; rejects when it cannot be started. */
export function runProgram(program: string, args: string[], options: ProgramOptions): Promise<Ended> {
  const { cwd, env, timeLimitMs, signal } = options;
  return new Promise((resolve, reject) => {
    const leader = ['-c', LEADER, 'leader', program, ...args];
    const child = spawn('/bin/sh', leader, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
    const stdout = capped(MAX_STDOUT_BYTES);
    const stderr = capped(MAX_STDERR_BYTES);
    child.stdout?.on('data', stdout.take);
    child.stderr?.on('data', stderr.take);

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
    // The watcher of a leader that was killed still holds its end.
    child.once('exit', () => child.stdio[3]?.destroy());
    child.once('close', (code) => {
      cleanUp();
      if (stopped) killGroup('SIGKILL'); // whoever of the group outlived its leader
      if (code !== null && NOT_STARTED.includes(code)) return reject(new Error(stderr.text().trim()));
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
