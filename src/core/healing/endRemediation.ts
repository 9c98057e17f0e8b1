/** Ending remediations: each ends once, and an alert that was not fixed goes to a person. */
import type { Endpoint } from '../../domain/fleet/endpoint.ts';
import {
  OPEN_REMEDIATION_STATUSES,
  type Remediation,
  type RemediationStatus,
} from '../../domain/healing/remediation.ts';
import type { Actor } from '../actor.ts';
import { announce, type Changes } from '../alerts/alerting.ts';
import { cancelApproval } from '../approvals.ts';
import { AppError } from '../errors.ts';
import { notifyPeople } from '../outbox/messages.ts';
import type { Ports } from '../ports/ports.ts';
import { startNext } from './begin.ts';
import { notifyBreakerOpened } from './decide.ts';
import { endpointOf, escalateIn } from './escalate.ts';

/** Ends a remediation once, if it is still where `from` says; whatever did not fix the alert leaves it with a person. */
export async function endRemediation(
  ports: Ports,
  remediation: Remediation,
  status: Exclude<RemediationStatus, 'waiting_approval' | 'queued' | 'running' | 'verifying'>,
  reason: string | null,
  from: readonly RemediationStatus[] = OPEN_REMEDIATION_STATUSES,
): Promise<boolean> {
  const now = ports.clock.now();
  const { ended, changes } = await ports.store.transaction(
    async (store): Promise<{ ended: boolean; changes: Changes | null }> => {
      await store.endpoints.hold([remediation.endpointId]);
      const ended = await store.remediations.move(remediation.id, from, {
        status,
        reason,
        finishedAt: now,
      });
      if (!ended) return { ended, changes: null };
      const pending = { status: 'cancelled' as const, error: reason, finishedAt: now };
      await store.runs.move(remediation.id, ['waiting_approval', 'queued'], pending);
      if (remediation.dryRun) return { ended, changes: null };
      const alert = await store.alerts.get(remediation.alertId);
      const endpoint = await endpointOf(store, remediation);
      if (!alert || !endpoint) return { ended, changes: null };
      if (status === 'fixed') {
        await askOwner(ports, store, remediation, endpoint);
        return { ended, changes: null };
      }
      const ours =
        ['pending_approval', 'remediating'].includes(alert.status) && alert.remediationRunId === remediation.id;
      const why = `${remediation.playbook} ${status.replace('_', ' ')}${reason === null ? '' : `: ${reason}`}`;
      return { ended, changes: ours ? await escalateIn(ports, store, alert, endpoint, why) : null };
    },
  );
  if (!ended) return false;
  ports.metrics.remediationEnded(remediation.playbook, status);
  ports.log.info({ remediation_id: remediation.id, status, reason }, 'DEX self-healing: a remediation ended');
  if (changes) await announce(ports, changes);
  if (status === 'failed' || status === 'not_fixed') await notifyBreakerOpened(ports);
  if (await ports.store.ownerRemedies.ofRemediation(remediation.id)) await ports.queue.enqueueOnce('owner_remedies');
  await startNext(ports, remediation.endpointId);
  return true;
}

async function askOwner(
  ports: Ports,
  store: Ports['store'],
  remediation: Remediation,
  endpoint: Endpoint,
): Promise<void> {
  // Who agreed to it is asked in the same conversation.
  if (endpoint.ownerEmail === null || (await store.ownerRemedies.ofRemediation(remediation.id))) return;
  await notifyPeople(ports, store, {
    what: 'fix_check',
    remediation_id: remediation.id,
    alert_id: remediation.alertId,
    hostname: endpoint.hostname,
    owner_email: endpoint.ownerEmail,
  });
}

/** Stops a remediation: before it began at once, while it runs by ending its process. @throws AppError `conflict` when it has ended */
export async function cancelRemediation(ports: Ports, id: string, actor: Actor): Promise<Remediation> {
  const remediation = await requireRemediation(ports, id);
  const reason = `cancelled by ${actor.name}`;
  if (remediation.approvalId !== null) await cancelApproval(ports, remediation.approvalId, `It was ${reason}.`);
  const stopped =
    (await endRemediation(ports, remediation, 'cancelled', reason, ['waiting_approval', 'queued'])) ||
    (await ports.store.remediations.move(id, ['running'], { cancelledBy: actor.name }));
  if (!stopped) {
    throw new AppError(
      'conflict',
      `Remediation ${id} is ${remediation.status.replace('_', ' ')}; nothing runs any more.`,
      {
        remediation_id: id,
        status: remediation.status,
      },
    );
  }
  return requireRemediation(ports, id);
}

export async function requireRemediation(ports: Ports, id: string): Promise<Remediation> {
  const remediation = await ports.store.remediations.get(id);
  if (!remediation) throw new AppError('not_found', `There is no remediation ${id}.`, { remediation_id: id });
  return remediation;
}
