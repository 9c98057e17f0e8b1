/** How an agent's run is shown: its steps, how far it is, and its answer. */
import type { Run } from '../../domain/run.ts';
import { MAX_STEPS } from './agentProfiles.ts';
import { answerText } from './answerText.ts';
import type { PlannerStep } from './plannerState.ts';

/** Steps as their wire shape; each is one turn: what the agent wrote, what it called, and what came back. */
export function presentPlannerSteps(run: Run): Record<string, unknown>[] {
  return stepsOf(run).map((step) => ({
    step: step.number,
    started_at: step.startedAt,
    text: step.text,
    calls: step.calls.map((call) => ({
      call_id: call.callId,
      tool: call.tool,
      effect: call.effect,
      input: call.input,
      status: call.status,
      refusal: call.refusal,
      approval_id: call.approvalId,
      result: call.text,
      started_at: call.startedAt,
      finished_at: call.finishedAt,
    })),
    rejected_answer: step.rejected && { text: step.rejected.text, problem: step.rejected.problem },
    usage: { input_tokens: step.usage.inputTokens, output_tokens: step.usage.outputTokens },
    cost_usd: step.costUsd,
  }));
}

/** A share from 0 to 1 by the steps, and what the last one does; null before the first. */
export function plannerProgress(run: Run): [share: number, message: string] | null {
  const last = stepsOf(run).at(-1);
  if (!last) return null;
  const calls = last.calls.map(({ tool }) => tool).join(', ');
  return [last.number / (MAX_STEPS + 1), `step ${last.number}: ${calls || 'answers'}`];
}

/** The answer of a run that completed; null for any other. */
export function plannerRunText({ status, result }: { status: string; result?: unknown }): string | null {
  return status === 'completed' ? answerText(result) : null;
}

function stepsOf(run: Run): PlannerStep[] {
  return run.steps as PlannerStep[];
}
