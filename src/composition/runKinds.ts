/** The kinds of run: which room of the core does the work of which. */
import { remediationRuns } from '../core/healing/carryOut.ts';
import type { Invoke } from '../core/invoke.ts';
import { type PlannerParts, plannerRuns } from '../core/planner/plannerRuns.ts';
import type { Ports } from '../core/ports/ports.ts';
import type { RunKindHandlers } from '../core/ports/runPorts.ts';
import { fleetScanRuns } from '../core/scans/fleetScan.ts';
import { scanRuns } from '../core/scans/scanRuns.ts';

export function createRunKinds(ports: Ports, planner: PlannerParts, invoke: Invoke): RunKindHandlers {
  return {
    scan: scanRuns(ports),
    fleet_scan: fleetScanRuns(ports),
    planner: plannerRuns(ports, planner, invoke),
    remediation: remediationRuns(ports),
  };
}
