/** Deciding: what the remediation map, the runner and the guards say about an alert. */
import type { Alert, Severity } from '../../domain/alerts/alert.ts';
import type { Endpoint } from '../../domain/fleet/endpoint.ts';
import { decideRemediation, type RemediationPlan } from '../../domain/healing/remediation.ts';
import { breakerReason, guardReason, historyMs, inMaintenance } from '../../domain/healing/remediationGuards.ts';
import { notice } from '../outbox/messages.ts';
import type { Ports } from '../ports/ports.ts';
import type { Store } from '../ports/storePorts.ts';

/** A plan to carry out, or why a person has to take the alert. */
type HealingDecision = { plan: RemediationPlan } | { why: string; severity: Severity };

/** What the map and the runner say; both are asked outside any transaction. */
export async function decide(ports: Ports, alert: Alert, endpoint: Endpoint): Promise<HealingDecision> {
  const { map } = ports.remediationMap.current();
  const decision = decideRemediation(map, alert, endpoint, ports.settings.healing);
  if (decision.kind === 'human') return decision;
  const blockingReason = await ports.runner.blockingReason(endpoint, decision.plan.playbook);
  return blockingReason === null
    ? decision
    : { why: `not healed by itself: ${blockingReason}`, severity: alert.severity };
}

/** What speaks against running now; null when nothing does. */
export async function guard(
  ports: Ports,
  store: Store,
  endpoint: Endpoint,
  plan: RemediationPlan,
): Promise<string | null> {
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
