/** What the remediation map would have done with the alerts of a plan. */
import type { Endpoint } from '../../domain/fleet/endpoint.ts';
import { playbookOf } from '../../domain/healing/remediation.ts';
import type { RemediationRules } from '../../domain/healing/remediationGuards.ts';
import type { AlertHistory } from '../../domain/plan/otherMoves.ts';
import { type HealingOutcome, type Raised, replayHealing } from '../../domain/plan/replayHealing.ts';
import type { ReplayedMove } from '../../domain/plan/replayMachine.ts';
import type { Ports } from '../ports/ports.ts';

/** @param moves of endpoints that are registered */
export async function planHealing(
  ports: Ports,
  moves: readonly ReplayedMove[],
  endpoints: ReadonlyMap<number, Endpoint>,
  rules: RemediationRules,
): Promise<{ raised: Raised; outcome: HealingOutcome }[]> {
  const raised = moves
    .filter(({ kind }) => kind !== 'ended')
    .sort((a, b) => a.at.getTime() - b.at.getTime())
    .map(({ at, alert }): Raised => ({ at, alert, endpoint: endpoints.get(alert.endpointId) as Endpoint }));
  const canRun = await runnable(ports, raised, rules);
  const outcomes = replayHealing(raised, rules, ports.settings.healing, canRun);
  return raised.map((each, i) => ({ raised: each, outcome: outcomes[i] as HealingOutcome }));
}

/** Alerts as they really were raised. */
export function raisedIn(histories: readonly AlertHistory[]): ReplayedMove[] {
  return histories.flatMap(({ alert, events }) =>
    events.flatMap(({ at, from, to }): ReplayedMove[] => {
      if (to === 'resolved' || (from !== null && from !== 'resolved')) return [];
      return [{ at, kind: from === null ? 'fired' : 'flapped', alert }];
    }),
  );
}

/** Asks the runner once for each machine and playbook that the map could want. */
async function runnable(
  ports: Ports,
  raised: readonly Raised[],
  { map }: RemediationRules,
): Promise<(endpoint: Endpoint, playbook: string) => boolean> {
  const blocked = new Set<string>();
  const asked = new Set<string>();
  if (ports.settings.healing === 'off') return () => false;
  for (const { alert, endpoint } of raised) {
    const entry = map.get(alert.alertName);
    if (!entry || entry.action === 'ticket') continue;
    const playbook = playbookOf(entry);
    const key = `${endpoint.id} ${playbook}`;
    if (asked.has(key)) continue;
    asked.add(key);
    if ((await ports.runner.blockingReason(endpoint, playbook)) !== null) blocked.add(key);
  }
  return (endpoint, playbook) => !blocked.has(`${endpoint.id} ${playbook}`);
}
