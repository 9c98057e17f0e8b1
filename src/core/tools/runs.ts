/** Tools for runs: what was asked for and what became of it. */
import { z } from 'zod';
import { RUN_KINDS, RUN_STATUSES } from '../../domain/run.ts';
import { presentRun } from '../present.ts';
import { requireRun } from '../runs.ts';
import { pageInput, runShape, scoreShape } from '../shapes.ts';
import { defineTool } from '../tool.ts';
import { scoreText } from './scores.ts';

export const getRun = defineTool({
  name: 'get_run',
  title: 'Show a run',
  effect: 'read',
  description: 'One run (scan, fleet scan, planner, remediation): its status, timings, steps, result or error.',
  http: { method: 'GET', path: '/api/v1/runs/:run_id' },
  command: { name: 'run', args: ['run_id'], example: 'run 01JD3X8T5M7V2N4K6P8Q0R1S2T' },
  input: z.strictObject({ run_id: z.string().min(1).max(64) }),
  output: runShape,
  run: async ({ run_id }, { ports }) => presentRun(await requireRun(ports, run_id)),
  summary: runText,
});

export const listRuns = defineTool({
  name: 'list_runs',
  title: 'List runs',
  effect: 'read',
  description: 'Runs, newest first. Filter by kind, status or hostname.',
  http: { method: 'GET', path: '/api/v1/runs' },
  command: { name: 'runs', args: [], example: 'runs --kind fleet_scan --limit 5' },
  input: z.strictObject({
    kind: z.enum(RUN_KINDS).optional(),
    status: z.enum(RUN_STATUSES).optional(),
    hostname: z.string().max(253).optional(),
    ...pageInput,
  }),
  output: z.object({ runs: z.array(runShape), total: z.number().int() }),
  async run({ limit, offset, ...filter }, { ports }) {
    const { items, total } = await ports.store.runs.list(filter, { limit, offset });
    return { runs: items.map(presentRun), total };
  },
  summary: ({ runs, total }) => [`${total} run${total === 1 ? '' : 's'}`, ...runs.map(runLine)].join('\n'),
});

/** A scan that ended says what it found; any other run says where it stands. */
function runText(run: z.output<typeof runShape>): string {
  const scan = run.kind === 'scan' && run.status === 'completed' ? scanResult.safeParse(run.result).data : undefined;
  if (!scan) return runLine(run);
  if (scan.score) return scoreText({ ...scan.score, hostname: scan.hostname, stale: false });
  if (!scan.reachable) return `${scan.hostname} could not be reached: ${scan.unreachable_reason}`;
  return `${scan.hostname} answered, but nothing that makes a score could be measured.`;
}

/** The part of a scan run's result that is told. */
const scanResult = z.object({
  hostname: z.string(),
  reachable: z.boolean(),
  unreachable_reason: z.string().nullable(),
  score: scoreShape.omit({ id: true, hostname: true, scored_at: true, stale: true }).nullable(),
});

function runLine(run: z.output<typeof runShape>): string {
  const about = run.hostname ?? run.goal ?? '';
  const end = run.error ? `: ${run.error}` : '';
  return `${run.run_id} ${run.kind}${about ? ` ${about}` : ''} ${run.status}${end}`;
}
