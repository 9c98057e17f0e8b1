/** Our own processes in a storm: the service and its workers, as operators run them, and how they die. */

import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { type Program, runProgram } from '../helpers/program.ts';

const PATIENCE_MS = 120_000;

export interface Member {
  name: string;
  start(): Promise<void>;
  kill(): Promise<void>;
  /** Ends it as an operator does, and resolves with its exit code. */
  end(): Promise<number | null>;
  output(): string;
}

/**
 * @param ready resolves once it can be worked with
 * @param logDir where its log is a file, instead of a pipe
 */
export function member(
  name: string,
  file: string,
  env: Record<string, string>,
  ready: (program: Program) => Promise<void>,
  logDir?: string,
): Member {
  const preload = pathToFileURL(join(import.meta.dirname, 'shiftedClock.ts')).href;
  let program: Program | null = null;
  let before = '';
  let started = 0;
  const finish = async (how: NodeJS.Signals): Promise<number | null> => {
    const ending = program;
    program = null;
    await ending?.stop(how);
    before += ending?.output() ?? '';
    return (await ending?.ended) ?? null;
  };
  return {
    name,
    async start() {
      const logFile = logDir && join(logDir, `${name}-${++started}.log`);
      program = runProgram(file, [], { NODE_OPTIONS: `--import ${preload}`, ...env }, { logFile });
      await Promise.race([
        ready(program),
        program.ended.then((code) =>
          Promise.reject(new Error(`${name} ended with ${code}:\n${program?.output().slice(-2000)}`)),
        ),
        delay(PATIENCE_MS, undefined, { ref: false }).then(() =>
          Promise.reject(
            new Error(`${name} was not ready in ${PATIENCE_MS / 1000} s:\n${program?.output().slice(-2000)}`),
          ),
        ),
      ]);
    },
    kill: async () => void (await finish('SIGKILL')),
    end: () => finish('SIGTERM'),
    output: () => before + (program?.output() ?? ''),
  };
}

/** Waits until the service answers, in whatever health. */
export async function answers(url: string): Promise<void> {
  for (;;) {
    const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(20_000) }).catch(() => null);
    if (response) return;
    await delay(100);
  }
}
