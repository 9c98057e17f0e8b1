/** Carries out the tool calls of one planner step: checked, gated, reads side by side, writes one by one and once. */
import { canonicalJson } from '../canonicalJson.ts';
import { AppError } from '../errors.ts';
import type { Effect } from '../tool.ts';
import type { Tracing } from '../tracing.ts';
import { isSettled, type PlannerCall, type PlannerState, type PlannerStep, type Refusal } from './plannerState.ts';
import { type PlannerTool, type PlannerTools, pinArguments, sameTool } from './plannerTools.ts';

const MAX_CALLS_PER_STEP = 16;
/** A read may be asked for a second time (a scan that was still under way, say), not a third. */
const MAX_IDENTICAL_CALLS = 2;

/** A call about to be sent, as the tool policy sees it. */
export interface PendingCall {
  callId: string;
  tool: string;
  effect: Effect;
  input: unknown;
  /** By the profile: nothing but `allow` after a human's approval may let it through. */
  needsApproval: boolean;
  /** What an earlier `wait` for this call gave; null the first time. */
  approvalId: string | null;
}

export type ToolPolicy =
  | { verdict: 'allow' }
  | { verdict: 'deny'; reason: string }
  | { verdict: 'wait'; approvalId: string };

interface CallContext {
  state: PlannerState;
  tools: PlannerTools;
  /** Calls whose results the model no longer sees, and so may make again. */
  dropped: Set<string>;
  now: () => string;
  tracing: Tracing;
  save: () => Promise<void>;
  signal: AbortSignal;
  needsApproval: (tool: PlannerTool) => boolean;
  judge: (call: PendingCall, signal: AbortSignal) => Promise<ToolPolicy>;
}

type CallsOutcome =
  | { kind: 'done' }
  | { kind: 'waiting' }
  | { kind: 'aborted' }
  | { kind: 'interrupted'; message: string };

/** Goes through the step's calls in the model's order; those that already have a result are left alone. */
export async function runCalls(step: PlannerStep, context: CallContext): Promise<CallsOutcome> {
  const lost = step.calls.find((call) => call.status === 'started' && call.effect !== 'read');
  if (lost) {
    lost.status = 'unknown';
    lost.text = 'The run was cut off while this call was under way. It may or may not have taken effect.';
    return {
      kind: 'interrupted',
      message: `The run was cut off during ${lost.tool} (${lost.callId}); check whether it took effect. It was not sent again.`,
    };
  }

  let index = 0;
  while (index < step.calls.length) {
    // Reads up to the next write go side by side; the write waits for them, because the model saw it as coming after.
    const reads: PlannerCall[] = [];
    let write: PlannerCall | null = null;
    let waiting = false;
    while (index < step.calls.length && !write && !waiting) {
      const call = step.calls[index]!;
      const verdict = isSettled(call) ? 'settled' : await admit(call, index, context);
      if (verdict === 'waiting') waiting = true;
      else index++;
      if (verdict !== 'go') continue;
      if (call.effect === 'read') reads.push(begin(call, context));
      else write = call;
    }
    if (reads.length > 0) {
      await Promise.all(reads.map((read) => perform(read, context)));
      await context.save();
    }
    if (context.signal.aborted) return { kind: 'aborted' };
    if (waiting) return { kind: 'waiting' };
    if (write) {
      begin(write, context);
      await context.save();
      await perform(write, context);
      await context.save();
      if (context.signal.aborted) return { kind: 'aborted' };
    }
  }
  return { kind: 'done' };
}

function begin(call: PlannerCall, { now }: CallContext): PlannerCall {
  call.status = 'started';
  call.startedAt = now();
  return call;
}

/** Every reason not to send a call, cheapest first; a refusal becomes the call's result. */
async function admit(call: PlannerCall, index: number, context: CallContext): Promise<'go' | 'refused' | 'waiting'> {
  const refuse = (refusal: Refusal, text: string) => {
    Object.assign(call, { status: 'refused', refusal, text, finishedAt: context.now() });
    return 'refused' as const;
  };
  const { state, tools } = context;

  const tool = state.tools.find(({ name }) => name === call.tool);
  if (!tool) {
    return refuse(
      'unknown_tool',
      `There is no such tool. There are: ${state.tools.map(({ name }) => name).join(', ')}.`,
    );
  }
  const today = tools.list().find(({ name }) => name === call.tool);
  if (!today || !sameTool(tool, today)) {
    return refuse(
      'changed_tool',
      'This tool is gone or was changed since the run began, so it may not be used any more.',
    );
  }
  if (index >= MAX_CALLS_PER_STEP) {
    return refuse(
      'too_many',
      `At most ${MAX_CALLS_PER_STEP} calls in one step are carried out; ask again if you need it.`,
    );
  }
  if (call.unparsedInput !== null) {
    return refuse('bad_arguments', 'The arguments were not valid JSON. Send a JSON object.');
  }
  const pinned = pinArguments(tool, call.input, state.pinned);
  if ('refusal' in pinned) return refuse('bad_arguments', pinned.refusal);
  call.input = pinned.input;
  if (isRepeat(call, context)) {
    return refuse(
      'repeated',
      'You made this very call before and have its result. Use it, try something else, or answer.',
    );
  }

  const policy = await context.judge(
    {
      callId: call.callId,
      tool: call.tool,
      effect: call.effect,
      input: call.input,
      needsApproval: context.needsApproval(tool),
      approvalId: call.approvalId,
    },
    context.signal,
  );
  if (policy.verdict === 'deny') return refuse('denied', `This call was not allowed: ${policy.reason}`);
  if (policy.verdict === 'wait') {
    call.status = 'waiting';
    call.approvalId = policy.approvalId;
    return 'waiting';
  }
  return 'go';
}

/** A write that may have happened is never made again; anything else at most twice, counted anew after a write. */
function isRepeat(call: PlannerCall, { state, dropped }: CallContext): boolean {
  const key = canonicalJson(call.input);
  const earlier = state.steps.flatMap((step) => step.calls).filter((other) => other !== call);
  const same = (other: PlannerCall) => other.tool === call.tool && canonicalJson(other.input) === key;
  if (call.effect !== 'read') {
    const mayHaveHappened = earlier.some((other) => same(other) && ['done', 'unknown'].includes(other.status));
    return mayHaveHappened || earlier.filter((other) => same(other) && other.status === 'failed').length >= 2;
  }
  const lastWrite = earlier.findLastIndex((other) => other.effect !== 'read' && other.status === 'done');
  const made = earlier
    .slice(lastWrite + 1)
    .filter((other) => same(other) && ['started', 'done', 'failed'].includes(other.status))
    .filter((other) => !dropped.has(other.callId));
  return made.length >= MAX_IDENTICAL_CALLS;
}

/** Sends one call and records what came of it. A read that was cut off is as if it had not been made. */
async function perform(call: PlannerCall, { tools, tracing, signal, now }: CallContext): Promise<void> {
  const about = {
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': call.tool,
    'gen_ai.tool.call.id': call.callId,
  };
  try {
    const result = await tracing.span(`execute_tool ${call.tool}`, about, async ({ add }) => {
      const result = await tools.call(call.tool, call.input, { signal });
      if (result.isError) add({ 'error.type': 'tool_error' });
      return result;
    });
    call.status = result.isError ? 'failed' : 'done';
    call.text = result.text;
  } catch (error) {
    if (signal.aborted) {
      call.status = call.effect === 'read' ? 'planned' : 'unknown';
      call.text = call.effect === 'read' ? '' : 'The run was stopped while this call was under way.';
    } else if (error instanceof AppError) {
      const certain = call.effect === 'read' || error.kind !== 'unavailable';
      call.status = certain ? 'failed' : 'unknown';
      call.text = certain
        ? error.message
        : 'No answer came. The call may or may not have taken effect: do not repeat it, find out by reading.';
    } else {
      throw error;
    }
  }
  call.finishedAt = now();
}
