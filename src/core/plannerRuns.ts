/** Planner runs: an agent works on a goal for whoever asked, every step is stored, and what it may not do alone waits for a human. */
import type { OutboxMessage } from '../domain/outbox.ts';
import type { Run } from '../domain/run.ts';
import type { Actor } from './actor.ts';
import { type AgentProfile, MAX_RUN_SECONDS } from './agentProfiles.ts';
import { answerText } from './answerText.ts';
import { canonicalJson } from './canonicalJson.ts';
import { AppError } from './errors.ts';
import type { Invoke } from './invoke.ts';
import type { Llm, LlmPrice } from './llm.ts';
import { type LlmBudget, withinBudget } from './llmBudget.ts';
import { type PlannerResult, runPlanner } from './planner.ts';
import type { PendingCall, ToolGate } from './plannerCalls.ts';
import { type CallDecision, jobOf, type PlannerJob } from './plannerJob.ts';
import type { PlannerState, PlannerStep } from './plannerState.ts';
import type { PlannerTools } from './plannerTools.ts';
import type { Ports, Reloaded } from './ports.ts';
import { ruleAnswer } from './ruleAnswer.ts';
import { type RunExecutor, type RunOutcome, requireRun } from './runs.ts';

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

/** A human who was asked and did not answer has not said yes. Milliseconds; the guide's time for approvals. */
const DECISION_TIME_MS = 30 * 60_000;

export function plannerExecutor(ports: Ports, parts: PlannerParts, invoke: Invoke): RunExecutor {
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
    };
    const { llm, reason } = parts.model;
    if (!llm) {
      const question = { goal: run.goal ?? '', context: job.context, noModel: reason };
      return { status: 'completed', result: await ruleAnswer({ ports, invoke, actor }, question) };
    }

    ports.metrics.agentCalled(name);
    const gate = gateOf(job, invoke);
    const store = storing(ports, run, llm, profile);
    const tools = await parts.openTools(profile, { actor, invoke: gate.invoke });
    try {
      const result = await runPlanner({
        llm: withinBudget(ports, parts.budget, run.requestedBy, llm),
        prices: parts.prices.current(),
        tools,
        profile,
        goal: run.goal ?? '',
        context: job.context,
        limits: { timeMs: MAX_RUN_SECONDS * 1000 },
        clock: ports.clock,
        onStep: store,
        onText: (delta) => ports.runEvents.publish(run.id, { type: 'text', delta }),
        beforeToolCall: gate.beforeToolCall,
        signal,
        ...(job.loop && { resume: { ...job.loop, steps: run.steps as PlannerStep[] } }),
      });
      return await outcomeOf(ports, run, result, cancelled);
    } finally {
      await tools.close();
    }
  };
}

/** Stores the loop's state after every step, and counts what the step cost. */
function storing(ports: Ports, run: Run, llm: Llm, profile: AgentProfile): (state: PlannerState) => Promise<void> {
  let countedUsd = jobOf(run).loop?.costUsd ?? 0;
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
    ports.runEvents.publish(run.id, { type: 'changed' });
  };
}

/**
 * Lets a call through that needs nobody or that a human allowed; any other waits. Our own server asks again at the gate
 * of all calls, and there exactly the calls that were let through here, each once, count as confirmed.
 */
function gateOf(
  job: PlannerJob,
  invoke: Invoke,
): { beforeToolCall: (call: PendingCall) => Promise<ToolGate>; invoke: Invoke } {
  const granted = new Set<string>();
  const keyOf = (tool: string, input: unknown) => `${tool} ${canonicalJson(input)}`;
  return {
    async beforeToolCall({ callId, tool, effect, input, needsApproval }) {
      const decision = job.decisions[callId];
      if (needsApproval && !decision) return { verdict: 'wait', approvalId: callId };
      if (needsApproval && !decision?.approve) return { verdict: 'deny', reason: refusalOf(decision) };
      if (effect !== 'read') granted.add(keyOf(tool.slice(tool.indexOf('__') + 2), input));
      return { verdict: 'allow' };
    },
    invoke: (name, raw, actor, options) =>
      invoke(name, raw, actor, { ...options, confirm: async () => granted.delete(keyOf(name, raw)) }),
  };
}

function refusalOf(decision: CallDecision | undefined): string {
  return `${decision?.by ?? 'nobody'} said no${decision?.reason ? `: ${decision.reason}` : '.'}`;
}

async function outcomeOf(
  ports: Ports,
  run: Run,
  { status, answer, error, state, steps }: PlannerResult,
  cancelled: AbortSignal,
): Promise<RunOutcome> {
  const said = error ? `${error.kind}: ${error.message}` : undefined;
  switch (status) {
    case 'completed':
      return { status, result: answer, news: newsOf(ports, run, answer) };
    case 'waiting_approval': {
      const { steps: _stored, ...loop } = state;
      const callId = steps.at(-1)?.calls.find((call) => call.status === 'waiting')?.callId ?? '';
      const waiting = { callId, since: ports.clock.now().toISOString() };
      await ports.store.runs.update(run.id, { state: { ...jobOf(run), loop, waiting } });
      return { status };
    }
    case 'cancelled':
      if (cancelled.aborted) return { status, error: said };
      // The service stops: whoever starts next goes on from what is stored.
      return jobOf(run).attended ? { status: 'interrupted', error: said } : { status: 'queued' };
    default:
      return { status, error: said };
  }
}

/** The answer for the place that asked for it. */
function newsOf(ports: Ports, run: Run, answer: unknown): OutboxMessage[] {
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

/**
 * A human's word on the call that a run waits with; the first word counts. The run goes on either way.
 * @throws AppError `not_found`, or `conflict` when the run does not wait with this call
 */
export async function decideCall(
  ports: Ports,
  runId: string,
  callId: string,
  decision: Omit<CallDecision, 'at'>,
): Promise<Run> {
  const run = await requireRun(ports, runId);
  const job = run.kind === 'planner' ? jobOf(run) : null;
  const decided = job && job.waiting?.callId === callId && (await goOn(ports, run, job, callId, decision));
  if (!decided) {
    const now = job?.waiting && run.status === 'waiting_approval' ? `waits with ${job.waiting.callId}` : run.status;
    throw new AppError('conflict', `Run ${runId} does not wait with call ${callId}: it is ${now}.`, {
      run_id: runId,
      status: run.status,
    });
  }
  return requireRun(ports, runId);
}

async function goOn(
  ports: Ports,
  run: Run,
  job: PlannerJob,
  callId: string,
  decision: Omit<CallDecision, 'at'>,
): Promise<boolean> {
  const at = ports.clock.now().toISOString();
  const state: PlannerJob = {
    ...job,
    waiting: null,
    decisions: { ...job.decisions, [callId]: { ...decision, at } },
  };
  if (!(await ports.store.runs.move(run.id, ['waiting_approval'], { status: 'queued', state }))) return false;
  await ports.queue.enqueue('execute_run', { run_id: run.id });
  ports.runEvents.publish(run.id, { type: 'changed' });
  return true;
}

/** Says no for humans who did not answer in time; returns for how many. */
export async function expireDecisions(ports: Ports): Promise<number> {
  let expired = 0;
  for (const run of await ports.store.runs.inStatus(['waiting_approval'], 'planner')) {
    const job = jobOf(run);
    const waited = job.waiting ? ports.clock.now().getTime() - Date.parse(job.waiting.since) : 0;
    if (!job.waiting || waited < DECISION_TIME_MS) continue;
    const decision = { approve: false, by: 'silence', reason: 'nobody answered within 30 minutes' };
    if (await goOn(ports, run, job, job.waiting.callId, decision)) expired++;
  }
  return expired;
}
