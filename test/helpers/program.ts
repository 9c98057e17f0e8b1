/** Our own programs as separate processes, for what only separate processes can show. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../..');

export interface Program {
  child: ChildProcess;
  output(): string;
  /** Resolves once a line matches; rejects with all output when the program ends before. */
  said(pattern: RegExp): Promise<void>;
  ended: Promise<number | null>;
  /** @param signal SIGTERM lets it end well, SIGKILL does not */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

interface ProgramOptions {
  /** Where it is started. */
  cwd?: string;
  /** Takes what it writes on both streams, instead of pipes. */
  logFile?: string | undefined;
}

/** @param file below the project, or a full path, like `src/worker.ts` */
export function runProgram(
  file: string,
  args: string[],
  env: Record<string, string>,
  { cwd = ROOT, logFile }: ProgramOptions = {},
): Program {
  const log = logFile === undefined ? ('pipe' as const) : openSync(logFile, 'a');
  const child = spawn(process.execPath, ['--import', join(ROOT, 'src/compileCache.ts'), resolve(ROOT, file), ...args], {
    cwd,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    stdio: ['ignore', log, log],
  });
  if (log !== 'pipe') closeSync(log);
  let output = '';
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
      for (const listener of listeners) listener();
    });
  }
  const ended = new Promise<number | null>((done) => child.once('close', done));
  return {
    child,
    ended,
    output: () => (logFile === undefined ? output : readFileSync(logFile, 'utf8')),
    async said(pattern) {
      const { promise, resolve: found } = Promise.withResolvers<void>();
      const look = () => pattern.test(output) && found();
      listeners.add(look);
      look();
      const early = ended.then((code) => {
        if (!pattern.test(output)) throw new Error(`${file} ended with ${code} before it said ${pattern}:\n${output}`);
      });
      await Promise.race([promise, early]);
      listeners.delete(look);
    },
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      await ended;
    },
  };
}
