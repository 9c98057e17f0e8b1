/** Verifying: only a new scan, or the source's own message, shows whether a playbook helped. */
import type { Endpoint } from '../../domain/fleet/endpoint.ts';
import type { Remediation, RemediationStatus } from '../../domain/healing/remediation.ts';
import { NOT_SCANNED_FROM_HERE } from '../../domain/signals/telemetry.ts';
import type { Ports } from '../ports/ports.ts';
import { scanOne } from '../scans/scanning.ts';
import { startNext } from './begin.ts';
import { endRemediation, requireRemediation } from './endRemediation.ts';
import { HEALER } from './escalate.ts';
import { examine, resolveVerified, verifyWithinMs } from './proof.ts';

/** The playbook ended well; whether it helped, only a new scan can show. */
export async function verify(
  ports: Ports,
  remediation: Remediation,
  endpoint: Endpoint,
  signal: AbortSignal,
): Promise<RemediationStatus> {
  const playedAt = ports.clock.now();
  const verifyBy = new Date(playedAt.getTime() + (await verifyWithinMs(ports)));
  await ports.store.remediations.move(remediation.id, ['running'], { status: 'verifying', playedAt, verifyBy });
  if (!(endpoint.collector in NOT_SCANNED_FROM_HERE)) {
    await scanOne(ports, endpoint.hostname, signal).catch((error: unknown) =>
      ports.log.warn({ err: error, remediation_id: remediation.id }, 'the rescan after a remediation failed'),
    );
  }
  const outcome = await settleVerification(ports, await requireRemediation(ports, remediation.id));
  await startNext(ports, endpoint.id);
  return outcome;
}

/** Ends a verification by what was measured since, as the source reports it, or when the time for that is over. */
export async function settleVerification(ports: Ports, remediation: Remediation): Promise<RemediationStatus> {
  const { alertId, playbook, playedAt, verifyBy } = remediation;
  const alert = await ports.store.alerts.get(alertId);
  if (!alert || alert.status === 'resolved') {
    await endRemediation(ports, remediation, 'fixed', null);
    return 'fixed';
  }
  const proof = await examine(ports, remediation, alert);
  if (proof.finding === 'over') {
    await resolveVerified(ports, alertId, `verified after ${playbook}: ${proof.text}`, HEALER);
    await endRemediation(ports, remediation, 'fixed', null);
    return 'fixed';
  }
  const late = verifyBy !== null && verifyBy <= ports.clock.now();
  if (proof.finding === 'unknown' && !late) return 'verifying';
  const minutes = Math.round(((verifyBy?.getTime() ?? 0) - (playedAt?.getTime() ?? 0)) / 60_000);
  const reason =
    proof.finding === 'holds'
      ? `${playbook} ran, but the rescan still finds: ${proof.text}`
      : `${playbook} ran, but nobody said within ${minutes} minutes that it is over: ${alert.message}`;
  await endRemediation(ports, remediation, 'not_fixed', reason);
  return 'not_fixed';
}
