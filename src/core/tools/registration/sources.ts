/** The tool that reads the systems which know machines already. */
import { z } from 'zod';
import { visibleLine } from '../../characters.ts';
import { AppError } from '../../errors.ts';
import { type SyncReport, syncSource } from '../../sources/syncSource.ts';
import { defineTool } from '../../tool.ts';

const reportShape = z.object({
  source: z.string(),
  /** Why it could not be read; null when it was. */
  problem: z.string().nullable(),
  machines: z.number().int(),
  reachable: z.number().int(),
  registered: z.number().int(),
  changed: z.number().int(),
  gone: z.number().int(),
  deregistered: z.number().int(),
  passed_over: z.number().int(),
  notes: z.array(z.string()),
  duration_ms: z.number().int(),
});

const FAILED = { machines: 0, reachable: 0, registered: 0, changed: 0, gone: 0, deregistered: 0, passed_over: 0 };

export const syncSources = defineTool({
  name: 'sync_sources',
  namesMachines: true,
  title: 'Read the sources of machines',
  effect: 'write',
  reach: 'fleet',
  hiddenFrom: ['mcp', 'planner', 'slack', 'webhook', 'agent'],
  description:
    'Read the systems of config/sources.yaml: register the machines they list, record what they measured, and let go of those that are gone for long.',
  http: { method: 'POST', path: '/api/v1/dex/sources/sync' },
  command: { name: 'sync', args: ['source'], example: 'sync office' },
  input: z.strictObject({
    source: z.string().max(100).optional().describe('Only this one'),
    accept_loss: z
      .boolean()
      .default(false)
      .describe('The source is right to list less than half of its machines; the others leave in time'),
  }),
  output: z.object({ sources: z.array(reportShape) }),
  async run({ source: name, accept_loss: acceptLoss }, { ports, actor, signal }) {
    const configured = ports.sources.current();
    const wanted = configured.filter((source) => name === undefined || source.name === name);
    if (name !== undefined && wanted.length === 0)
      throw new AppError('not_found', `config/sources.yaml has no source named ${name}.`);
    const sources: z.input<typeof reportShape>[] = [];
    const failures: AppError[] = [];
    for (const source of wanted) {
      try {
        sources.push(present(await syncSource(ports, source, { actor, acceptLoss, signal })));
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        failures.push(error);
        ports.log.warn({ source: source.name, problem: error.message }, 'a source could not be read; its machines age');
        sources.push({ source: source.name, problem: error.message, ...FAILED, notes: [], duration_ms: 0 });
      }
    }
    // A job that fails shows in health and metrics; people read the report.
    if (failures.length > 0 && (actor.kind === 'job' || failures.length === wanted.length))
      throw new AppError('unavailable', failures.map(({ message }) => message).join('; '));
    return { sources };
  },
  summary: ({ sources }) =>
    sources.length === 0 ? 'config/sources.yaml names no source.' : sources.map(line).join('\n'),
  schedule: {
    job: 'dex_sync_sources',
    cron: ({ scanIntervalMinutes }) => (scanIntervalMinutes === 60 ? '0 * * * *' : `*/${scanIntervalMinutes} * * * *`),
  },
});

function present({ passedOver, durationMs, ...report }: SyncReport): z.input<typeof reportShape> {
  return { ...report, problem: null, passed_over: passedOver, duration_ms: durationMs };
}

function line(report: z.output<typeof reportShape>): string {
  if (report.problem !== null) return `${report.source}: ${report.problem}`;
  const counts = [
    `${report.machines} machines, ${report.reachable} of them answer`,
    `${report.registered} registered`,
    `${report.changed} changed`,
    `${report.gone} gone`,
    `${report.deregistered} deregistered`,
  ];
  const notes = report.notes.map((note) => `\n  ${visibleLine(note)}`).join('');
  return `${report.source}: ${counts.join(', ')} (${(report.duration_ms / 1000).toFixed(1)} s).${notes}`;
}
