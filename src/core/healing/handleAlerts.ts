/** Handling new alerts: each is decided on once, and a remediation begins or a person gets it. */
import type { Alert } from '../../domain/alerts/alert.ts';
import type { Endpoint } from '../../domain/fleet/endpoint.ts';
import type { RemediationPlan } from '../../domain/healing/remediation.ts';
import { announce, requireAlert } from '../alerts/alerting.ts';
import { AppError } from '../errors.ts';
import type { Healing, Ports } from '../ports/ports.ts';
import { begin, startNext } from './begin.ts';
import { decide, guard } from './decide.ts';
import { escalateIn, type ForPeople, giveToPeople, giveToPerson, HEALER } from './escalate.ts';
import { requestTriage } from './triage.ts';

/** Alerts that one step of the job handles. */
const JOB_BATCH = 500;

/** Alerts that go to people in one transaction: a storm must not cost one for each, nor hold the store for long. */
const GIVEN_TOGETHER = 200;

export function createHealing(ports: Ports): Healing {
  return { handleNewAlerts: () => handleNewAlerts(ports) };
}

/**
 * Handles new alerts, and marks them: those that it moves with their move, the others here, unless they moved meanwhile: one
 * that ended and came back in between is new. A crash before the mark has an alert handled once more.
 */
export async function handleNewAlerts(ports: Ports, handle = handleAlerts): Promise<void> {
  for (;;) {
    await ports.alertIntake.lull();
    const seenAt = ports.clock.now();
    const alerts = await ports.store.alerts.unhandled(JOB_BATCH);
    if (alerts.length === 0) return;
    await handle(ports, alerts);
    await ports.store.alerts.markHandled(
      alerts.map(({ id }) => id),
      seenAt,
      ports.clock.now(),
    );
    // What came meanwhile has its own call.
    if (alerts.length < JOB_BATCH) return;
  }
}

async function handleAlerts(ports: Ports, alerts: readonly Alert[]): Promise<void> {
  if (ports.agents.haveModel) await requestTriage(ports, alerts);
  const endpointIds = [...new Set(alerts.map(({ endpointId }) => endpointId))];
  const endpoints = new Map((await ports.store.endpoints.byIds(endpointIds)).map((each) => [each.id, each]));
  const forPeople: ForPeople[] = [];
  for (const alert of alerts) {
    const endpoint = endpoints.get(alert.endpointId);
    if (!endpoint || endpoint.deregisteredAt !== null) continue;
    await unlessItFails(ports, [alert.id], async () => {
      const decision = await decide(ports, alert, endpoint);
      if ('plan' in decision) await handleAlert(ports, alert.id, endpoint, decision);
      else forPeople.push({ alert, endpoint, ...decision });
    });
  }
  for (let at = 0; at < forPeople.length; at += GIVEN_TOGETHER) {
    const batch = forPeople.slice(at, at + GIVEN_TOGETHER);
    const ids = batch.map(({ alert }) => alert.id);
    await unlessItFails(ports, ids, () => giveToPeople(ports, batch));
  }
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
