/** The planner's loop: a model, tools and a goal, within bounds, with every step kept so that a run can be resumed. */

import { AppError } from '../errors.ts';
import type { Clock } from '../ports/ports.ts';
import type { Tracing } from '../tracing.ts';
import { type AgentProfile, needsApproval, type PlannerLimits, toolsOf } from './agentProfiles.ts';
import { parseAnswer } from './answer.ts';
import { costUsd, type Llm, type LlmPrice, type LlmReply, type LlmUsage } from './llm.ts';
import { type PendingCall, runCalls, type ToolPolicy } from './plannerCalls.ts';
import { systemPrompt, transcript } from './plannerPrompt.ts';
import { isSettled, type PlannerState, type PlannerStep, stepOf } from './plannerState.ts';
import type { PlannerTools } from './plannerTools.ts';

/** Room for one reply, in tokens; models that reason before they answer spend part of it on that. */
const REPLY_TOKENS = 8192;
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
  tracing: Tracing;
  /** Persists the state; called after every reply, before a write is sent, after calls, and at the end. */
  onStep: (state: PlannerState) => Promise<void>;
  onText?: (delta: string) => void;
  /** The text passed on since the last step is void. */
  onTextWithdrawn?: () => void;
  /** Decides on one call before it is sent; without it, every call that needs approval is denied. */
  beforeToolCall?: (call: PendingCall, signal: AbortSignal) => Promise<ToolPolicy>;
  signal: AbortSignal;
  /** The state of an earlier, unfinished run of the same goal. */
  resume?: PlannerState;
}

type PlannerErrorKind =
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
  const session = openSession(run);
  const { state } = session;
  let ending = unready(session) ?? (await followUp(session));
  while (!ending) ending = overBounds(session) ?? (await takeStep(session));
  await session.save();
  return { ...ending, steps: state.steps, usage: state.usage, costUsd: state.costUsd, state };
}

/** One turn of the model and what follows from it. */
function takeStep(session: PlannerSession): Promise<Ending | null> {
  const { run, state } = session;
  return run.tracing.span('step', {}, async ({ add }) => {
    const failure = await takeTurn(session);
    add({ 'dexops.step': state.steps.length });
    if (failure) {
      add({ 'error.type': failure.error?.kind ?? null });
      return failure;
    }
    await session.save();
    return followUp(session);
  });
}

/** What the last step still asks for: its calls carried out, or its answer judged. */
const followUp = async (session: PlannerSession): Promise<Ending | null> =>
  (await settleCalls(session)) ?? judgeAnswer(session);

/** What one call of `runPlanner` works with. */
interface PlannerSession {
  run: PlannerRun;
  limits: PlannerLimits;
  state: PlannerState;
  /** Aborted by the caller or when the time is over. */
  signal: AbortSignal;
  elapsedMs: () => number;
  save: () => Promise<void>;
}

type Ending = Pick<PlannerResult, 'status' | 'answer' | 'error'>;

function openSession(run: PlannerRun): PlannerSession {
  const limits = smallerLimits(run.profile.limits, run.limits ?? {});
  const state = run.resume ? structuredClone(run.resume) : freshState(run);
  const earlierMs = state.activeMs;
  const beganMs = run.clock.now().getTime();
  const elapsedMs = () => earlierMs + run.clock.now().getTime() - beganMs;
  const deadline = AbortSignal.timeout(Math.max(0, limits.timeMs - earlierMs));
  const save = async () => {
    state.activeMs = elapsedMs();
    await run.onStep(structuredClone(state));
  };
  return { run, limits, state, signal: AbortSignal.any([run.signal, deadline]), elapsedMs, save };
}

/** Why the run cannot be made at all, if so. */
function unready({ run: { profile }, state }: PlannerSession): Ending | null {
  if (state.tools.length === 0) {
    const wanted = profile.tools.join(', ');
    return failed('no_tools', `None of the tools that profile ${profile.name} allows (${wanted}) is there.`);
  }
  const missing = profile.pin.filter((key) => !(key in state.pinned));
  if (missing.length === 0) return null;
  return failed('bad_context', `Profile ${profile.name} needs ${missing.join(', ')} as text in the context.`);
}

/** Carries out what the last step asked for and was not carried out yet. */
async function settleCalls(session: PlannerSession): Promise<Ending | null> {
  const { run, state, signal, save } = session;
  const step = state.steps.at(-1);
  if (!step || step.calls.every(isSettled)) return null;
  if (isOver(session)) return stopped(session);

  const outcome = await runCalls(step, {
    state,
    tools: run.tools,
    dropped: transcript(state).dropped,
    now: () => run.clock.now().toISOString(),
    tracing: run.tracing,
    save,
    signal,
    needsApproval: (tool) => needsApproval(run.profile, tool),
    judge: run.beforeToolCall ?? denyApprovals,
  });
  if (outcome.kind === 'waiting') return { status: 'waiting_approval', answer: null, error: null };
  if (outcome.kind === 'aborted') return stopped(session);
  if (outcome.kind === 'interrupted') {
    const error = { kind: 'write_outcome_unknown' as const, message: outcome.message };
    return { status: 'interrupted', answer: null, error };
  }
  const repeated = state.steps.flatMap(({ calls }) => calls).filter(({ refusal }) => refusal === 'repeated').length;
  if (repeated < MAX_REPEATED_CALLS) return null;
  return failed('repeated_calls', `The model made calls it already had the result of ${repeated} times.`);
}

/** Takes the last step's text as the answer when it came without calls; a bad one is noted, to be repaired once. */
async function judgeAnswer({ run: { profile }, state, save }: PlannerSession): Promise<Ending | null> {
  const step = state.steps.at(-1);
  if (!isAnswer(step) || (step.rejected && !step.rejected.repaired)) return null;
  if (step.stopReason === 'refused') return failed('llm_failed', 'The model refused to answer.');
  const parsed = parseAnswer(step.text, profile.answer.validator);
  if (parsed.ok) return { status: 'completed', answer: parsed.answer, error: null };
  if (!step.rejected) {
    step.rejected = { text: step.text, problem: problemOf(step, parsed.problem), repaired: false };
    await save();
    return null;
  }
  return step.last && step.stopReason === 'tools'
    ? failed('step_limit', `The model still asked for tools when it had to answer, after ${step.number} steps.`)
    : failed('unparseable_answer', parsed.problem);
}

/** Which bound forbids another turn, if one does. */
function overBounds(session: PlannerSession): Ending | null {
  const { state, limits } = session;
  if (isOver(session)) return stopped(session);
  const tokens = tokensOf(state);
  if (tokens >= limits.tokens) return failed('token_limit', `The run used ${tokens} of its ${limits.tokens} tokens.`);
  if ((state.costUsd ?? 0) < limits.costUsd) return null;
  return failed('cost_limit', `The run cost ${state.costUsd} of its ${limits.costUsd} US dollars.`);
}

/** Asks the model once: for its next step, or for the repair of an answer, which stays within the step it repairs. */
async function takeTurn(session: PlannerSession): Promise<Ending | null> {
  const { run, limits, state, signal } = session;
  const { profile } = run;
  const before = state.steps.at(-1);
  const repaired = isAnswer(before) ? before : null;
  const number = repaired ? repaired.number : state.steps.length + 1;
  const last =
    repaired !== null ||
    number >= limits.steps ||
    tokensOf(state) >= limits.tokens * WRAP_UP_SHARE ||
    (state.costUsd ?? 0) >= limits.costUsd * WRAP_UP_SHARE;
  const startedAt = run.clock.now().toISOString();
  let reply: LlmReply;
  try {
    reply = await run.llm.complete({
      model: profile.model ?? undefined,
      system: systemPrompt(profile, state, limits),
      messages: transcript(state).messages,
      tools: state.tools.map(({ name, description, inputSchema }) => ({ name, description, inputSchema })),
      toolChoice: last ? 'none' : 'auto',
      responseFormat: last ? { name: 'answer', schema: profile.answer.schema } : undefined,
      maxTokens: Math.min(REPLY_TOKENS, limits.tokens - tokensOf(state)),
      signal,
      onText: run.onText,
      onTextWithdrawn: run.onTextWithdrawn,
    });
  } catch (error) {
    if (signal.aborted) return stopped(session);
    if (error instanceof AppError) return failed('llm_failed', error.message);
    throw error;
  }

  const cost = priceOf(run, reply.usage);
  state.usage = added(state.usage, reply.usage);
  state.costUsd = sum(state.costUsd, cost);
  if (repaired?.rejected) {
    repaired.text = reply.text;
    repaired.stopReason = reply.stopReason;
    repaired.usage = added(repaired.usage, reply.usage);
    repaired.costUsd = sum(repaired.costUsd, cost);
    repaired.rejected.repaired = true;
  } else {
    state.steps.push(stepOf(reply, { state, number, last, startedAt, costUsd: cost }));
  }
  return null;
}

const failed = (kind: PlannerErrorKind, message: string): Ending => ({
  status: 'failed',
  answer: null,
  error: { kind, message },
});

const isOver = ({ signal, limits, elapsedMs }: PlannerSession) => signal.aborted || elapsedMs() >= limits.timeMs;

function stopped({ run: { signal }, limits }: PlannerSession): Ending {
  if (!signal.aborted) return failed('time_limit', `The run used its ${limits.timeMs / 1000} s without an answer.`);
  const message = signal.reason instanceof Error ? signal.reason.message : 'The run was cancelled.';
  return { status: 'cancelled', answer: null, error: { kind: 'cancelled', message } };
}

const isAnswer = (step: PlannerStep | undefined): step is PlannerStep => step !== undefined && step.calls.length === 0;

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

function problemOf(step: PlannerStep, problem: string): string {
  if (step.stopReason === 'max_tokens')
    return `The answer was cut off at ${REPLY_TOKENS} tokens: be shorter. ${problem}`;
  if (step.stopReason === 'tools') return `No more tools can be called. Answer with what you know. ${problem}`;
  return problem;
}

const denyApprovals = async (call: PendingCall): Promise<ToolPolicy> =>
  call.needsApproval
    ? { verdict: 'deny', reason: 'It needs a human to approve it, and none can be asked.' }
    : { verdict: 'allow' };

const priceOf = ({ prices, llm, profile }: PlannerRun, usage: LlmUsage) => {
  const { provider, model } = llm.describe();
  return costUsd(prices, { provider, model: profile.model ?? model }, usage);
};

const tokensOf = ({ usage }: PlannerState) => usage.inputTokens + usage.outputTokens;

const sum = (a: number | null, b: number | null) => (a === null || b === null ? null : a + b);

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
