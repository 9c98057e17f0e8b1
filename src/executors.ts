/** Which use case does the work of which kind of run. */
import { AppError } from './core/errors.ts';
import { runRemediation } from './core/healing/remediating.ts';
import type { Invoke } from './core/invoke.ts';
import { type PlannerParts, plannerExecutor } from './core/planner/plannerRuns.ts';
import type { Ports } from './core/ports/ports.ts';
import { presentScanResult } from './core/present.ts';
import { type RunExecutors, resultOutcome } from './core/runs/runs.ts';
import { beginFleetScan } from './core/scans/fleetScan.ts';
import { scanOne } from './core/scans/scanning.ts';

export function createExecutors(ports: Ports, planner: PlannerParts, invoke: Invoke): RunExecutors {
  return {
    async scan(run, { signal }) {
      if (!run.hostname) throw new AppError('invalid', 'A scan run names no endpoint.');
      const notes: string[] = [];
      const scanned = await scanOne(ports, run.hostname, signal, (text) => notes.push(text));
      return resultOutcome({ ...presentScanResult(scanned), notes }, signal);
    },
    fleet_scan: (run) => beginFleetScan(ports, run),
    planner: plannerExecutor(ports, planner, invoke),
    remediation: async (run, context) => resultOutcome(await runRemediation(ports, run, context), context.signal),
  };
}
