/** What people say about remediations: whether one may run, and whether it fixed the problem. */
import type { Alert } from '../../domain/alerts/alert.ts';
import { advance } from '../../domain/alerts/alertMoves.ts';
import type { Remediation } from '../../domain/healing/remediation.ts';
import type { Actor } from '../actor.ts';
import { announce, writeMoves } from '../alerts/alerting.ts';
import { AppError } from '../errors.ts';
import type { StoredApproval } from '../ports/alertPorts.ts';
import type { Ports } from '../ports/ports.ts';
import { startNext } from './begin.ts';
import { endRemediation, requireRemediation } from './endRemediation.ts';
import { endpointOf, escalateIn, HEALER } from './escalate.ts';

/** What follows when people answered, or did not answer, the question for a remediation. */
export async function remediationDecided(ports: Ports, approval: StoredApproval): Promise<void> {
  const remediation = await requireRemediation(ports, approval.subjectId ?? '');
  if (approval.status !== 'approved') {
    const status = approval.status === 'denied' ? 'denied' : approval.status === 'expired' ? 'expired' : 'cancelled';
    await endRemediation(ports, remediation, status, refusalText(approval), ['waiting_approval']);
    return;
  }
  const changes = await ports.store.transaction(async (store) => {
    await store.endpoints.hold([remediation.endpointId]);
    if (!(await store.remediations.move(remediation.id, ['waiting_approval'], { status: 'queued' }))) return null;
    await store.runs.update(remediation.id, { status: 'queued' });
    const alert = await store.alerts.get(remediation.alertId);
    const people = approval.answers.map(({ name }) => name).join(' and ');
    const move =
      alert &&
      alert.status !== 'resolved' &&
      advance(alert, 'remediating', `${people} approved ${remediation.playbook}`, ports.clock.now(), {
        remediationRunId: remediation.id,
      });
    // An alert that is resolved by now is noticed when its turn comes, and nothing is run.
    return move && move.kind !== 'refused' ? writeMoves(ports, store, [move], HEALER) : null;
  });
  if (changes) await announce(ports, changes);
  await startNext(ports, remediation.endpointId);
}

function refusalText({ status, answers, outcome }: StoredApproval): string {
  const no = answers.find(({ decision }) => decision === 'deny');
  if (no) return `${no.name} said no${no.reason ? `: ${no.reason}` : ''}`;
  return status === 'expired' ? 'nobody answered in time' : (outcome ?? 'nobody needs it any more');
}

/** The owner's answer on a fix: a no opens the alert again, for a person. @throws AppError `conflict` when it was given before */
export async function answerFixCheck(ports: Ports, id: string, fixed: boolean, actor: Actor): Promise<Remediation> {
  const remediation = await requireRemediation(ports, id);
  if (remediation.status !== 'fixed')
    throw new AppError(
      'conflict',
      `Remediation ${id} is ${remediation.status.replace('_', ' ')}; there is no fix to judge.`,
    );
  const changes = await ports.store.transaction(async (store) => {
    await store.endpoints.hold([remediation.endpointId]);
    if (!(await store.remediations.answerFixCheck(id, fixed)))
      throw new AppError('conflict', `"Did that fix it?" was answered already for remediation ${id}.`);
    if (fixed) return null;
    const alert = await store.alerts.get(remediation.alertId);
    const endpoint = await endpointOf(store, remediation);
    if (!alert || !endpoint || (await hasSuccessor(store, alert, ports.clock.now()))) return null;
    return escalateIn(ports, store, alert, endpoint, `${actor.name} says that ${remediation.playbook} did not fix it`);
  });
  if (changes) await announce(ports, changes);
  return requireRemediation(ports, id);
}

/** Whether the same problem is open again under another number. */
export async function hasSuccessor(store: Ports['store'], alert: Alert, now: Date): Promise<boolean> {
  const others = await store.alerts.recent([alert], now);
  return others.some(({ id, status }) => id !== alert.id && status !== 'resolved');
}
