/** Beginning: a remediation is written down with its run, people are asked where the plan wants it, and each endpoint has one at a time. */
import type { Alert } from '../../domain/alerts/alert.ts';
import { advance } from '../../domain/alerts/alertMoves.ts';
import type { Endpoint } from '../../domain/fleet/endpoint.ts';
import type { Remediation, RemediationPlan } from '../../domain/healing/remediation.ts';
import type { Actor } from '../actor.ts';
import { announce, type Changes, requireAlert, writeMoves } from '../alerts/alerting.ts';
import { cancelApproval, requestApprovalIn } from '../approvals.ts';
import { AppError } from '../errors.ts';
import type { StoredApproval } from '../ports/alertPorts.ts';
import type { Ports } from '../ports/ports.ts';
import type { Store } from '../ports/storePorts.ts';
import { newRun } from '../runs/runs.ts';
import { decide, guard } from './decide.ts';
import { endpointOf, handled } from './escalate.ts';

/**
 * Asks healing for one alert now; the map, the guards and the need for approval hold as ever.
 *
 * @param dryRun previews: nothing is changed on the endpoint and the alert stays as it is
 * @param consent the owner of the machine agreed, which is enough for what the map lets owners run
 * @throws AppError `not_found`, `conflict` when the alert is in no state for it, `refused` with the reason
 */
export async function remediateAlert(
  ports: Ports,
  alertId: number,
  dryRun: boolean,
  actor: Actor,
  consent: 'owner' | 'as_mapped' = 'as_mapped',
): Promise<Remediation> {
  const seen = await requireAlert(ports.store, alertId);
  const endpoint = await endpointOf(ports.store, seen);
  if (!endpoint) throw new AppError('conflict', `${seen.hostname} is not watched any more.`);
  const refuse = (why: string) =>
    new AppError('refused', `Alert ${alertId} (${seen.alertName} on ${seen.hostname}) is not healed: ${why}.`, {
      alert_id: alertId,
    });
  const decision = await decide(ports, seen, endpoint);
  if ('why' in decision) throw refuse(decision.why);
  const plan = consent === 'owner' ? ownersPlan(ports, seen.alertName, decision.plan) : decision.plan;
  if (plan === null) throw refuse('its owner may not run it; an approver may');
  const waiting = consent === 'owner' && seen.status === 'pending_approval' ? seen.remediationRunId : null;
  const { changes, remediation } = await ports.store.transaction(async (store) => {
    await store.endpoints.hold([endpoint.id]);
    const alert = await requireAlert(store, alertId);
    const takesOver = waiting !== null && (await withdraw(ports, store, waiting));
    if (!dryRun && !takesOver && !['active', 'acknowledged', 'needs_human'].includes(alert.status))
      throw inProgress(alert);
    const guarded = dryRun ? null : await guard(ports, store, endpoint, plan);
    if (guarded !== null) throw refuse(guarded);
    return begin(ports, store, alert, endpoint, plan, actor, dryRun);
  });
  const asked = waiting === null ? null : await ports.store.remediations.get(waiting);
  if (asked?.approvalId) await cancelApproval(ports, asked.approvalId, 'The owner of the machine agreed to it.');
  if (changes) await announce(ports, changes);
  if (remediation.status === 'queued') await startNext(ports, endpoint.id);
  return remediation;
}

/** The plan as the owner of the machine may have it run; null when the map does not let them, or two people have to agree. */
export function ownersPlan(
  { remediationMap }: Pick<Ports, 'remediationMap'>,
  alertName: string,
  plan: RemediationPlan,
): RemediationPlan | null {
  const mayRun = remediationMap.current().map.get(alertName)?.ownerMayRun === true && plan.requiredApprovals < 2;
  return mayRun ? { ...plan, requiredApprovals: 0 } : null;
}

/** Ends a remediation that waits for an approval, because its owner's consent takes the place of that; false when it waits no more. */
async function withdraw(ports: Ports, store: Store, id: string): Promise<boolean> {
  const finishedAt = ports.clock.now();
  const reason = 'the owner of the machine agreed to it instead';
  const isWithdrawn = await store.remediations.move(id, ['waiting_approval'], {
    status: 'cancelled',
    reason,
    finishedAt,
  });
  if (isWithdrawn) await store.runs.move(id, ['waiting_approval'], { status: 'cancelled', error: reason, finishedAt });
  return isWithdrawn;
}

/** Somebody or something has it already: how it stands, and where to see it. */
function inProgress({ id, alertName, hostname, status, remediationRunId }: Alert): AppError {
  const next =
    status === 'pending_approval'
      ? { to: 'See who is asked', tool: 'list_approvals', input: { hostname } }
      : { to: 'See the run', tool: 'get_run', input: { run_id: remediationRunId } };
  const message = `Alert ${id} (${alertName} on ${hostname}) is ${status.replace('_', ' ')} already.`;
  const isSeen = status === 'pending_approval' || remediationRunId !== null;
  return new AppError('conflict', message, { status }, isSeen ? { next: [next] } : {});
}

/** Call `announce` with the changes and `startNext` after the transaction. */
export async function begin(
  ports: Ports,
  store: Store,
  alert: Alert,
  endpoint: Endpoint,
  plan: RemediationPlan,
  actor: Actor,
  dryRun: boolean,
): Promise<{ changes: Changes | null; remediation: Remediation }> {
  const asks = plan.requiredApprovals > 0 && !dryRun;
  const goal = `${dryRun ? 'Preview ' : ''}${plan.playbook} for ${alert.alertName}`;
  const run = newRun(ports, actor, 'remediation', { hostname: endpoint.hostname, goal });
  const remediation: Remediation = {
    id: run.id,
    alertId: alert.id,
    alertName: alert.alertName,
    endpointId: endpoint.id,
    hostname: endpoint.hostname,
    action: plan.action,
    playbook: plan.playbook,
    variables: plan.variables,
    dryRun,
    status: asks ? 'waiting_approval' : 'queued',
    reason: null,
    approvalId: null,
    requestedBy: actor.id,
    createdAt: run.createdAt,
    startedAt: null,
    beganAt: null,
    finishedAt: null,
    playedAt: null,
    verifyBy: null,
    cancelledBy: null,
    ownerSaysFixed: null,
  };
  const approval = asks ? await ask(ports, store, alert, endpoint, plan, remediation, actor) : null;
  await store.runs.add({ ...run, status: remediation.status === 'queued' ? 'queued' : 'waiting_approval' });
  await store.remediations.add({ ...remediation, approvalId: approval?.id ?? null });
  if (dryRun) return { changes: null, remediation };
  const move = advance(
    alert,
    asks ? 'pending_approval' : 'remediating',
    asks ? `asks for approval of ${planText(plan)}` : `healing with ${planText(plan)}`,
    ports.clock.now(),
    { remediationRunId: run.id },
  );
  if (move.kind === 'refused') throw new AppError('conflict', `Alert ${alert.id} cannot be healed: ${move.reason}.`);
  return {
    changes: await writeMoves(ports, store, [handled(ports, move)], actor),
    remediation: { ...remediation, approvalId: approval?.id ?? null },
  };
}

/** How many earlier outcomes are shown to whoever decides. */
const SHOWN_OUTCOMES = 5;

async function ask(
  ports: Ports,
  store: Store,
  alert: Alert,
  endpoint: Endpoint,
  plan: RemediationPlan,
  remediation: Remediation,
  actor: Actor,
): Promise<StoredApproval> {
  const { items } = await store.remediations.list(
    { hostname: endpoint.hostname, playbook: plan.playbook },
    { limit: SHOWN_OUTCOMES, offset: 0 },
  );
  return requestApprovalIn(
    ports,
    store,
    {
      kind: 'remediation',
      question: `Run ${planText(plan)} on ${endpoint.hostname} for ${alert.alertName}?`,
      plan: {
        hostname: endpoint.hostname,
        owner_email: endpoint.ownerEmail,
        criticality_tier: endpoint.criticalityTier,
        alert_name: alert.alertName,
        alert_message: alert.message,
        playbook: plan.playbook,
        variables: plan.variables,
        last_outcomes: items.map(({ status, reason, createdAt }) => ({ status, reason, at: createdAt.toISOString() })),
      },
      tool: 'remediate_alert',
      input: { alert_id: alert.id, dry_run: false },
      hostname: endpoint.hostname,
      alertId: alert.id,
      subjectId: remediation.id,
      requiredApprovals: plan.requiredApprovals,
    },
    actor,
  );
}

function planText({ playbook, variables }: RemediationPlan): string {
  const given = Object.entries(variables).map(
    ([name, value]) => `${name}=${Array.isArray(value) ? value.join(',') : value}`,
  );
  return [playbook, ...given].join(' ');
}

/** Begins the oldest waiting remediation of an endpoint, unless one is running on it: never two at once. */
export async function startNext(ports: Ports, endpointId: number): Promise<void> {
  const started = await ports.store.transaction(async (store) => {
    await store.endpoints.hold([endpointId]);
    const now = ports.clock.now();
    const open = await store.remediations.ofEndpoint(endpointId, now);
    const next = open.find(({ status }) => status === 'queued');
    if (!next || open.some(({ status }) => status === 'running')) return null;
    await store.remediations.move(next.id, ['queued'], { status: 'running', startedAt: now });
    return next;
  });
  if (started) await ports.queue.enqueue('execute_run', { run_id: started.id });
}
