/** Self-healing: what happens to an alert of any source, from the map's decision to a person or to a verified fix. */
import type { Alert, Severity } from '../../domain/alerts/alert.ts';
import { advance, type Move } from '../../domain/alerts/alertMoves.ts';
import type { Endpoint } from '../../domain/fleet/endpoint.ts';
import { decideRemediation, type Remediation, type RemediationPlan } from '../../domain/healing/remediation.ts';
import { breakerReason, guardReason, historyMs, inMaintenance } from '../../domain/healing/remediationGuards.ts';
import { type Actor, jobActor } from '../actor.ts';
import { announce, type Changes, requireAlert, writeMoves } from '../alerts/alerting.ts';
import { openTicketIn } from '../alerts/ticketUpdates.ts';
import { requestApprovalIn } from '../approvals.ts';
import { AppError } from '../errors.ts';
import { notice } from '../outbox/messages.ts';
import type { StoredApproval } from '../ports/alertPorts.ts';
import type { Healing, Ports } from '../ports/ports.ts';
import type { Store } from '../ports/storePorts.ts';
import { newRun } from '../runs/runs.ts';

/** Who acts when healing does. */
export const HEALER: Actor = jobActor('healing');

export function createHealing(ports: Ports): Healing {
  return {
    async handle(alerts) {
      const endpointIds = [...new Set(alerts.map(({ endpointId }) => endpointId))];
      const endpoints = new Map((await ports.store.endpoints.byIds(endpointIds)).map((each) => [each.id, each]));
      const forPeople: ForPeople[] = [];
      for (const alert of alerts) {
        const endpoint = endpoints.get(alert.endpointId);
        if (!endpoint || endpoint.deregisteredAt !== null) continue;
        await unlessItFails(ports, [alert.id], async () => {
          const verdict = await judge(ports, alert, endpoint);
          if ('plan' in verdict) await handleAlert(ports, alert.id, endpoint, verdict);
          else forPeople.push({ alert, endpoint, ...verdict });
        });
      }
      for (let at = 0; at < forPeople.length; at += GIVEN_TOGETHER) {
        const batch = forPeople.slice(at, at + GIVEN_TOGETHER);
        const ids = batch.map(({ alert }) => alert.id);
        await unlessItFails(ports, ids, () => giveToPeople(ports, batch));
      }
    },
  };
}

/** Alerts that go to people in one transaction: a storm must not cost one for each, nor hold the store for long. */
const GIVEN_TOGETHER = 200;

interface ForPeople {
  alert: Alert;
  endpoint: Endpoint;
  why: string;
  severity: Severity;
}

/** An alert that cannot be handled must not hold up all others: it goes to a person. */
async function unlessItFails(ports: Ports, alertIds: readonly number[], work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof AppError && error.kind === 'unavailable') throw error;
    ports.log.error({ err: error, alert_ids: alertIds }, 'DEX self-healing: alerts could not be handled');
    for (const id of alertIds) await giveToPerson(ports, id, 'self-healing failed on it; the log has the reason');
  }
}

async function giveToPerson(ports: Ports, alertId: number, why: string): Promise<void> {
  const alert = await requireAlert(ports.store, alertId);
  const [endpoint] = await ports.store.endpoints.byIds([alert.endpointId]);
  if (endpoint) await giveToPeople(ports, [{ alert, endpoint, why, severity: alert.severity }]);
}

/** Gives alerts to people, those that are active; all are handled then, but for those that moved meanwhile: their turn comes again. */
async function giveToPeople(ports: Ports, batch: readonly ForPeople[]): Promise<void> {
  const changes = await ports.store.transaction(async (store) => {
    await store.endpoints.hold([...new Set(batch.map(({ endpoint }) => endpoint.id))]);
    const unmoved = await store.alerts.unmoved(batch.map(({ alert }) => alert));
    const moves: Move<Alert>[] = [];
    for (const { alert, endpoint, why, severity } of batch) {
      if (!unmoved.has(alert.id)) continue;
      const move = alert.status === 'active' && (await escalationIn(ports, store, alert, endpoint, why, severity));
      moves.push(handled(ports, move || standing(alert)));
    }
    return writeMoves(ports, store, moves, HEALER);
  });
  await announce(ports, changes);
}

/** The mark goes with the move: an alert that comes back a moment later is new again, and keeps being so. */
function handled(ports: Ports, move: Move<Alert>): Move<Alert> {
  return { ...move, alert: { ...move.alert, handledAt: ports.clock.now() } };
}

function standing(alert: Alert): Move<Alert> {
  return { kind: 'unchanged', alert, event: null };
}

type HealingDecision = { plan: RemediationPlan } | { why: string; severity: Severity };

/** Takes one new alert that the map has a plan for: a remediation begins, a person is asked for approval, or a guard gives it to one. */
async function handleAlert(
  ports: Ports,
  alertId: number,
  endpoint: Endpoint,
  { plan }: { plan: RemediationPlan },
): Promise<void> {
  const { changes, remediation } = await ports.store.transaction(async (store) => {
    await store.endpoints.hold([endpoint.id]);
    const alert = await requireAlert(store, alertId);
    if (alert.status !== 'active') return { changes: null, remediation: null };
    const guarded = await guard(ports, store, endpoint, plan);
    if (guarded === null) return begin(ports, store, alert, endpoint, plan, HEALER, false);
    const why = `not healed by itself: ${guarded}`;
    return { changes: await escalateIn(ports, store, alert, endpoint, why), remediation: null };
  });
  if (changes) await announce(ports, changes);
  if (remediation?.status === 'queued') await startNext(ports, endpoint.id);
}

/**
 * Asks healing for one alert now; the map, the guards and the need for approval hold as ever.
 *
 * @param dryRun previews: nothing is changed on the endpoint and the alert stays as it is
 * @throws AppError `not_found`, `conflict` when the alert is in no state for it, `refused` with the reason
 */
export async function remediateAlert(
  ports: Ports,
  alertId: number,
  dryRun: boolean,
  actor: Actor,
): Promise<Remediation> {
  const seen = await requireAlert(ports.store, alertId);
  const endpoint = await endpointOf(ports.store, seen);
  if (!endpoint) throw new AppError('conflict', `${seen.hostname} is not watched any more.`);
  const refuse = (why: string) =>
    new AppError('refused', `Alert ${alertId} (${seen.alertName} on ${seen.hostname}) is not healed: ${why}.`, {
      alert_id: alertId,
    });
  const verdict = await judge(ports, seen, endpoint);
  if ('why' in verdict) throw refuse(verdict.why);
  const { changes, remediation } = await ports.store.transaction(async (store) => {
    await store.endpoints.hold([endpoint.id]);
    const alert = await requireAlert(store, alertId);
    if (!dryRun && !['active', 'acknowledged', 'needs_human'].includes(alert.status))
      throw new AppError('conflict', `Alert ${alertId} is ${alert.status.replace('_', ' ')}.`, {
        status: alert.status,
      });
    const guarded = dryRun ? null : await guard(ports, store, endpoint, verdict.plan);
    if (guarded !== null) throw refuse(guarded);
    return begin(ports, store, alert, endpoint, verdict.plan, actor, dryRun);
  });
  if (changes) await announce(ports, changes);
  if (remediation.status === 'queued') await startNext(ports, endpoint.id);
  return remediation;
}

/** What the map and the runner say; both are asked outside any transaction. */
async function judge(ports: Ports, alert: Alert, endpoint: Endpoint): Promise<HealingDecision> {
  const { map } = ports.remediationMap.current();
  const decision = decideRemediation(map, alert, endpoint, ports.settings.selfHealing);
  if (decision.kind === 'human') return decision;
  const blockingReason = await ports.runner.blockingReason(endpoint, decision.plan.playbook);
  return blockingReason === null
    ? decision
    : { why: `not healed by itself: ${blockingReason}`, severity: alert.severity };
}

/** What speaks against running now; null when nothing does. */
async function guard(ports: Ports, store: Store, endpoint: Endpoint, plan: RemediationPlan): Promise<string | null> {
  const now = ports.clock.now();
  const { limits, maintenance } = ports.remediationMap.current();
  if (inMaintenance(maintenance, endpoint, now)) return 'a maintenance window is on';
  const history = await store.remediations.ofEndpoint(endpoint.id, new Date(now.getTime() - historyMs(plan)));
  return guardReason(plan, history, limits, now) ?? (await breaker(ports, store));
}

async function breaker(ports: Ports, store: Store): Promise<string | null> {
  const { limits } = ports.remediationMap.current();
  const windowStart = new Date(ports.clock.now().getTime() - limits.fleet.windowMs);
  return breakerReason(await store.remediations.fleetRecord(windowStart), limits);
}

/** Posts to the channel that the breaker opened, once for each window's length. */
export async function notifyBreakerOpened(ports: Ports): Promise<void> {
  const reason = await breaker(ports, ports.store);
  if (reason === null) return;
  const { windowMs } = ports.remediationMap.current().limits.fleet;
  const bucket = Math.floor(ports.clock.now().getTime() / windowMs);
  ports.log.warn({ reason }, 'self-healing stopped');
  await notice(
    ports,
    `breaker:${bucket}`,
    `Self-healing has stopped for the whole fleet: ${reason}. New alerts go to people.`,
  );
}

async function begin(
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

/** Gives an alert to a person, with a ticket. Null when its status does not let it go there. */
export async function escalateIn(
  ports: Ports,
  store: Store,
  alert: Alert,
  endpoint: Endpoint,
  why: string,
): Promise<Changes | null> {
  const move = await escalationIn(ports, store, alert, endpoint, why, alert.severity);
  return move && writeMoves(ports, store, [handled(ports, move)], HEALER);
}

/** The same, with the move left to write. */
async function escalationIn(
  ports: Ports,
  store: Store,
  alert: Alert,
  endpoint: Endpoint,
  why: string,
  severity: Severity,
): Promise<Move<Alert> | null> {
  const move = advance(alert, 'needs_human', why, ports.clock.now());
  if (move.kind === 'refused') return null;
  await openTicketIn(ports, store, alert, endpoint, why, severity);
  return move;
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

export async function endpointOf(store: Store, alert: Pick<Alert, 'endpointId'>): Promise<Endpoint | null> {
  const [endpoint] = await store.endpoints.byIds([alert.endpointId]);
  return endpoint && endpoint.deregisteredAt === null ? endpoint : null;
}
