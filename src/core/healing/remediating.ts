/** Carrying out remediations: run the playbook, verify by a rescan, and end with a fix or with the alert at a person. */
import type { Alert } from '../../domain/alerts/alert.ts';
import { advance } from '../../domain/alerts/alertMoves.ts';
import type { Endpoint } from '../../domain/fleet/endpoint.ts';
import {
  OPEN_REMEDIATION_STATUSES,
  type Remediation,
  type RemediationStatus,
} from '../../domain/healing/remediation.ts';
import { breakerReason, inMaintenance } from '../../domain/healing/remediationGuards.ts';
import type { Run } from '../../domain/run.ts';
import type { Actor } from '../actor.ts';
import { announce, type Changes, writeMoves } from '../alerts/alerting.ts';
import { cancelApproval } from '../approvals.ts';
import { AppError } from '../errors.ts';
import { notifyPeople } from '../outbox/messages.ts';
import type { StoredApproval } from '../ports/alertPorts.ts';
import type { PlaybookReport, Ports } from '../ports/ports.ts';
import type { RunContext, RunKindHandler } from '../ports/runPorts.ts';
import { RunCancelled, resultOutcome } from '../runs/executeRun.ts';
import { NOTHING_RECLAIMED, reclaimRun, runKind } from '../runs/runKinds.ts';
import { scanOne } from '../scans/scanning.ts';
import { endpointOf, escalateIn, HEALER, notifyBreakerOpened, startNext } from './healing.ts';
import { examine, resolveVerified, verifyWithinMs } from './verifying.ts';

/** A playbook ends after ten minutes; whoever is still "running" so long after lost its worker. Milliseconds. */
const LOST_AFTER_MS = 20 * 60_000;

/** How often a running remediation is looked at for a wish to cancel it; milliseconds. */
const CANCEL_POLL_MS = 1000;

/** Runs of kind remediation: they get into the queue when their endpoint's turn has come, and end with their remediation. */
export function remediationRuns(ports: Ports): RunKindHandler {
  const execute: RunKindHandler['execute'] = async (run, context) =>
    resultOutcome(await runRemediation(ports, run, context), context.signal);
  return runKind(ports, execute, {
    async reclaim(run) {
      const waits = run.status === 'queued' && (await requireRemediation(ports, run.id)).status !== 'running';
      return waits ? NOTHING_RECLAIMED : reclaimRun(ports, run);
    },
    async cancel({ id }) {
      throw new AppError(
        'refused',
        'A remediation is not cancelled as a run, because its alert has to be released with it.',
        { run_id: id },
        { next: [{ to: 'Cancel the remediation', tool: 'cancel_remediation', input: { remediation_id: id } }] },
      );
    },
  });
}

/** Works on a run whose remediation was moved to `running` before, which claims the endpoint. */
async function runRemediation(ports: Ports, run: Run, { signal, progress }: RunContext): Promise<unknown> {
  const remediation = await requireRemediation(ports, run.id);
  // Its alert is with a person by now, or being healed anew.
  if (remediation.status !== 'running')
    throw new RunCancelled(`The remediation is ${remediation.status.replace('_', ' ')}; nothing was run.`);
  const endpoint = await endpointOf(ports.store, remediation);
  const blockingReason =
    endpoint === null
      ? `${remediation.hostname} is not watched any more`
      : await stopReason(ports, remediation, endpoint);
  if (endpoint === null || blockingReason !== null) {
    await endRemediation(ports, remediation, 'cancelled', blockingReason ?? '');
    throw new RunCancelled(blockingReason ?? '');
  }

  const { report, cancelledBy } = await play(ports, remediation, endpoint, signal);
  await ports.store.runs.update(run.id, { steps: report.tasks });
  const result = {
    remediation_id: run.id,
    playbook: remediation.playbook,
    dry_run: remediation.dryRun,
    stats: report.stats,
  };
  await progress(result);
  if (cancelledBy !== null) {
    const reason = `cancelled by ${cancelledBy} while it ran`;
    await endRemediation(ports, remediation, 'cancelled', reason);
    throw new RunCancelled(reason);
  }
  if (signal.aborted && !report.ok) {
    await endRemediation(ports, remediation, 'interrupted', 'the service stopped while it ran; it was not repeated');
    return result;
  }
  if (!report.ok) {
    const reason = report.reason ?? 'the playbook failed';
    await endRemediation(ports, remediation, 'failed', reason);
    throw new AppError('refused', `${remediation.playbook} failed on ${remediation.hostname}: ${reason}`);
  }
  if (remediation.dryRun) {
    await endRemediation(ports, remediation, 'previewed', null);
    return result;
  }
  const outcome = await verify(ports, remediation, endpoint, signal);
  return { ...result, outcome };
}

/** Why it must not run after all: the time between the decision and now may have been long. */
async function stopReason(ports: Ports, remediation: Remediation, endpoint: Endpoint): Promise<string | null> {
  if (remediation.dryRun) return null;
  const now = ports.clock.now();
  const { limits, maintenance } = ports.remediationMap.current();
  const alert = await ports.store.alerts.get(remediation.alertId);
  if (!alert || alert.status === 'resolved') return 'its alert was resolved before it began';
  if (inMaintenance(maintenance, endpoint, now)) return 'a maintenance window is on';
  const windowStart = new Date(now.getTime() - limits.fleet.windowMs);
  const { failures } = await ports.store.remediations.fleetRecord(windowStart);
  return breakerReason({ failures, remediations: 0 }, limits);
}

/** Runs the playbook until it ends, the service stops or somebody cancels it. */
async function play(
  ports: Ports,
  remediation: Remediation,
  endpoint: Endpoint,
  signal: AbortSignal,
): Promise<{ report: PlaybookReport; cancelledBy: string | null }> {
  const cancel = new AbortController();
  let cancelledBy: string | null = null;
  const poll = setInterval(async () => {
    // The store may be away for a moment; the next look is a second later.
    const seen = await ports.store.remediations.get(remediation.id).catch(() => null);
    cancelledBy ??= seen?.cancelledBy ?? null;
    if (cancelledBy !== null) cancel.abort();
  }, CANCEL_POLL_MS);
  try {
    const { playbook, variables, dryRun } = remediation;
    const about = { 'dexops.playbook': playbook, 'dexops.hostname': endpoint.hostname, 'dexops.dry_run': dryRun };
    const report = await ports.tracing.span(`playbook ${playbook}`, about, async ({ add }) => {
      const until = AbortSignal.any([signal, cancel.signal]);
      const report = await ports.runner.run({ endpoint, playbook, variables, dryRun }, until);
      if (!report.ok) add({ 'error.type': 'playbook_failed' });
      return report;
    });
    return { report, cancelledBy: cancel.signal.aborted ? cancelledBy : null };
  } finally {
    clearInterval(poll);
  }
}

/** The playbook ended well; whether it helped, only a new look can tell. */
async function verify(
  ports: Ports,
  remediation: Remediation,
  endpoint: Endpoint,
  signal: AbortSignal,
): Promise<RemediationStatus> {
  const playedAt = ports.clock.now();
  const verifyBy = new Date(playedAt.getTime() + (await verifyWithinMs(ports)));
  await ports.store.remediations.move(remediation.id, ['running'], { status: 'verifying', playedAt, verifyBy });
  if (endpoint.collector !== 'push') {
    await scanOne(ports, endpoint.hostname, signal).catch((error: unknown) =>
      ports.log.warn({ err: error, remediation_id: remediation.id }, 'the rescan after a remediation failed'),
    );
  }
  const outcome = await settleVerification(ports, await requireRemediation(ports, remediation.id));
  await startNext(ports, endpoint.id);
  return outcome;
}

/** Ends a verification by what was measured since, by the source's word, or when the time for that is over. */
async function settleVerification(ports: Ports, remediation: Remediation): Promise<RemediationStatus> {
  const { alertId, playbook, playedAt, verifyBy } = remediation;
  const alert = await ports.store.alerts.get(alertId);
  if (!alert || alert.status === 'resolved') {
    await endRemediation(ports, remediation, 'fixed', null);
    return 'fixed';
  }
  const proof = await examine(ports, remediation, alert);
  if (proof.finding === 'over') {
    await resolveVerified(ports, alertId, `verified after ${playbook}: ${proof.words}`, HEALER);
    await endRemediation(ports, remediation, 'fixed', null);
    return 'fixed';
  }
  const late = verifyBy !== null && verifyBy <= ports.clock.now();
  if (proof.finding === 'unknown' && !late) return 'verifying';
  const minutes = Math.round(((verifyBy?.getTime() ?? 0) - (playedAt?.getTime() ?? 0)) / 60_000);
  const reason =
    proof.finding === 'holds'
      ? `${playbook} ran, but the rescan still finds: ${proof.words}`
      : `${playbook} ran, but nobody said within ${minutes} minutes that it is over: ${alert.message}`;
  await endRemediation(ports, remediation, 'not_fixed', reason);
  return 'not_fixed';
}

/** Ends a remediation once, if it is still where `from` says; whatever did not fix the alert leaves it with a person. */
async function endRemediation(
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
  await startNext(ports, remediation.endpointId);
  return true;
}

async function askOwner(
  ports: Ports,
  store: Ports['store'],
  remediation: Remediation,
  endpoint: Endpoint,
): Promise<void> {
  if (endpoint.ownerEmail === null) return;
  await notifyPeople(ports, store, {
    what: 'fix_check',
    remediation_id: remediation.id,
    alert_id: remediation.alertId,
    hostname: endpoint.hostname,
    owner_email: endpoint.ownerEmail,
  });
}

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

function refusalText({ status, answers }: StoredApproval): string {
  const no = answers.find(({ decision }) => decision === 'deny');
  if (no) return `${no.name} said no${no.reason ? `: ${no.reason}` : ''}`;
  return status === 'expired' ? 'nobody answered in time' : 'nobody needs it any more';
}

/** Stops a remediation: before it began at once, while it runs by ending its process. @throws AppError `conflict` when it has ended */
export async function cancelRemediation(ports: Ports, id: string, actor: Actor): Promise<Remediation> {
  const remediation = await requireRemediation(ports, id);
  if (remediation.approvalId !== null) await cancelApproval(ports, remediation.approvalId);
  const reason = `cancelled by ${actor.name}`;
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

/** The owner's word on a fix: a no opens the alert again, for a person. @throws AppError `conflict` when it was given before */
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

/** Whether the same trouble is open again under another number. */
async function hasSuccessor(store: Ports['store'], alert: Alert, now: Date): Promise<boolean> {
  const others = await store.alerts.recent([alert], now);
  return others.some(({ id, status }) => id !== alert.id && status !== 'resolved');
}

/** Each minute: judges fixes that wait for a source's word, ends what has lost its reason or its worker, starts what waits. */
export async function maintainRemediations(ports: Ports): Promise<void> {
  const now = ports.clock.now();
  for (const remediation of await ports.store.remediations.inStatus(OPEN_REMEDIATION_STATUSES)) {
    if (remediation.status === 'verifying') await settleVerification(ports, remediation);
    if (remediation.status === 'queued') await startNext(ports, remediation.endpointId);
    if (remediation.status === 'waiting_approval') {
      const alert = await ports.store.alerts.get(remediation.alertId);
      if (alert?.status !== 'resolved') continue;
      if (remediation.approvalId !== null) await cancelApproval(ports, remediation.approvalId);
      await endRemediation(ports, remediation, 'cancelled', 'its alert was resolved before anybody answered', [
        'waiting_approval',
      ]);
    }
    const startedMs = remediation.startedAt?.getTime() ?? now.getTime();
    if (remediation.status === 'running' && now.getTime() - startedMs > LOST_AFTER_MS)
      await endRemediation(ports, remediation, 'interrupted', 'its worker is gone; it was not repeated');
  }
}

/** After a restart, once runs were recovered: what was running is not repeated but given to a person. */
export async function recoverRemediations(ports: Ports): Promise<void> {
  for (const remediation of await ports.store.remediations.inStatus(['running', 'queued'])) {
    const run = await ports.store.runs.get(remediation.id);
    if (remediation.status === 'queued') await startNext(ports, remediation.endpointId);
    else if (run?.status === 'queued') await ports.queue.enqueue('execute_run', { run_id: remediation.id });
    else if (run?.status !== 'running')
      await endRemediation(ports, remediation, 'interrupted', 'the service stopped while it ran; it was not repeated');
  }
}

export async function requireRemediation(ports: Ports, id: string): Promise<Remediation> {
  const remediation = await ports.store.remediations.get(id);
  if (!remediation) throw new AppError('not_found', `There is no remediation ${id}.`, { remediation_id: id });
  return remediation;
}
