/** Tools for runs: what was asked for and what became of it. */
import { z } from 'zod';
import { RUN_KINDS, RUN_STATUSES, type Run } from '../../domain/run.ts';
import type { CallText } from '../callText.ts';
import { MAX_STEPS } from '../planner/agentProfiles.ts';
import { answerText } from '../planner/answerText.ts';
import { withdrawApprovals } from '../planner/plannerRuns.ts';
import type { PlannerStep } from '../planner/plannerState.ts';
import { presentRun } from '../present.ts';
import { cancelRun, followRun } from '../runs/runs.ts';
import { pageInput, runIdInput, runShape, scoreShape } from '../shapes.ts';
import { defineTool } from '../tool.ts';
import { scoreText } from './fleet/scores.ts';

export const getRun = defineTool({
  name: 'get_run',
  title: 'Show a run',
  effect: 'read',
  description:
    'One run (scan, fleet scan, agent, remediation): status, steps, usage, cost, result or error. wait_seconds waits for its end and reports progress.',
  http: { method: 'GET', path: '/api/v1/runs/:run_id' },
  command: { name: 'run', args: ['run_id'], example: 'run 01JD3X8T5M7V2N4K6P8Q0R1S2T' },
  input: z.strictObject({
    run_id: runIdInput,
    wait_seconds: z.coerce.number().min(0).max(60).default(0).describe('Answer when it ends, at most so much later'),
  }),
  output: runShape,
  async run({ run_id, wait_seconds }, { ports, signal, progress }) {
    return presentRun(
      await followRun(ports, run_id, wait_seconds * 1000, signal, (run) => progress(...progressOf(run))),
    );
  },
  summary: runText,
});

export const listRuns = defineTool({
  name: 'list_runs',
  title: 'List runs',
  effect: 'read',
  description: 'Runs, newest first, without their steps. Filter by kind, status or hostname.',
  http: { method: 'GET', path: '/api/v1/runs' },
  command: { name: 'runs', args: [], example: 'runs --kind fleet_scan --limit 5' },
  input: z.strictObject({
    kind: z.enum(RUN_KINDS).optional(),
    status: z.enum(RUN_STATUSES).optional(),
    hostname: z.string().max(253).optional(),
    ...pageInput,
  }),
  output: z.object({ runs: z.array(runShape.omit({ steps: true })), total: z.number().int() }),
  async run({ limit, offset, ...filter }, { ports }) {
    const { items, total } = await ports.store.runs.list(filter, { limit, offset });
    return { runs: items.map(presentRun), total };
  },
  summary: ({ runs, total }) => [`${total} run${total === 1 ? '' : 's'}`, ...runs.map(runLine)].join('\n'),
});

export const cancelRunTool = defineTool({
  name: 'cancel_run',
  title: 'Cancel a run',
  effect: 'write',
  hiddenFrom: ['planner'],
  description: 'Stop a run that waits or is under way. What it has done already stays done.',
  http: { method: 'POST', path: '/api/v1/runs/:run_id/cancel' },
  command: { name: 'cancel', args: ['run_id'], example: 'cancel 01JD3X8T5M7V2N4K6P8Q0R1S2T' },
  input: z.strictObject({ run_id: runIdInput }),
  output: z.object({ run_id: z.string(), status: z.enum(RUN_STATUSES) }),
  async run({ run_id }, { ports, actor }) {
    const run = await cancelRun(ports, run_id, actor.name);
    await withdrawApprovals(ports, run);
    return { run_id, status: run.status };
  },
  summary: ({ run_id }) => `Run ${run_id} is cancelled.`,
});

/** How far a run is: a share by its steps, and what it does now. */
function progressOf(run: Run): [share: number, message: string] {
  const last = run.kind === 'planner' ? (run.steps as PlannerStep[]).at(-1) : undefined;
  if (!last) return [0, run.status];
  const calls = last.calls.map(({ tool }) => tool).join(', ');
  return [last.number / (MAX_STEPS + 1), `step ${last.number}: ${calls || 'answers'}`];
}

/** A run that ended says what it found; any other says where it stands. */
function runText(run: z.output<typeof runShape>, callText: CallText): string {
  if (run.kind === 'planner' && run.status === 'completed') return answerText(run.result);
  const waiting = run.status === 'waiting_approval' ? waitingCall.safeParse(run.steps.at(-1)).data : undefined;
  const call = waiting?.calls.find(({ status }) => status === 'waiting');
  if (call) {
    const answer = callText('decide_approval', { approval_id: call.approval_id, decision: 'approve' });
    return [
      runLine(run),
      `It asks to call ${call.tool} with ${JSON.stringify(call.input)}.`,
      ...(answer === null ? [] : [`Approve it (or deny it in the same way): ${answer}`]),
    ].join('\n');
  }
  const scan = run.kind === 'scan' && run.status === 'completed' ? scanResult.safeParse(run.result).data : undefined;
  if (!scan) return runLine(run);
  if (scan.score)
    return [scoreText({ ...scan.score, hostname: scan.hostname, stale: false }), ...scan.notes].join('\n');
  if (!scan.reachable) return `${scan.hostname} could not be reached: ${scan.unreachable_reason}`;
  return `${scan.hostname} answered, but nothing that makes a score could be measured.`;
}

/** The part of an agent's step that asks a human. */
const waitingCall = z.object({
  calls: z.array(
    z.object({ approval_id: z.string().nullable(), tool: z.string(), input: z.unknown(), status: z.string() }),
  ),
});

/** The part of a scan run's result that its text reports. */
const scanResult = z.object({
  hostname: z.string(),
  reachable: z.boolean(),
  unreachable_reason: z.string().nullable(),
  score: scoreShape.omit({ id: true, hostname: true, scored_at: true, stale: true }).nullable(),
  notes: z.array(z.string()).default([]),
});

function runLine(run: Omit<z.output<typeof runShape>, 'steps'>): string {
  const about = run.hostname ?? run.goal ?? '';
  const end = run.error ? `: ${run.error}` : '';
  return `${run.run_id} ${run.kind}${about ? ` ${about}` : ''} ${run.status}${end}`;
}
