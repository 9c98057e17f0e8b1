/** Runs a program of this machine with fixed arguments and a time limit. */
import { execFile } from 'node:child_process';

interface CommandResult {
  stdout: string;
  stderr: string;
  /** Exit code; null when the program was stopped. */
  code: number | null;
}

const TIMEOUT_MS = 5_000;
const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;

/** Null when there is no such program. */
export function runCommand(file: string, args: string[], signal: AbortSignal): Promise<CommandResult | null> {
  const options = { timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES, windowsHide: true, signal };
  return new Promise((resolve) => {
    execFile(file, args, options, (error, stdout, stderr) => {
      if (error?.code === 'ENOENT') resolve(null);
      else resolve({ stdout, stderr, code: error ? (typeof error.code === 'number' ? error.code : null) : 0 });
    });
  });
}
