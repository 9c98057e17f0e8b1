/** What a run has done so far, as plain JSON: enough to go on after a restart, and what people read as its steps. */

import type { Effect } from '../tool.ts';
import type { LlmReply, LlmUsage, StopReason } from './llm.ts';
import type { PinnedArguments, PlannerTool } from './plannerTools.ts';

/**
 * `planned` not begun · `waiting` for a human · `started` begun (persisted before a write) · `done` · `failed` it said
 * no, nothing was done · `refused` by us, never sent · `unknown` a write that may or may not have happened.
 */
export type CallStatus = 'planned' | 'waiting' | 'started' | 'done' | 'failed' | 'refused' | 'unknown';

export type Refusal = 'unknown_tool' | 'changed_tool' | 'bad_arguments' | 'too_many' | 'repeated' | 'denied';

export interface PlannerCall {
  /** Unique in the run and stable over a resume: approvals and audits refer to it. */
  callId: string;
  /** The provider's name for the call. */
  providerId: string;
  tool: string;
  effect: Effect;
  input: unknown;
  unparsedInput: string | null;
  status: CallStatus;
  refusal: Refusal | null;
  approvalId: string | null;
  /** What the tool (untrusted) or we (when refused or unknown) answered. */
  text: string;
  startedAt: string | null;
  finishedAt: string | null;
}

export interface PlannerStep {
  number: number;
  startedAt: string;
  /** What the model wrote; with no calls beside it, this is the answer. */
  text: string;
  carry: unknown;
  stopReason: StopReason;
  calls: PlannerCall[];
  /** An answer that did not fit, and why; there is at most one repair, and its text takes the place of `text`. */
  rejected: { text: string; problem: string; repaired: boolean } | null;
  /** Was this the step in which tools were no longer offered? */
  last: boolean;
  usage: LlmUsage;
  costUsd: number | null;
}

export interface PlannerState {
  version: 1;
  profile: string;
  goal: string;
  context: Record<string, unknown>;
  pinned: PinnedArguments;
  /** The tools as they were when the run began; what has changed since is refused. */
  tools: PlannerTool[];
  steps: PlannerStep[];
  usage: LlmUsage;
  /** Null when no price fits the model. */
  costUsd: number | null;
  /** Working time so far, milliseconds. */
  activeMs: number;
}

/** A call that has its result and needs nothing more. */
export const isSettled = ({ status }: Pick<PlannerCall, 'status'>) =>
  status === 'done' || status === 'failed' || status === 'refused' || status === 'unknown';

/** The step that a reply begins: its calls planned, none carried out. */
export function stepOf(
  reply: LlmReply,
  at: { state: PlannerState; number: number; last: boolean; startedAt: string; costUsd: number | null },
): PlannerStep {
  return {
    number: at.number,
    startedAt: at.startedAt,
    text: reply.text,
    carry: reply.carry,
    stopReason: reply.stopReason,
    // Calls made although none were offered are not carried out: the step counts as an answer.
    calls: (at.last ? [] : reply.toolCalls).map((call, index) => ({
      callId: `s${at.number}c${index + 1}`,
      providerId: call.id,
      tool: call.name,
      effect: at.state.tools.find((tool) => tool.name === call.name)?.effect ?? 'read',
      input: call.input,
      unparsedInput: call.unparsedInput,
      status: 'planned',
      refusal: null,
      approvalId: null,
      text: '',
      startedAt: null,
      finishedAt: null,
    })),
    rejected: null,
    last: at.last,
    usage: reply.usage,
    costUsd: at.costUsd,
  };
}
