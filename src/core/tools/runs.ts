/** Tools for runs: what was asked for and what became of it. */
import { z } from 'zod';
import { RUN_KINDS, RUN_STATUSES } from '../../domain/run.ts';
import { aligned } from '../characters.ts';
import { countLine, pageOf, pageOutput } from '../page.ts';
import { rateRun } from '../planner/plannerRuns.ts';
import { followRun } from '../runs/followRun.ts';
import { cancelRun } from '../runs/runs.ts';
import { pageInput, runIdInput, runShape } from '../shapes.ts';
import { machineSubject, runSubject } from '../subjects.ts';
import { defineTool } from '../tool.ts';
import {
  followUpOfRun,
  listedRunShape,
  presentListedRun,
  presentRun,
  progressOf,
  relatedToRun,
  runCells,
  runText,
} from './runViews.ts';

export const getRun = defineTool({
  name: 'get_run',
  title: 'Show a run',
  effect: 'read',
  reach: 'selection',
  subject: runSubject,
  description:
    'One run (scan, fleet scan, agent, remediation): status, steps, usage, cost, result or error. wait_seconds waits for its end and reports progress.',
  http: { method: 'GET', path: '/api/v1/runs/:run_id', events: true },
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
  page: ({ run_id }) => `/runs/${run_id}`,
  summary: runText,
  shows: { card: 'run', by: 'run_id' },
  related: relatedToRun,
  followUp: followUpOfRun,
  cameToNothing: ({ result }) => (result as { reachable?: boolean } | null)?.reachable === false,
});

export const listRuns = defineTool({
  name: 'list_runs',
  title: 'List runs',
  effect: 'read',
  reach: 'selection',
  toolset: 'runs',
  subject: machineSubject,
  description:
    'Runs that somebody asked for, newest first, each with a line on what came of it; with scheduled or a kind, those of the schedule too.',
  http: { method: 'GET', path: '/api/v1/runs' },
  command: { name: 'runs', args: [], example: 'runs --kind fleet_scan --limit 5' },
  input: z.strictObject({
    kind: z.enum(RUN_KINDS).optional(),
    status: z.enum(RUN_STATUSES).optional(),
    hostname: z.string().max(253).optional(),
    scheduled: z.union([z.boolean(), z.stringbool()]).default(false).describe('Also what the schedule asked for'),
    ...pageInput,
  }),
  output: z.object({ runs: z.array(listedRunShape), ...pageOutput }),
  async run({ limit, offset, scheduled, ...filter }, { ports }) {
    // Whoever asks for a kind wants all of it.
    const asked = scheduled || filter.kind !== undefined ? {} : { notVia: 'job' as const };
    const { items, total } = await ports.store.runs.list({ ...filter, ...asked }, { limit, offset });
    return { runs: items.map(presentListedRun), ...pageOf({ total, offset }, items.length) };
  },
  summary: ({ runs, ...page }) => [countLine(page, runs.length, 'run'), ...aligned(runs.map(runCells))].join('\n'),
});

export const cancelRunTool = defineTool({
  name: 'cancel_run',
  title: 'Cancel a run',
  effect: 'write',
  reach: 'selection',
  toolset: 'runs',
  subject: runSubject,
  ownerRole: 'employee',
  hiddenFrom: ['planner'],
  description: 'Stop a run that waits or is under way. What it has done already stays done.',
  http: { method: 'POST', path: '/api/v1/runs/:run_id/cancel' },
  command: { name: 'cancel', args: ['run_id'], example: 'cancel 01JD3X8T5M7V2N4K6P8Q0R1S2T' },
  input: z.strictObject({ run_id: runIdInput }),
  output: z.object({ run_id: z.string(), status: z.enum(RUN_STATUSES) }),
  async run({ run_id }, { ports, actor }) {
    const { status } = await cancelRun(ports, run_id, actor.name);
    return { run_id, status };
  },
  summary: ({ run_id }) => `Run ${run_id} is cancelled.`,
});

export const rateAnswer = defineTool({
  name: 'rate_answer',
  title: 'Rate an answer',
  effect: 'write',
  reach: 'selection',
  toolset: 'runs',
  subject: runSubject,
  ownerRole: 'employee',
  // What people say is only said by people.
  hiddenFrom: ['mcp', 'planner'],
  ratesAnswers: true,
  description: 'Say whether the answer of an agent helped; the last rating counts.',
  http: { method: 'POST', path: '/api/v1/runs/:run_id/rating' },
  command: { name: 'rate', args: ['run_id', 'helpful'], example: 'rate 01JD3X8T5M7V2N4K6P8Q0R1S2T yes' },
  input: z.strictObject({
    run_id: runIdInput,
    helpful: z.union([z.boolean(), z.stringbool()]).describe('Whether it helped'),
  }),
  output: z.object({ run_id: z.string(), helpful: z.boolean() }),
  async run({ run_id, helpful }, { ports }) {
    await rateRun(ports, run_id, helpful);
    return { run_id, helpful };
  },
  summary: ({ helpful }) =>
    helpful ? 'Good to hear, thank you.' : 'Thank you for saying so. Ask again in other words, or have IT look at it.',
});
