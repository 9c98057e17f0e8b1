/** Runs of kind scan: one endpoint, measured and scored. */
import { AppError } from '../errors.ts';
import type { Ports } from '../ports/ports.ts';
import type { RunKindHandler } from '../ports/runPorts.ts';
import { presentScanResult } from '../present.ts';
import { resultOutcome } from '../runs/executeRun.ts';
import { runKind } from '../runs/runKinds.ts';
import { scanOne } from './scanning.ts';

export function scanRuns(ports: Ports): RunKindHandler {
  return runKind(ports, async ({ hostname }, { signal }) => {
    if (!hostname) throw new AppError('invalid', 'A scan run names no endpoint.');
    const notes: string[] = [];
    const scanned = await scanOne(ports, hostname, signal, (text) => notes.push(text));
    return resultOutcome({ ...presentScanResult(scanned), notes }, signal);
  });
}
