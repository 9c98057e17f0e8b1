/** The planner's loop: a model, tools and a goal, within bounds, with every step kept so that a run can be resumed. */
import { type AgentProfile, needsApproval, type PlannerLimits, toolsOf } from './agentProfiles.ts';
import { parseAnswer } from './answer.ts';
import { AppError } from './errors.ts';
import { costUsd, type Llm, type LlmPrice, type LlmReply, type LlmUsage } from './llm.ts';
import { type PendingCall, runCalls, type ToolGate } from './plannerCalls.ts';
import { systemPrompt, transcript } from './plannerPrompt.ts';
import type { PlannerState, PlannerStep } from './plannerState.ts';
import type { PlannerTools } from './plannerTools.ts';
import type { Clock } from './ports.ts';

/** Room for one reply, in tokens. */
const REPLY_TOKENS = 4096;
/** From this share of the token or cost limit on, the model is asked for its answer instead of being offered tools. */
const WRAP_UP_SHARE = 0.8;
const MAX_REPEATED_CALLS = 3;

export interface PlannerRun {
  llm: Llm;
  prices: LlmPrice[];
  tools: PlannerTools;
  profile: AgentProfile;
  /** Trusted: written by the actor who started the run, or by us. */
  goal: string;
  /** Untrusted facts to start from (an alert's labels, say); fields named in the profile's `pin` become the target. */
  context: Record<string, unknown>;
  /** Budgets that are left; each bound is the smaller of this and the profile's. */
  limits?: Partial<PlannerLimits>;
  clock: Clock;
  /** Persists the state; called after every reply, before a write is sent, after calls, and at the end. */
  onStep: (state: PlannerState) => Promise<void>;
  onText?: (delta: string) => void;
  /** Decides on one call before it is sent; without it, every call that needs approval is denied. */
  beforeToolCall?: (call: PendingCall, signal: AbortSignal) => Promise<ToolGate>;
  signal: AbortSignal;
  /** The state of an earlier, unfinished run of the same goal. */
  resume?: PlannerState;
}

export type PlannerErrorKind =
  | 'no_tools'
  | 'bad_context'
  | 'step_limit'
  | 'token_limit'
  | 'cost_limit'
  | 'time_limit'
  | 'repeated_calls'
  | 'unparseable_answer'
  | 'llm_failed'
  | 'write_outcome_unknown'
  | 'cancelled';

export interface PlannerResult {
  status: 'completed' | 'waiting_approval' | 'failed' | 'cancelled' | 'interrupted';
  /** Fits the profile's answer schema; null unless completed. */
  answer: unknown;
  steps: PlannerStep[];
  usage: LlmUsage;
  costUsd: number | null;
  error: { kind: PlannerErrorKind; message: string } | null;
  state: PlannerState;
}

/**
 * Runs until there is an answer, a bound is reached, or a human has to decide. What the model, its provider and the
 * tools do wrong is in the result; this throws only what `onStep` or `beforeToolCall` throw, or a bug.
 *
 * A call that writes is persisted as started before it is sent. A state with such a call and no outcome ends as
 * `interrupted`: nobody knows whether it happened, so it is not sent again.
 */
export async function runPlanner(run: PlannerRun): Promise<PlannerResult> {
  const { profile, clock } = run;
  const limits = smallerLimits(profile.limits, run.limits ?? {});
  const state = run.resume ? structuredClone(run.resume) : freshState(run);
  const earlierMs = state.activeMs;
  const beganMs = clock.now().getTime();
  const deadline = AbortSignal.timeout(Math.max(0, limits.timeMs - earlierMs));
  const signal = AbortSignal.any([run.signal, deadline]);

  const save = async () => {
    state.activeMs = earlierMs + clock.now().getTime() - beganMs;
    await run.onStep(structuredClone(state));
  };
  const end = async (
    status: PlannerResult['status'],
    error: PlannerResult['error'],
    answer: unknown = null,
  ): Promise<PlannerResult> => {
    await save();
    return { status, answer, steps: state.steps, usage: state.usage, costUsd: state.costUsd, error, state };
  };
  const fail = (kind: PlannerErrorKind, message: string) => end('failed', { kind, message });
  const stopped = () =>
    run.signal.aborted
      ? end('cancelled', { kind: 'cancelled', message: reasonOf(run.signal) })
      : fail('time_limit', `The run used its ${limits.timeMs / 1000} s without an answer.`);

  if (state.tools.length === 0) {
    return fail(
      'no_tools',
      `None of the tools that profile ${profile.name} allows (${profile.tools.join(', ')}) is there.`,
    );
  }
  const missing = profile.pin.filter((key) => !(key in state.pinned));
  if (missing.length > 0) {
    return fail('bad_context', `Profile ${profile.name} needs ${missing.join(', ')} as text in the context.`);
  }

  for (;;) {
    if (signal.aborted || clock.now().getTime() - beganMs + earlierMs >= limits.timeMs) return stopped();

    const current = state.steps.at(-1);
    if (current && current.calls.length > 0) {
      const { dropped } = transcript(state);
      const outcome = await runCalls(current, {
        state,
        tools: run.tools,
        dropped,
        now: () => clock.now().toISOString(),
        save,
        signal,
        needsApproval: (tool) => needsApproval(profile, tool),
        gate: run.beforeToolCall ?? denyApprovals,
      });
      if (outcome.kind === 'waiting') return end('waiting_approval', null);
      if (outcome.kind === 'aborted') return stopped();
      if (outcome.kind === 'interrupted') {
        return end('interrupted', { kind: 'write_outcome_unknown', message: outcome.message });
      }
      const repeated = state.steps.flatMap((step) => step.calls).filter((call) => call.refusal === 'repeated').length;
      if (repeated >= MAX_REPEATED_CALLS) {
        return fail('repeated_calls', `The model made calls it already had the result of ${repeated} times.`);
      }
    }

    const repairing = current !== undefined && current.calls.length === 0;
    if (repairing && !(current.rejected && !current.rejected.repaired)) {
      const parsed = parseAnswer(current.text, profile.answer.validator);
      if (parsed.ok) return end('completed', null, parsed.answer);
      if (current.rejected) {
        return current.last && current.stopReason === 'tools'
          ? fail('step_limit', `The model still asked for tools when it had to answer, after ${current.number} steps.`)
          : fail('unparseable_answer', parsed.problem);
      }
      current.rejected = { text: current.text, problem: problemOf(current, parsed.problem), repaired: false };
      await save();
    }

    const tokens = state.usage.inputTokens + state.usage.outputTokens;
    if (tokens >= limits.tokens) return fail('token_limit', `The run used ${tokens} of its ${limits.tokens} tokens.`);
    if ((state.costUsd ?? 0) >= limits.costUsd) {
      return fail('cost_limit', `The run cost ${state.costUsd} of its ${limits.costUsd} US dollars.`);
    }

    const number = repairing ? current.number : state.steps.length + 1;
    const last =
      repairing ||
      number >= limits.steps ||
      tokens >= limits.tokens * WRAP_UP_SHARE ||
      (state.costUsd ?? 0) >= limits.costUsd * WRAP_UP_SHARE;
    const startedAt = clock.now().toISOString();
    let reply: LlmReply;
    try {
      reply = await run.llm.complete({
        model: profile.model ?? undefined,
        system: systemPrompt(profile, state, limits),
        messages: transcript(state).messages,
        tools: state.tools.map(({ name, description, inputSchema }) => ({ name, description, inputSchema })),
        toolChoice: last ? 'none' : 'auto',
        responseFormat: last ? { name: 'answer', schema: profile.answer.schema } : undefined,
        maxTokens: Math.min(REPLY_TOKENS, limits.tokens - tokens),
        signal,
        onText: run.onText,
      });
    } catch (error) {
      if (signal.aborted) return stopped();
      if (error instanceof AppError) return fail('llm_failed', error.message);
      throw error;
    }

    const cost = priceOf(run, reply.usage);
    state.usage = added(state.usage, reply.usage);
    state.costUsd = cost === null || state.costUsd === null ? null : state.costUsd + cost;
    if (repairing && current.rejected) {
      current.text = reply.text;
      current.stopReason = reply.stopReason;
      current.usage = added(current.usage, reply.usage);
      current.costUsd = cost === null || current.costUsd === null ? null : current.costUsd + cost;
      current.rejected.repaired = true;
    } else {
      state.steps.push(stepOf(reply, { state, number, last, startedAt, costUsd: cost }));
    }
    await save();
  }
}

function freshState(run: PlannerRun): PlannerState {
  const pinned = Object.fromEntries(
    run.profile.pin.flatMap((key) => {
      const value = run.context[key];
      return typeof value === 'string' && value !== '' ? [[key, value]] : [];
    }),
  );
  return {
    version: 1,
    profile: run.profile.name,
    goal: run.goal,
    context: structuredClone(run.context),
    pinned,
    tools: structuredClone(toolsOf(run.profile, run.tools.list())),
    steps: [],
    usage: { inputTokens: 0, outputTokens: 0 },
    costUsd: priceOf(run, { inputTokens: 0, outputTokens: 0 }),
    activeMs: 0,
  };
}

function stepOf(
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

function problemOf(step: PlannerStep, problem: string): string {
  if (step.stopReason === 'max_tokens')
    return `The answer was cut off at ${REPLY_TOKENS} tokens: be shorter. ${problem}`;
  if (step.stopReason === 'tools') return `No more tools can be called. Answer with what you know. ${problem}`;
  return problem;
}

const denyApprovals = async (call: PendingCall): Promise<ToolGate> =>
  call.needsApproval
    ? { verdict: 'deny', reason: 'It needs a human to approve it, and none can be asked.' }
    : { verdict: 'allow' };

const priceOf = ({ prices, llm, profile }: PlannerRun, usage: LlmUsage) => {
  const { provider, model } = llm.describe();
  return costUsd(prices, { provider, model: profile.model ?? model }, usage);
};

const added = (a: LlmUsage, b: LlmUsage): LlmUsage => ({
  inputTokens: a.inputTokens + b.inputTokens,
  outputTokens: a.outputTokens + b.outputTokens,
});

const smallerLimits = (profile: PlannerLimits, left: Partial<PlannerLimits>): PlannerLimits => ({
  steps: Math.min(profile.steps, left.steps ?? profile.steps),
  tokens: Math.min(profile.tokens, left.tokens ?? profile.tokens),
  costUsd: Math.min(profile.costUsd, left.costUsd ?? profile.costUsd),
  timeMs: Math.min(profile.timeMs, left.timeMs ?? profile.timeMs),
});

const reasonOf = (signal: AbortSignal) =>
  signal.reason instanceof Error ? signal.reason.message : 'The run was cancelled.';
