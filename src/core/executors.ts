/** Which use case does the work of which kind of run. */
import { AppError } from './errors.ts';
import { beginFleetScan } from './fleetScan.ts';
import type { Invoke } from './invoke.ts';
import { type PlannerParts, plannerExecutor } from './plannerRuns.ts';
import type { Ports } from './ports.ts';
import { presentScanResult } from './present.ts';
import { runRemediation } from './remediating.ts';
import { type RunExecutors, resultOutcome } from './runs.ts';
import { scanOne } from './scanning.ts';

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
