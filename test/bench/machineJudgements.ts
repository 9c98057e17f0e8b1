/** The figures on machines: injected causes that a diagnosis finds, healthy ones that it leaves alone, and faults that incidents name. */
import { INJECTED } from './diagnosis/causes.ts';
import { diagnosisRates } from './diagnosis/scenarios.ts';
import { figure } from './figure.ts';
import { findFault } from './rolledOutFaults.ts';

const SEEDS = 3;
const HEALTHY = 100;
const FLEETS = 100;

export function machineJudgements(): void {
  const rates = diagnosisRates({ days: 14, intervalMinutes: 15, seeds: SEEDS }, HEALTHY);
  const causes = { causes: INJECTED.length, scenarios: rates.scenarios };
  figure('judgement', 'diagnosis, right cause first', rates.first, 'share', causes);
  figure('judgement', 'diagnosis, right cause in the first three', rates.inThree, 'share', causes);
  figure('judgement', 'diagnosis, nothing unusual on healthy machines', rates.healthyQuiet, 'share', {
    machines: rates.healthy,
  });
  const findings = Array.from({ length: FLEETS }, (_, i) => findFault(i + 1));
  const share = (is: (finding: (typeof findings)[number]) => boolean) => findings.filter(is).length / FLEETS;
  const fleets = { fleets: FLEETS, machines: 2000 };
  figure(
    'judgement',
    'rolled-out faults named within two scans',
    share(({ found }) => found),
    'share',
    fleets,
  );
  figure(
    'judgement',
    'rolled-out faults named before other groups',
    share(({ foundFirst }) => foundFirst),
    'share',
    fleets,
  );
  const falseGroups = findings.reduce((sum, each) => sum + each.falseGroups, 0) / FLEETS;
  figure('judgement', 'groups named where chance alone was at work', falseGroups, 'groups an analysis', fleets);
}
