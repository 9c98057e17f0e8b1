/** Planner runs: an agent works on a goal for whoever asked, every step is stored, and what it may not do alone waits for a human. */
import type { OutboxMessage } from '../../domain/outbox.ts';
import type { Run } from '../../domain/run.ts';
import type { Actor } from '../actor.ts';
import { cancelApproval, recordExecution, requestApproval, requireApproval, spendApproval } from '../approvals.ts';
import { canonicalJson } from '../canonicalJson.ts';
import { AppError } from '../errors.ts';
import type { Invoke } from '../invoke.ts';
import type { StoredApproval } from '../ports/alertPorts.ts';
import type { Ports, Reloaded } from '../ports/ports.ts';
import type { RunKindHandler, RunOutcome } from '../ports/runPorts.ts';
import { followRun } from '../runs/followRun.ts';
import { reclaimRun, requeueRun, runKind } from '../runs/runKinds.ts';
import { cancelOpenRun, requireRun } from '../runs/runs.ts';
import { tracedLlm } from '../tracing.ts';
import { type AgentProfile, MAX_RUN_SECONDS } from './agentProfiles.ts';
import { answerText } from './answerText.ts';
import type { Llm, LlmPrice } from './llm.ts';
import { type LlmBudget, withinBudget } from './llmBudget.ts';
import { type PlannerResult, type PlannerRun, runPlanner } from './planner.ts';
import type { PendingCall, ToolPolicy } from './plannerCalls.ts';
import { isResumable, jobOf } from './plannerJob.ts';
import type { CallStatus, PlannerState, PlannerStep } from './plannerState.ts';
import type { PlannerTools } from './plannerTools.ts';
import { ruleAnswer } from './ruleAnswer.ts';

export const DEFAULT_PROFILE = 'default';

/** What planner runs are made from, beside the ports that every use case has. */
export interface PlannerParts {
  /** Or why there is none: then rules answer what they can. */
  model: { llm: Llm; reason: null } | { llm: null; reason: string };
  prices: Reloaded<LlmPrice[]>;
  profiles: Reloaded<Map<string, AgentProfile>>;
  budget: LlmBudget;
  /** Connects the profile's servers; ours sees `actor` and calls through `invoke`. Close what this returns. */
  openTools(
    profile: AgentProfile,
    caller: { actor: Actor; invoke: Invoke },
  ): Promise<PlannerTools & { close(): Promise<void> }>;
}

/** Runs of kind planner: interrupted ones continue from their last stored step. */
export function plannerRuns(ports: Ports, parts: PlannerParts, invoke: Invoke): RunKindHandler {
  return runKind(ports, plannerExecutor(ports, parts, invoke), {
    reclaim(run) {
      if (run.status === 'queued' || !isResumable(run)) return reclaimRun(ports, run);
      const job = jobOf(run);
      return requeueRun(ports, run, { ...job, resumes: job.resumes + 1 });
    },
    async cancel(run, by) {
      await cancelOpenRun(ports, run, by);
      await withdrawApprovals(ports, run.id);
    },
  });
}

function plannerExecutor(ports: Ports, parts: PlannerParts, invoke: Invoke): RunKindHandler['execute'] {
  return async (run, { signal, cancelled }) => {
    const job = jobOf(run);
    const name = run.agentProfile ?? DEFAULT_PROFILE;
    const profile = parts.profiles.current().get(name);
    if (!profile) throw new AppError('not_found', `There is no agent profile ${name} any more.`);
    const actor: Actor = {
      id: `planner:${run.id}`,
      name: `the agent of ${job.asker.name}`,
      kind: 'model',
      via: 'planner',
      role: job.asker.role,
      ...(job.asker.grants && { grants: job.asker.grants }),
      // What is the asker's own is so for their agent.
      ...(job.asker.email && { email: job.asker.email }),
    };
    const { llm, reason } = parts.model;
    if (!llm) {
      const question = { goal: run.goal ?? '', context: job.context, noModel: reason };
      return { status: 'completed', result: await ruleAnswer({ ports, invoke, actor }, question) };
    }

    ports.metrics.agentCalled(name);
    const limiter = limiterOf(ports, run, actor, invoke);
    const store = storing(ports, run, llm, profile);
    const tools = await parts.openTools(profile, { actor, invoke: limiter.invoke });
    const prices = parts.prices.current();
    try {
      const result = await tracedAgent(ports, run, {
        llm: withinBudget(
          { ...ports, budget: parts.budget, prices, caller: run.requestedBy },
          tracedLlm(ports.tracing, llm),
        ),
        prices,
        tools,
        profile,
        goal: run.goal ?? '',
        context: job.context,
        limits: { timeMs: MAX_RUN_SECONDS * 1000 },
        clock: ports.clock,
        tracing: ports.tracing,
        onStep: store,
        onText: (delta) => ports.runEvents.publish(run.id, { type: 'text', delta }),
        onTextWithdrawn: () => ports.runEvents.publish(run.id, { type: 'withdrawn' }),
        beforeToolCall: limiter.beforeToolCall,
        signal,
        ...(job.loop && { resume: { ...job.loop, steps: run.steps as PlannerStep[] } }),
      });
      return outcomeOf(ports, run, result, cancelled);
    } finally {
      await tools.close();
    }
  };
}

function tracedAgent({ tracing }: Ports, run: Run, planned: PlannerRun): Promise<PlannerResult> {
  const about = {
    'gen_ai.operation.name': 'invoke_agent',
    'gen_ai.agent.name': planned.profile.name,
    'gen_ai.conversation.id': run.id,
  };
  return tracing.span(`invoke_agent ${planned.profile.name}`, about, async ({ add }) => {
    const result = await runPlanner(planned);
    add({
      'gen_ai.usage.input_tokens': result.usage.inputTokens,
      'gen_ai.usage.output_tokens': result.usage.outputTokens,
      'error.type': result.error?.kind ?? null,
    });
    return result;
  });
}

/** Stores the loop's state after every step, and counts what the step cost. */
function storing(ports: Ports, run: Run, llm: Llm, profile: AgentProfile): (state: PlannerState) => Promise<void> {
  let countedUsd = jobOf(run).loop?.costUsd ?? 0;
  const recorded = new Set<string>();
  return async ({ steps, ...loop }) => {
    await ports.store.runs.update(run.id, {
      steps,
      state: { ...jobOf(run), loop },
      usage: loop.usage,
      costUsd: loop.costUsd,
    });
    if (loop.costUsd !== null && loop.costUsd > countedUsd) {
      const { provider, model } = llm.describe();
      ports.metrics.llmSpent({ provider, model: profile.model ?? model }, loop.costUsd - countedUsd);
      countedUsd = loop.costUsd;
    }
    for (const call of steps.at(-1)?.calls ?? []) {
      const execution = EXECUTION_OF[call.status];
      if (call.approvalId === null || !execution || recorded.has(call.approvalId)) continue;
      recorded.add(call.approvalId);
      await recordExecution(ports, call.approvalId, execution, call.text.slice(0, MAX_OUTCOME));
    }
    ports.runEvents.publish(run.id, { type: 'changed' });
  };
}

/** What became of a call that people had allowed; a refused one was never allowed. */
const EXECUTION_OF: Partial<Record<CallStatus, 'done' | 'failed' | 'interrupted'>> = {
  done: 'done',
  failed: 'failed',
  unknown: 'interrupted',
};
/** Characters of a call's result that its approval keeps. */
const MAX_OUTCOME = 500;

/**
 * Lets a call through that needs nobody or that people allowed; any other waits for them. Our own server asks again at the
 * the invoker of all calls, and there exactly the calls that were let through here, each once, count as granted.
 */
function limiterOf(
  ports: Ports,
  run: Run,
  actor: Actor,
  invoke: Invoke,
): { beforeToolCall: (call: PendingCall) => Promise<ToolPolicy>; invoke: Invoke } {
  const granted = new Set<string>();
  const keyOf = (tool: string, input: unknown) => `${tool} ${canonicalJson(input)}`;
  return {
    async beforeToolCall(call) {
      if (call.needsApproval) {
        const approval = await approvalOf(ports, run, actor, call);
        if (approval.status === 'pending') return { verdict: 'wait', approvalId: approval.id };
        if (approval.status !== 'approved') return { verdict: 'deny', reason: refusalOf(approval) };
        await spendApproval(ports, approval.id, approval.tool, approval.input);
      }
      if (call.effect !== 'read') granted.add(keyOf(call.tool.slice(call.tool.indexOf('__') + 2), call.input));
      return { verdict: 'allow' };
    },
    invoke: (name, raw, caller, options) =>
      invoke(name, raw, caller, { ...options, granted: granted.delete(keyOf(name, raw)) }),
  };
}

/** The approval that this call asked for before, or a new one. */
async function approvalOf(ports: Ports, run: Run, actor: Actor, call: PendingCall): Promise<StoredApproval> {
  if (call.approvalId !== null) return requireApproval(ports, call.approvalId);
  const input = call.input as Record<string, unknown>;
  const alertId = typeof input.alert_id === 'number' ? input.alert_id : null;
  const alert = alertId === null ? null : await ports.store.alerts.get(alertId);
  const named = typeof input.hostname === 'string' ? input.hostname : null;
  return requestApproval(
    ports,
    {
      kind: 'planner_step',
      question: `${actor.name} wants to call ${call.tool} with ${JSON.stringify(input)}. Allow it?`,
      plan: { goal: run.goal, tool: call.tool, input },
      tool: call.tool,
      input,
      hostname: named ?? alert?.hostname ?? run.hostname,
      alertId,
      subjectId: run.id,
    },
    actor,
  );
}

function refusalOf({ status, answers }: StoredApproval): string {
  const no = answers.find(({ decision }) => decision === 'deny');
  if (no) return `${no.name} said no${no.reason ? `: ${no.reason}` : '.'}`;
  return status === 'expired' ? 'nobody answered in time.' : `the request is ${status}.`;
}

function outcomeOf(
  ports: Ports,
  run: Run,
  { status, answer, error }: PlannerResult,
  cancelled: AbortSignal,
): RunOutcome {
  const said = error ? `${error.kind}: ${error.message}` : undefined;
  switch (status) {
    case 'completed':
      return { status, result: answer, updates: notificationsOf(ports, run, answer) };
    case 'waiting_approval':
      return { status };
    case 'cancelled':
      if (cancelled.aborted) return { status, error: said };
      // The service stops: whoever starts next goes on from what is stored.
      return jobOf(run).attended ? { status: 'interrupted', error: said } : { status: 'queued' };
    default:
      return { status, error: said };
  }
}

/** The answer for the place that asked for it. */
function notificationsOf(ports: Ports, run: Run, answer: unknown): OutboxMessage[] {
  const { tell } = jobOf(run);
  if (tell === null) return [];
  return ports.settings.alertMessengers.map((messenger) => ({
    messenger,
    kind: 'changed',
    subject: tell,
    idempotencyKey: `run:${run.id}:${messenger}`,
    payload: { note: answerText(answer), run_id: run.id },
  }));
}

/** Longer than a run takes from asking people to waiting for them; milliseconds. */
const TO_WAITING_MS = 5 * 60_000;

/** People have answered, or time has, and the run goes on. An answer may come before the run has begun to wait. */
export async function plannerStepDecided(
  ports: Ports,
  { subjectId }: StoredApproval,
  signal: AbortSignal,
): Promise<void> {
  if (subjectId === null) return;
  await followRun(ports, subjectId, TO_WAITING_MS, signal);
  if (!(await ports.store.runs.move(subjectId, ['waiting_approval'], { status: 'queued' }))) return;
  await ports.queue.enqueue('execute_run', { run_id: subjectId });
  ports.runEvents.publish(subjectId, { type: 'changed' });
}

/** Nobody has to answer any more for a run that was cancelled. */
async function withdrawApprovals(ports: Ports, runId: string): Promise<void> {
  const { steps } = await requireRun(ports, runId);
  for (const call of (steps as PlannerStep[]).at(-1)?.calls ?? []) {
    if (call.status === 'waiting' && call.approvalId !== null)
      await cancelApproval(ports, call.approvalId, 'The run that asked was cancelled.');
  }
}

/** Keeps whether an agent's answer helped. @throws AppError `not_found`, `conflict` while there is no answer */
export async function rateRun(ports: Ports, runId: string, helpful: boolean): Promise<void> {
  const run = await ports.store.runs.get(runId);
  if (run?.kind !== 'planner') throw new AppError('not_found', 'There is no answer of this number.', { run_id: runId });
  if (run.finishedAt === null) throw new AppError('conflict', 'It has not been answered yet.', { run_id: runId });
  const job = jobOf(run);
  await ports.store.runs.update(runId, { state: { ...job, helpful } });
  if (job.helpful !== helpful) ports.metrics.answerRated(helpful);
}
