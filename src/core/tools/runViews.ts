/** How runs are shown: what all have in common, and what a kind shows of its steps, its progress and its result. */
import { z } from 'zod';
import { isFinished, type Run, type RunKind } from '../../domain/run.ts';
import { plannerProgress, plannerRunText, presentPlannerSteps } from '../planner/plannerRunView.ts';
import { iso } from '../present.ts';
import type { RelatedCall, ToolCall } from '../presentation.ts';
import { runShape, scoreShape } from '../shapes.ts';
import type { CallText } from '../tool.ts';
import { scoreText } from './fleet/scores.ts';

type RunWire = z.output<typeof runShape>;

/** A share from 0 to 1, and what the run does now. */
type RunProgress = [share: number, message: string];

interface RunView {
  steps?(run: Run): unknown[];
  /** Null before the first step. */
  progress?(run: Run): RunProgress | null;
  /** Null where the run's line says it all. */
  text?(run: RunWire): string | null;
  /** What can be done about one that goes on. */
  related?(run: RunWire): RelatedCall[];
  /** The call that shows what came of one that ended. */
  followUp?(run: RunWire): ToolCall | null;
}

const VIEWS: Partial<Record<RunKind, RunView>> = {
  planner: {
    steps: presentPlannerSteps,
    progress: plannerProgress,
    text: plannerRunText,
    related: ({ run_id }) => [stopCall(run_id)],
  },
  scan: { text: scanRunText, followUp: scoreOfScan },
};

export function presentRun(run: Run): z.input<typeof runShape> {
  return {
    run_id: run.id,
    kind: run.kind,
    status: run.status,
    hostname: run.hostname,
    goal: run.goal,
    agent_profile: run.agentProfile,
    requested_by: run.requestedBy,
    via: run.via,
    created_at: iso(run.createdAt),
    started_at: iso(run.startedAt),
    finished_at: iso(run.finishedAt),
    error: run.error,
    result: run.result,
    steps: VIEWS[run.kind]?.steps?.(run) ?? run.steps,
    usage: run.usage && { input_tokens: run.usage.inputTokens, output_tokens: run.usage.outputTokens },
    cost_usd: run.costUsd,
  };
}

/** A run in a list: its result and steps can be large, and a line of them is enough to choose one by. */
export const listedRunShape = runShape.omit({ steps: true, result: true }).extend({ summary: z.string() });

export function presentListedRun(run: Run): z.input<typeof listedRunShape> {
  const { steps: _steps, result, ...shown } = presentRun(run);
  const text = VIEWS[run.kind]?.text?.({ ...shown, result, steps: [] }) ?? run.error ?? run.status;
  return { ...shown, summary: firstLine(text) };
}

/** Longer lines are cut; characters. */
const LONGEST_LINE = 200;

function firstLine(text: string): string {
  const [line = ''] = text.trim().split('\n');
  return line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE - 1)}…` : line;
}

export function progressOf(run: Run): RunProgress {
  return VIEWS[run.kind]?.progress?.(run) ?? [0, run.status];
}

/** A run that ended says what it found; any other says where it stands. */
export function runText(run: RunWire, callText: CallText): string {
  const text = VIEWS[run.kind]?.text?.(run) ?? null;
  if (text !== null) return text;
  const waiting = run.status === 'waiting_approval' ? waitingCall.safeParse(run.steps.at(-1)).data : undefined;
  const call = waiting?.calls.find(({ status }) => status === 'waiting');
  if (!call) return runLine(run);
  const answer = callText('decide_approval', { approval_id: call.approval_id, decision: 'approve' });
  return [
    runLine(run),
    `It asks to call ${call.tool} with ${JSON.stringify(call.input)}.`,
    ...(answer === null ? [] : [`Approve it (or deny it in the same way): ${answer}`]),
  ].join('\n');
}

export function relatedToRun(run: RunWire): RelatedCall[] {
  return isFinished(run.status) ? [] : (VIEWS[run.kind]?.related?.(run) ?? []);
}

export function followUpOfRun(run: RunWire): ToolCall | null {
  return VIEWS[run.kind]?.followUp?.(run) ?? null;
}

/** For whoever asked an agent something and does not want to know it any more. */
export function stopCall(run_id: string): RelatedCall {
  return { id: 'stop', label: 'Stop', tool: 'cancel_run', input: { run_id } };
}

export function runLine(run: Pick<RunWire, 'run_id' | 'kind' | 'status' | 'hostname' | 'goal' | 'error'>): string {
  const about = run.hostname ?? run.goal ?? '';
  const end = run.error ? `: ${run.error}` : '';
  return `${run.run_id} ${run.kind}${about ? ` ${about}` : ''} ${run.status}${end}`;
}

/** The part of an agent's step that asks a human. */
const waitingCall = z.object({
  calls: z.array(
    z.object({ approval_id: z.string().nullable(), tool: z.string(), input: z.unknown(), status: z.string() }),
  ),
});

function scanOf(run: RunWire): z.output<typeof scanResult> | undefined {
  return run.status === 'completed' ? scanResult.safeParse(run.result).data : undefined;
}

function scoreOfScan(run: RunWire): ToolCall | null {
  const scan = scanOf(run);
  return scan?.score ? { tool: 'get_score', input: { hostname: scan.hostname } } : null;
}

function scanRunText(run: RunWire): string | null {
  const scan = scanOf(run);
  if (!scan) return null;
  if (scan.score)
    return [scoreText({ ...scan.score, hostname: scan.hostname, stale: false }), ...scan.notes].join('\n');
  if (!scan.reachable) return `${scan.hostname} could not be reached: ${scan.unreachable_reason}`;
  return `${scan.hostname} answered, but nothing that makes a score could be measured.`;
}

/** The part of a scan run's result that its text shows. */
const scanResult = z.object({
  hostname: z.string(),
  reachable: z.boolean(),
  unreachable_reason: z.string().nullable(),
  score: scoreShape.omit({ id: true, hostname: true, scored_at: true, stale: true }).nullable(),
  notes: z.array(z.string()).default([]),
});
