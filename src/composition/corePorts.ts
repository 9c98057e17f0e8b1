/** The ports that core itself implements: each is made over all ports, and put beside those of the adapters. */
import { createAlertIntake } from '../core/alerts/alertIntake.ts';
import { createReporterWatch } from '../core/fleet/reporterWatch.ts';
import { createHealing } from '../core/healing/handleAlerts.ts';
import type { Collector, Healing, Ports } from '../core/ports/ports.ts';
import { createRunEvents } from '../core/runs/runEvents.ts';
import { agentCollector, investigateByRun } from '../core/scans/agentScan.ts';
import { createSnapshotIntake } from '../core/scans/snapshotIntake.ts';

type CorePort =
  | 'alertIntake'
  | 'healing'
  | 'inProgress'
  | 'reporters'
  | 'runEvents'
  | 'runKinds'
  | 'scanner'
  | 'snapshotIntake';

/** What adapters, configuration and this process provide. */
type OuterPorts = Omit<Ports, CorePort>;

/**
 * @param healing null leaves alerts where their sources put them
 * @param agentScans whether an agent measures endpoints in a scan, with the collector as its fallback
 */
export function completePorts(outer: OuterPorts, healing: Healing | null | undefined, agentScans: boolean): Ports {
  // Each of these is called only when all are there.
  const ports = { ...outer, runEvents: createRunEvents(), runKinds: {}, inProgress: new Set<string>() } as Ports;
  ports.alertIntake = createAlertIntake(ports);
  ports.reporters = createReporterWatch(ports);
  ports.snapshotIntake = createSnapshotIntake(ports);
  ports.scanner = agentScans ? scanningAgent(ports) : ports.collector;
  if (healing !== null) ports.healing = healing ?? createHealing(ports);
  return ports;
}

function scanningAgent(ports: Ports): Collector {
  return agentCollector({ direct: ports.collector, investigate: investigateByRun(ports), now: ports.clock.now });
}
