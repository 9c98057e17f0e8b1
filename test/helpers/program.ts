/** Our own programs as separate processes, for what only separate processes can show. */
import { type ChildProcess, spawn } from 'node:child_process';
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

/**
 * @param file below the project, like `src/worker.ts`
 * @param cwd where it is started
 */
export function runProgram(file: string, args: string[], env: Record<string, string>, cwd = ROOT): Program {
  const child = spawn(process.execPath, ['--import', join(ROOT, 'src/compileCache.ts'), join(ROOT, file), ...args], {
    cwd,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
      for (const listener of listeners) listener();
    });
  }
  const ended = new Promise<number | null>((done) => child.once('close', done));
  return {
    child,
    ended,
    output: () => output,
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
