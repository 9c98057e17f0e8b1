/** Approvals: asking people for approval, taking their answers once, and letting those who wait know what was decided. */

import {
  APPROVAL_EXPIRY_MINUTES,
  type Approval,
  type ApprovalDecision,
  type ApprovalKind,
  answerApproval,
  closeApproval,
  type Execution,
  requiredApprovalsFor,
} from '../domain/healing/approval.ts';
import type { Actor } from './actor.ts';
import { ANSWER_IN_A_TERMINAL, KEY_FOR_A_PERSON } from './callText.ts';
import { canonicalJson } from './canonicalJson.ts';
import { AppError } from './errors.ts';
import { beginEscalations, endEscalations } from './escalation/escalating.ts';
import { notifyPeople, remind } from './outbox/messages.ts';
import type { StoredApproval } from './ports/alertPorts.ts';
import type { Ports } from './ports/ports.ts';
import type { Store } from './ports/storePorts.ts';

/** Rows that one step of a job works on. */
const JOB_BATCH = 200;

/** A decision that is older and that nobody was notified of lost its messenger; milliseconds. */
const SETTLED_WITHIN_MS = 60_000;

type ApprovalRequest = Pick<
  Approval,
  'kind' | 'question' | 'plan' | 'tool' | 'input' | 'hostname' | 'alertId' | 'subjectId'
> & {
  /** How many different people have to approve; by default as the endpoint's tier wants. */
  requiredApprovals?: number;
};

/** Asks people. Whoever waits is notified through the handler of the request's kind, whatever the answer is. */
export function requestApproval(ports: Ports, request: ApprovalRequest, requester: Actor): Promise<StoredApproval> {
  return ports.store.transaction((store) => requestApprovalIn(ports, store, request, requester));
}

/** The same inside a running transaction. */
export async function requestApprovalIn(
  ports: Ports,
  store: Store,
  request: ApprovalRequest,
  requester: Actor,
): Promise<StoredApproval> {
  const now = ports.clock.now();
  const endpoint = request.hostname === null ? null : await store.endpoints.get(request.hostname);
  const approval: StoredApproval = {
    ...request,
    id: ports.ids.next(),
    status: 'pending',
    requester,
    requestedAt: now,
    expiresAt: new Date(now.getTime() + APPROVAL_EXPIRY_MINUTES * 60_000),
    requiredApprovals: request.requiredApprovals ?? requiredApprovalsFor(endpoint?.criticalityTier ?? null),
    answers: [],
    decidedAt: null,
    execution: 'none',
    outcome: null,
    settledAt: null,
    workerId: null,
    version: 0,
  };
  await store.approvals.add(approval);
  await notifyPeople(ports, store, { what: 'approval', approval_id: approval.id, status: approval.status });
  const alert = approval.alertId === null ? null : await store.alerts.get(approval.alertId);
  const ofAlert = alert && (await store.escalations.get(`alert:${alert.id}`));
  // Whoever is reached about the alert reads of its approval there.
  if (!ofAlert || ofAlert.endedAt !== null) {
    const severity = alert?.severity ?? null;
    await beginEscalations(ports, store, [{ about: 'approval', id: approval.id, severity, endpoint }]);
  }
  return approval;
}

/**
 * Takes one person's answer; of any number of answers at once, the first that decides wins.
 *
 * @param inline the caller carries the approved call out itself, at once
 * @throws AppError `not_found`, `conflict` when it is decided or over, `denied` when this actor may not answer
 */
export async function decideApproval(
  ports: Ports,
  id: string,
  decision: ApprovalDecision,
  reason: string | null,
  actor: Actor,
  { inline = false } = {},
): Promise<StoredApproval> {
  const pointless = await withoutReason(ports, await requireApproval(ports, id));
  if (pointless !== null) {
    await withdraw(ports, id, pointless);
    throw new AppError('conflict', `Nothing is left to decide: ${pointless}`, { approval_id: id, status: 'cancelled' });
  }
  const askers = await askersOf(ports, id);
  const decided = await change(ports, id, (approval) => {
    const answered = answerApproval(approval, actor, decision, reason, ports.clock.now(), askers);
    if ('refused' in answered) {
      const how = answered.needsHuman ? ` ${HUMANS_ANSWER}` : '';
      throw new AppError(answered.refused, `Approval ${id} cannot be answered: ${answered.why}.${how}`, {
        approval_id: id,
        status: approval.status,
      });
    }
    const running = inline && answered.approval.status === 'approved';
    return running
      ? { ...answered.approval, execution: 'running' as const, workerId: ports.worker.id }
      : answered.approval;
  });
  if (decided.status !== 'pending') {
    ports.metrics.approvalEnded(decided.kind, decided.status);
    if (decided.execution !== 'running') await ports.queue.enqueue('settle_approval', { approval_id: id });
  }
  return decided;
}

/** Why a remediation that waits for approval would do nothing any more; null while it would. */
async function withoutReason({ store }: Ports, { kind, status, alertId }: StoredApproval): Promise<string | null> {
  if (kind !== 'remediation' || status !== 'pending' || alertId === null) return null;
  return (await store.alerts.get(alertId))?.status === 'resolved' ? ALERT_IS_OVER : null;
}

const ALERT_IS_OVER = 'Its alert was resolved before anybody answered.';

/** Ends what waits for approval because of alerts that are over. */
export async function cancelForResolved(ports: Ports, alertIds: readonly number[]): Promise<void> {
  if (alertIds.length === 0) return;
  const over = new Set(alertIds);
  const page = { limit: 1000, offset: 0 };
  const { items } = await ports.store.approvals.list({ status: 'pending', kind: 'remediation' }, page);
  for (const { id, alertId } of items)
    if (alertId !== null && over.has(alertId)) await withdraw(ports, id, ALERT_IS_OVER);
}

/** Ends a request whose reason is gone; whoever waits for the answer is notified, as of every other. */
async function withdraw(ports: Ports, id: string, why: string): Promise<void> {
  const closed = await change(ports, id, (approval) =>
    approval.status === 'pending' ? { ...closeApproval(approval, 'cancelled', ports.clock.now()), outcome: why } : null,
  );
  if (closed.status !== 'cancelled') return;
  ports.metrics.approvalEnded(closed.kind, 'cancelled');
  await ports.queue.enqueue('settle_approval', { approval_id: id });
}

/** So long before its end somebody is reminded, or when half of its time is over where that is later. */
const REMIND_BEFORE_MS = 10 * 60_000;

/** Reminds people once of each approval that will expire soon; returns how many there are. */
export async function remindOfApprovals(ports: Ports): Promise<number> {
  const now = ports.clock.now();
  const { items } = await ports.store.approvals.list({ status: 'pending' }, { limit: 1000, offset: 0 });
  const soon = items.filter(({ requestedAt, expiresAt }) => {
    const before = Math.min(REMIND_BEFORE_MS, (expiresAt.getTime() - requestedAt.getTime()) / 2);
    return expiresAt > now && expiresAt.getTime() - now.getTime() <= before;
  });
  for (const { id } of soon) await remind(ports, id);
  return soon.length;
}

/** What somebody with a single key does instead. */
const HUMANS_ANSWER = `Answer it in Slack or in a terminal (${ANSWER_IN_A_TERMINAL}), or with a key of your own: ${KEY_FOR_A_PERSON} makes one.`;

/** Ids of whoever asked: the requester, and who started the run whose agent asks. */
async function askersOf(ports: Ports, id: string): Promise<string[]> {
  const { requester, kind, subjectId } = await requireApproval(ports, id);
  const run = kind === 'planner_step' && subjectId !== null ? await ports.store.runs.get(subjectId) : null;
  return [requester.id, ...(run ? [run.requestedBy] : [])];
}

/** Ends a request for whoever waited for it and needs it no more, saying why; one that is decided already stays as it is. */
export async function cancelApproval(ports: Ports, id: string, why: string): Promise<void> {
  const closed = await change(ports, id, (approval) =>
    approval.status === 'pending'
      ? { ...closeApproval(approval, 'cancelled', ports.clock.now()), outcome: why, settledAt: ports.clock.now() }
      : null,
  );
  if (closed.status === 'cancelled') ports.metrics.approvalEnded(closed.kind, 'cancelled');
}

/** Ends what nobody answered in time and passes on decisions whose notification was lost; returns how many expired. */
export async function expireApprovals(ports: Ports): Promise<number> {
  const now = ports.clock.now();
  let expired = 0;
  for (const { id } of await ports.store.approvals.overdue(now, JOB_BATCH)) {
    let ended = false;
    const { kind } = await change(ports, id, (approval) => {
      ended = approval.status === 'pending' && approval.expiresAt <= now;
      return ended ? closeApproval(approval, 'expired', now) : null;
    });
    if (!ended) continue;
    expired++;
    ports.metrics.approvalEnded(kind, 'expired');
    await ports.queue.enqueue('settle_approval', { approval_id: id });
  }
  for (const { id, decidedAt, execution } of await ports.store.approvals.unsettled(JOB_BATCH)) {
    const lost = decidedAt !== null && now.getTime() - decidedAt.getTime() > SETTLED_WITHIN_MS;
    if (lost && execution !== 'running') await ports.queue.enqueue('settle_approval', { approval_id: id });
  }
  return expired;
}

/**
 * What follows a decision, by what it was asked for: `approved`, `denied`, `expired` or `cancelled`. Called at least once, so
 * it must not mind a repeat.
 */
type OnDecided = (approval: StoredApproval, signal: AbortSignal) => Promise<void>;
export type DecidedHandlers = Partial<Record<ApprovalKind, OnDecided>>;

/** Lets those who wait for a decision know it. */
export async function settleApproval(
  ports: Ports,
  handlers: DecidedHandlers,
  id: string,
  signal: AbortSignal,
): Promise<void> {
  const approval = await requireApproval(ports, id);
  if (approval.status === 'pending' || approval.settledAt !== null || approval.execution === 'running') return;
  try {
    await handlers[approval.kind]?.(approval, signal);
  } catch (error) {
    const lasting = error instanceof AppError && error.kind !== 'unavailable';
    if (!lasting) ports.log.error({ err: error, approval_id: id }, 'what follows an approval failed');
    // Those who only have to be notified are notified again within minutes; a call is never tried twice.
    if (!lasting && approval.kind !== 'tool') return;
    if (approval.kind === 'tool') {
      const outcome = error instanceof AppError ? error.message : 'An internal error; the log has it.';
      await change(ports, id, (now) => (now.execution === 'due' ? { ...now, execution: 'failed', outcome } : null));
    }
  }
  // One that another process carries out is settled when that has ended.
  await change(ports, id, (now) =>
    now.settledAt === null && now.execution !== 'running' ? { ...now, settledAt: ports.clock.now() } : null,
  );
}

/**
 * Claims the one run that an approval allows.
 *
 * @throws AppError `denied` when it does not allow this very call, `conflict` when it was used already
 */
export async function spendApproval(
  ports: Ports,
  id: string,
  tool: string,
  input: Record<string, unknown>,
): Promise<void> {
  await change(ports, id, (approval) => {
    if (approval.tool !== tool || canonicalJson(approval.input) !== canonicalJson(input))
      throw new AppError('denied', `Approval ${id} is for another call.`, { approval_id: id });
    if (approval.status !== 'approved')
      throw new AppError('denied', `Approval ${id} is ${approval.status}; nothing was done.`, { approval_id: id });
    if (approval.execution !== 'due')
      throw new AppError('conflict', `Approval ${id} was used already.`, { approval_id: id });
    return { ...approval, execution: 'running', workerId: ports.worker.id };
  });
}

/** Keeps what carrying out the approved call gave. */
export async function recordExecution(
  ports: Ports,
  id: string,
  execution: Extract<Execution, 'done' | 'failed' | 'interrupted'>,
  outcome: string,
): Promise<void> {
  await change(ports, id, (approval) => ({ ...approval, execution, outcome, settledAt: ports.clock.now() }));
}

/** Ends the approved calls whose process has died: each may be half done, so it is never repeated. */
export async function interruptApproved(ports: Ports, isAlive: (workerId: string) => Promise<boolean>): Promise<void> {
  for (const { id, workerId } of await ports.store.approvals.running(JOB_BATCH)) {
    if (workerId !== null && (await isAlive(workerId))) continue;
    const outcome = 'The process that carried it out ended before the call did; it was not repeated.';
    await change(ports, id, (now) =>
      now.execution === 'running' && now.workerId === workerId
        ? { ...now, execution: 'interrupted', outcome, settledAt: ports.clock.now() }
        : null,
    );
  }
}

/** After a restart: whoever waits for a decision is notified at once. */
export async function recoverApprovals(ports: Ports): Promise<void> {
  for (const { id, execution } of await ports.store.approvals.unsettled(JOB_BATCH))
    if (execution !== 'running') await ports.queue.enqueue('settle_approval', { approval_id: id });
}

export async function requireApproval(ports: Ports, id: string): Promise<StoredApproval> {
  const approval = await ports.store.approvals.get(id);
  if (!approval) {
    const next = [{ to: 'List those that wait', tool: 'list_approvals' }];
    throw new AppError('not_found', `There is no approval ${id}.`, { approval_id: id }, { next });
  }
  return approval;
}

/** Reads, decides and writes; does it again when somebody else wrote in between. Null leaves it as it is. */
async function change(
  ports: Ports,
  id: string,
  decide: (approval: StoredApproval) => StoredApproval | null,
): Promise<StoredApproval> {
  for (;;) {
    const before = await requireApproval(ports, id);
    const after = decide(before);
    if (after === null) return before;
    const written = await ports.store.transaction(async (store) => {
      if (!(await store.approvals.replace(after))) return false;
      await notifyPeople(ports, store, { what: 'approval', approval_id: id, status: after.status });
      if (after.status !== 'pending') await endEscalations(ports, store, 'approval', [id]);
      return true;
    });
    if (written) return after;
  }
}
