/** Approvals: who may answer a request, how many have to approve, and when it is too late. */
import type { CriticalityTier } from '../fleet/endpoint.ts';

export const APPROVAL_KINDS = ['tool', 'remediation', 'planner_step'] as const;
export type ApprovalKind = (typeof APPROVAL_KINDS)[number];

export const APPROVAL_STATUSES = ['pending', 'approved', 'denied', 'expired', 'cancelled'] as const;
export type ApprovalStatus = (typeof APPROVAL_STATUSES)[number];

/** What became of the call that was approved; `none` while there is nothing to carry out. */
export const EXECUTIONS = ['none', 'due', 'running', 'done', 'failed', 'interrupted'] as const;
export type Execution = (typeof EXECUTIONS)[number];

/** Minutes; short enough that an answer still fits what was asked. */
export const APPROVAL_EXPIRY_MINUTES = 30;

export const APPROVAL_DECISIONS = ['approve', 'deny'] as const;
export type ApprovalDecision = (typeof APPROVAL_DECISIONS)[number];

export interface ApprovalAnswer {
  by: string;
  name: string;
  via: string;
  decision: ApprovalDecision;
  reason: string | null;
  /** ISO 8601. */
  at: string;
}

export interface ApprovalParty {
  id: string;
  name: string;
  kind: 'human' | 'model' | 'job' | 'system';
}

export interface Approval<Requester extends ApprovalParty = ApprovalParty> {
  id: string;
  kind: ApprovalKind;
  status: ApprovalStatus;
  /** What is asked, in one sentence. */
  question: string;
  /** What would be done, for the person who decides: host, playbook, variables, earlier outcomes. */
  plan: Record<string, unknown>;
  /** The tool and the checked input that run once everybody needed has approved. */
  tool: string;
  input: Record<string, unknown>;
  hostname: string | null;
  alertId: number | null;
  /** The run or remediation that waits for it. */
  subjectId: string | null;
  requester: Requester;
  requestedAt: Date;
  expiresAt: Date;
  /** How many different people have to approve. */
  requiredApprovals: number;
  answers: ApprovalAnswer[];
  decidedAt: Date | null;
  execution: Execution;
  /** What running it gave, or why it failed. */
  outcome: string | null;
  /** When those who wait for the decision were notified; null until then. */
  settledAt: Date | null;
  /** Counts changes, so that of two answers at once only one is taken. */
  version: number;
}

/** Two people for what the business depends on, one for the rest. */
export function requiredApprovalsFor(tier: CriticalityTier | null): 1 | 2 {
  return tier === 1 ? 2 : 1;
}

/** `needsHuman`: what is missing is proof that a person answers. */
type Refused = { refused: 'denied' | 'conflict'; why: string; needsHuman?: true };

/** Who answers, and by what. */
type AnsweringParty = ApprovalParty & { via: string; holder?: 'human' | 'agent' };

/**
 * Why this party may not approve what a model asked for, or null when it may. A program with a key can send any request
 * that the key allows, so by REST only a key that was marked as a person's counts, and not one that asked itself.
 *
 * @param askers ids of whoever asked: the requester, and who started the run that asks
 */
function modelsOwnApproval(approval: Approval, party: AnsweringParty, askers: readonly string[]): string | null {
  if (approval.requester.kind !== 'model' || party.via !== 'rest') return null;
  if (askers.includes(party.id)) return 'a model asked for it with the very key that would approve it';
  return party.holder === 'human' ? null : 'a model asked for it, and this key is not marked as held by a human';
}

/** Takes one answer. The first denial ends it, and so does the last approval that is required. */
export function answerApproval<A extends Approval>(
  approval: A,
  party: AnsweringParty,
  decision: ApprovalDecision,
  reason: string | null,
  now: Date,
  askers: readonly string[] = [approval.requester.id],
): { approval: A } | Refused {
  const conflict = (why: string): Refused => ({ refused: 'conflict', why });
  const denied = (why: string): Refused => ({ refused: 'denied', why });
  if (approval.status !== 'pending') return conflict(`it is ${approval.status} already`);
  if (approval.expiresAt <= now) return conflict('its time is over; ask again');
  if (party.kind !== 'human') return denied('only a person may answer it');
  if (approval.requester.kind === 'human' && approval.requester.id === party.id)
    return denied('whoever asks cannot answer; somebody else has to');
  const own = decision === 'approve' ? modelsOwnApproval(approval, party, askers) : null;
  if (own !== null) return { ...denied(own), needsHuman: true };
  if (approval.answers.some(({ by }) => by === party.id))
    return denied('you have answered already; a second person has to');
  const answer: ApprovalAnswer = {
    by: party.id,
    name: party.name,
    via: party.via,
    decision,
    reason,
    at: now.toISOString(),
  };
  const answers = [...approval.answers, answer];
  const status: ApprovalStatus =
    decision === 'deny' ? 'denied' : answers.length >= approval.requiredApprovals ? 'approved' : 'pending';
  return { approval: ended({ ...approval, answers }, status, now) };
}

/** Its time is over without an answer, or nobody needs it any more. */
export function closeApproval<A extends Approval>(approval: A, status: 'expired' | 'cancelled', now: Date): A {
  return ended(approval, status, now);
}

function ended<A extends Approval>(approval: A, status: ApprovalStatus, now: Date): A {
  if (status === 'pending') return approval;
  return { ...approval, status, decidedAt: now, execution: status === 'approved' ? 'due' : 'none' };
}
