/** Maintaining remediations: verifications that are due, remediations that lost their reason or their worker, and those that wait. */
import { OPEN_REMEDIATION_STATUSES, type Remediation } from '../../domain/healing/remediation.ts';
import { cancelApproval } from '../approvals.ts';
import type { Ports } from '../ports/ports.ts';
import { remediationDecided } from './answers.ts';
import { startNext } from './begin.ts';
import { endRemediation } from './endRemediation.ts';
import { settleVerification } from './verify.ts';

/** A playbook ends after ten minutes; whoever is still "running" so long after lost its worker. Milliseconds. */
const LOST_AFTER_MS = 20 * 60_000;

/** Each minute: judges fixes that wait for a source's report, ends what has lost its reason or its worker, starts what waits. */
export async function maintainRemediations(ports: Ports): Promise<void> {
  const now = ports.clock.now();
  for (const remediation of await ports.store.remediations.inStatus(OPEN_REMEDIATION_STATUSES)) {
    if (remediation.status === 'verifying') await settleVerification(ports, remediation);
    if (remediation.status === 'queued') await startNext(ports, remediation.endpointId);
    if (remediation.status === 'waiting_approval') await settleAnswered(ports, remediation);
    const startedMs = (remediation.beganAt ?? remediation.startedAt ?? now).getTime();
    const overdue = remediation.status === 'running' && now.getTime() - startedMs > LOST_AFTER_MS;
    if (overdue && !(await canStillBegin(ports, remediation)))
      await endRemediation(ports, remediation, 'interrupted', 'its worker is gone; it was not repeated');
  }
}

/** Ends one whose alert is over, and lets one know whose approval ended without its being told. */
async function settleAnswered(ports: Ports, remediation: Remediation): Promise<void> {
  const approval = remediation.approvalId === null ? null : await ports.store.approvals.get(remediation.approvalId);
  if (approval && approval.status !== 'pending') {
    if (approval.settledAt !== null) await remediationDecided(ports, approval);
    return;
  }
  const alert = await ports.store.alerts.get(remediation.alertId);
  if (alert?.status !== 'resolved') return;
  const why = 'Its alert was resolved before anybody answered.';
  if (approval) await cancelApproval(ports, approval.id, why);
  await endRemediation(ports, remediation, 'cancelled', why, ['waiting_approval']);
}

/** Nothing was run yet, and its run has not ended: it waits for a worker, however long. */
async function canStillBegin(ports: Ports, { id, beganAt }: Remediation): Promise<boolean> {
  const status = beganAt === null ? await ports.store.runs.status(id) : null;
  return status === 'queued' || status === 'running';
}

/** After a restart, once runs were recovered: a playbook that had begun is not repeated but given to a person. */
export async function recoverRemediations(ports: Ports): Promise<void> {
  for (const remediation of await ports.store.remediations.inStatus(['running', 'queued'])) {
    const run = await ports.store.runs.get(remediation.id);
    if (remediation.status === 'queued') await startNext(ports, remediation.endpointId);
    else if (run?.status === 'queued') await ports.queue.enqueue('execute_run', { run_id: remediation.id });
    else if (run?.status !== 'running')
      await endRemediation(ports, remediation, 'interrupted', 'the service stopped while it ran; it was not repeated');
  }
}
