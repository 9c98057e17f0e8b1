/** Asks this Windows machine's own PowerShell, rarely: starting it costs more than all else together. */
import { spawn } from 'node:child_process';
import { missing } from '../../../domain/signals/reading.ts';
import { counterReadings, createCounterHistory } from '../counterHistory.ts';
import type { Collected } from '../readings.ts';
import { POWERSHELL_ARGS, WINDOWS_PARTS, type WindowsPart, windowsScript } from './powerShell.ts';
import { parseWindowsReport } from './report.ts';
import { readWindows, type WindowsContext, windowsCounters } from './windowsReadings.ts';

const EVERY_MS: Record<WindowsPart, number> = { system: 15 * 60_000, faults: 3_600_000, currency: 6 * 3_600_000 };
const TIMEOUT_MS = 25_000;
const MAX_OUTPUT_BYTES = 2 * 1024 * 1024;

interface WindowsReader {
  /** The last readings of every part, those that are due read anew. Never rejects. */
  read(context: WindowsContext, logSpanS: number, signal: AbortSignal): Promise<Collected>;
}

/** @param program PowerShell's file; another one in tests */
export function createWindowsReader(program = 'powershell.exe', timeoutMs = TIMEOUT_MS): WindowsReader {
  const history = createCounterHistory(1);
  const askedAtMs = new Map<WindowsPart, number>();
  let kept: Collected = {};
  return {
    async read(context, logSpanS, signal) {
      const nowMs = context.now.getTime();
      const due = WINDOWS_PARTS.filter((part) => {
        const askedMs = askedAtMs.get(part);
        return askedMs === undefined || nowMs < askedMs || nowMs - askedMs >= EVERY_MS[part];
      });
      if (due.length === 0) return kept;
      // Also when it hangs: it is asked again when it is due again, not with every scan.
      for (const part of due) askedAtMs.set(part, nowMs);
      const output = await runPowerShell(program, windowsScript({ logSpanS, due }), timeoutMs, signal);
      if (output === null) return { ...kept, logErrors: missing('there is no powershell.exe') };
      const report = parseWindowsReport(output);
      const counters = windowsCounters(report);
      const counted = report.has('os')
        ? counterReadings(counters, history.riseSince('this', counters, context.now))
        : {};
      // The runtime's own figure of the processor is newer than PowerShell's.
      const { cpuPct: _, ...read } = readWindows(report, context);
      kept = { ...kept, ...read, ...counted };
      return kept;
    },
  };
}

/** What it printed until it ended or its time was up; null when there is no such program. */
function runPowerShell(
  program: string,
  script: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<string | null> {
  return new Promise((resolve) => {
    const child = spawn(program, POWERSHELL_ARGS, {
      windowsHide: true,
      stdio: ['pipe', 'pipe', 'ignore'],
      detached: true,
    });
    const chunks: Buffer[] = [];
    let bytes = 0;
    const stop = () => killTree(child.pid);
    const limit = setTimeout(stop, timeoutMs);
    const end = (output: string | null) => {
      clearTimeout(limit);
      signal.removeEventListener('abort', stop);
      resolve(output);
    };
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MAX_OUTPUT_BYTES) chunks.push(chunk);
      else stop();
    });
    child.once('error', () => end(null));
    child.once('close', () => end(Buffer.concat(chunks).toString('utf8')));
    // A program that ends before it has read everything breaks the pipe; its output says the rest.
    child.stdin.on('error', () => {});
    child.stdin.end(script);
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
  });
}

/** Ends a program with all that it started: one of those would keep the output open, and the scan waiting, for as long as it runs. */
function killTree(pid: number | undefined): void {
  if (pid === undefined) return;
  if (process.platform === 'win32') {
    spawn('taskkill.exe', ['/pid', String(pid), '/t', '/f'], { stdio: 'ignore', windowsHide: true }).once(
      'error',
      () => {},
    );
    return;
  }
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It is gone already.
  }
}
