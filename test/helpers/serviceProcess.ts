/** The service as a process of its own, for tests that kill it and for figures that its clients must not blur. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { API_KEY } from './service.ts';

export interface ServiceProcess {
  url: string;
  child: ChildProcess;
  /** Ends it as an operator does, or with SIGKILL as the kernel does. */
  end(signal?: NodeJS.Signals): Promise<void>;
}

/** Rejects with what it printed when it does not listen within 60 s. */
export async function startServiceProcess(
  env: Record<string, string>,
  nodeFlags: string[] = [],
): Promise<ServiceProcess> {
  const child = spawn(process.execPath, [...nodeFlags, join(import.meta.dirname, '../../src/main.ts')], {
    env: {
      PATH: process.env.PATH,
      HOST: '127.0.0.1',
      API_KEY,
      LOG_LEVEL: 'ERROR',
      LLM_PROVIDER: '',
      EMBEDDING_MODEL: 'none',
      DEX_REGISTER_SELF: 'false',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  let output = '';
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the service did not listen within 60 s:\n${output}`)), 60_000);
    const read = (chunk: Buffer) => {
      output += chunk;
      const [, found] = / listens on (http:\S+)/.exec(output) ?? [];
      if (found) {
        clearTimeout(timer);
        resolve(found);
      }
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', (code) => reject(new Error(`the service ended with ${code}:\n${output}`)));
  });
  return {
    url,
    child,
    async end(signal = 'SIGTERM') {
      child.kill(signal);
      await ended;
    },
  };
}
