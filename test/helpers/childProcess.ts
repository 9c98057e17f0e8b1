/** Starts a program for a test, waits for the line that says it is ready, and makes sure that it ends. */
import { spawn } from 'node:child_process';

export interface RunningProgram {
  /** Everything it has printed so far, both streams. */
  output(): string;
  stop(): Promise<void>;
}

/** Rejects with the program's output when it ends, or takes more than 10 s, before a line matches `ready`. */
export async function startProgram(file: string, args: string[], ready: RegExp): Promise<RunningProgram> {
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let output = '';
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onData = (chunk: Buffer): void => {
    output += chunk.toString('utf8');
    if (ready.test(output)) resolve();
  };
  child.stdout.on('data', onData);
  child.stderr.on('data', onData);
  child.once('error', reject);
  child.once('close', (code) => reject(new Error(`${file} ended with ${code} before it was ready:\n${output}`)));
  const timer = setTimeout(() => reject(new Error(`${file} was not ready after 10 s:\n${output}`)), 10_000);
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
  };
  try {
    await promise;
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  } finally {
    clearTimeout(timer);
  }
  return { output: () => output, stop };
}
