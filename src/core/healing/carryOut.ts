/** Carrying out: a remediation whose turn has come runs its playbook, unless something speaks against it by now. */
import type { Endpoint } from '../../domain/fleet/endpoint.ts';
import type { Remediation } from '../../domain/healing/remediation.ts';
import { breakerReason, inMaintenance } from '../../domain/healing/remediationGuards.ts';
import type { Run } from '../../domain/run.ts';
import { AppError } from '../errors.ts';
import type { PlaybookReport, Ports } from '../ports/ports.ts';
import type { RunContext, RunKindHandler, RunOutcome } from '../ports/runPorts.ts';
import { RunCancelled, resultOutcome } from '../runs/executeRun.ts';
import { NOTHING_RECLAIMED, reclaimRun, requeueRun, runKind } from '../runs/runKinds.ts';
import { endRemediation, requireRemediation } from './endRemediation.ts';
import { endpointOf } from './escalate.ts';
import { verify } from './verify.ts';

/** How often a running remediation is checked for a request to cancel it; milliseconds. */
const CANCEL_POLL_MS = 1000;

/** Runs of kind remediation: they get into the queue when their endpoint's turn has come, and end with their remediation. */
export function remediationRuns(ports: Ports): RunKindHandler {
  const execute: RunKindHandler['execute'] = (run, context) => runRemediation(ports, run, context);
  return runKind(ports, execute, {
    async reclaim(run) {
      const { status, beganAt } = await requireRemediation(ports, run.id);
      if (run.status === 'queued' && status !== 'running') return NOTHING_RECLAIMED;
      // Nothing was run yet, so it can still be carried out.
      return status === 'running' && beganAt === null ? requeueRun(ports, run, null) : reclaimRun(ports, run);
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
async function runRemediation(ports: Ports, run: Run, { signal, progress }: RunContext): Promise<RunOutcome | null> {
  const remediation = await requireRemediation(ports, run.id);
  // Its alert is with a person by now, or being healed anew.
  if (remediation.status !== 'running')
    throw new RunCancelled(`The remediation is ${remediation.status.replace('_', ' ')}; nothing was run.`);
  const endpoint = await endpointOf(ports.store, remediation);
  const blockingReason =
    remediation.cancelledBy !== null
      ? `cancelled by ${remediation.cancelledBy} before it began`
      : endpoint === null
        ? `${remediation.hostname} is not watched any more`
        : await stopReason(ports, remediation, endpoint);
  if (endpoint === null || blockingReason !== null) {
    await endRemediation(ports, remediation, 'cancelled', blockingReason ?? '');
    throw new RunCancelled(blockingReason ?? '');
  }

  // Nothing was run: whoever comes next carries it out.
  if (signal.aborted) return { status: 'queued' };
  if (!(await markBegun(ports, remediation))) return null;
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
    return resultOutcome(result, signal);
  }
  if (!report.ok) {
    const reason = report.reason ?? 'the playbook failed';
    await endRemediation(ports, remediation, 'failed', reason);
    throw new AppError('refused', `${remediation.playbook} failed on ${remediation.hostname}: ${reason}`);
  }
  if (remediation.dryRun) {
    await endRemediation(ports, remediation, 'previewed', null);
    return resultOutcome(result, signal);
  }
  const outcome = await verify(ports, remediation, endpoint, signal);
  return resultOutcome({ ...result, outcome }, signal);
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

/**
 * Writes down that the playbook begins; from here on it may have changed the endpoint, and nobody repeats it.
 *
 * @returns false when another process began it, which took this one for dead
 */
async function markBegun(ports: Ports, { id, endpointId }: Remediation): Promise<boolean> {
  return ports.store.transaction(async (store) => {
    await store.endpoints.hold([endpointId]);
    if ((await store.remediations.get(id))?.beganAt !== null) return false;
    return store.remediations.move(id, ['running'], { beganAt: ports.clock.now() });
  });
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
    // The store may be away for a moment; the next check is a second later.
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
