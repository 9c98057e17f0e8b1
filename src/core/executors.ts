/** Which use case does the work of which kind of run. */
import { AppError } from './errors.ts';
import type { Ports } from './ports.ts';
import { presentScanResult } from './present.ts';
import { runRemediation } from './remediating.ts';
import type { RunExecutors } from './runs.ts';
import { scanFleet, scanOne } from './scanning.ts';

export function createExecutors(ports: Ports): RunExecutors {
  return {
    async scan(run, { signal }) {
      if (!run.hostname) throw new AppError('invalid', 'A scan run names no endpoint.');
      return presentScanResult(await scanOne(ports, run.hostname, signal));
    },
    remediation: (run, context) => runRemediation(ports, run, context),
    fleet_scan: (_run, { signal, progress }) => scanFleet(ports, signal, progress),
  };
}
