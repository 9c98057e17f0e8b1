/** What the remediation map would have done with alerts as they were raised: run at once, asked for, or given to a person. */
import type { Alert } from '../alerts/alert.ts';
import type { AlertDraft } from '../alerts/alertMoves.ts';
import type { Endpoint } from '../fleet/endpoint.ts';
import { decideRemediation, type HealingMode, type Remediation, type RemediationPlan } from '../healing/remediation.ts';
import {
  breakerReason,
  guardReason,
  historyMs,
  inMaintenance,
  type RemediationRules,
} from '../healing/remediationGuards.ts';

/** An alert that was raised, or came back. */
export interface Raised {
  at: Date;
  alert: AlertDraft;
  endpoint: Endpoint;
}

/** `healed`: a remediation begins at once; `asked`: somebody is asked for approval; `person`: it is theirs. */
export type HealingOutcome = 'healed' | 'asked' | 'person';

/**
 * Each is taken to help, and each that is asked for to be denied: what would have come of them nobody knows.
 *
 * @param raised in the order of time
 * @param canRun whether the playbook could be run on the endpoint at all
 * @returns the outcomes in the same order
 */
export function replayHealing(
  raised: readonly Raised[],
  { map, limits, maintenance }: RemediationRules,
  mode: HealingMode,
  canRun: (endpoint: Endpoint, playbook: string) => boolean,
): HealingOutcome[] {
  const ranOn = new Map<number, Remediation[]>();
  let ofFleet: number[] = [];
  return raised.map(({ at, alert, endpoint }): HealingOutcome => {
    const decision = decideRemediation(map, { ...alert, id: alert.id ?? 0 }, endpoint, mode);
    if (decision.kind === 'human' || !canRun(endpoint, decision.plan.playbook)) return 'person';
    const { plan } = decision;
    if (inMaintenance(maintenance, endpoint, at)) return 'person';
    const since = at.getTime() - historyMs(plan);
    const history = (ranOn.get(endpoint.id) ?? []).filter(({ createdAt }) => createdAt.getTime() > since);
    if (guardReason(plan, history, limits, at) !== null) return 'person';
    ofFleet = ofFleet.filter((atMs) => atMs >= at.getTime() - limits.fleet.windowMs);
    if (breakerReason({ remediations: ofFleet.length, failures: 0 }, limits) !== null) return 'person';
    if (plan.requiredApprovals > 0) return 'asked';
    ofFleet.push(at.getTime());
    ranOn.set(endpoint.id, [...history, remediationAt(at, alert, endpoint, plan)]);
    return 'healed';
  });
}

function remediationAt(
  at: Date,
  alert: Pick<Alert, 'alertName'>,
  endpoint: Endpoint,
  { action, playbook, variables }: RemediationPlan,
): Remediation {
  return {
    id: '',
    alertId: 0,
    alertName: alert.alertName,
    endpointId: endpoint.id,
    hostname: endpoint.hostname,
    action,
    playbook,
    variables,
    dryRun: false,
    status: 'fixed',
    reason: null,
    approvalId: null,
    requestedBy: '',
    createdAt: at,
    startedAt: at,
    beganAt: at,
    finishedAt: at,
    playedAt: at,
    verifyBy: null,
    cancelledBy: null,
    ownerSaysFixed: null,
  };
}
