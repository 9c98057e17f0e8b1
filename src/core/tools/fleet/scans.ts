/** Tools for scans: asking for one, and the jobs that scan the fleet and work off what was asked. */
import { z } from 'zod';
import { RUN_STATUSES } from '../../../domain/run.ts';
import { NOT_SCANNED_FROM_HERE } from '../../../domain/signals/telemetry.ts';
import type { Actor } from '../../actor.ts';
import { AppError } from '../../errors.ts';
import type { Ports } from '../../ports/ports.ts';
import { machinePage } from '../../presentation.ts';
import { requestRun } from '../../runs/runs.ts';
import { requireEndpoint } from '../../scans/scanning.ts';
import { hostnameInput } from '../../shapes.ts';
import { machineSubject } from '../../subjects.ts';
import { type CallText, defineTool } from '../../tool.ts';

const acceptedRun = z.object({ run_id: z.string(), status: z.enum(RUN_STATUSES) });

export const scanEndpoint = defineTool({
  name: 'scan_endpoint',
  title: 'Scan an endpoint',
  effect: 'write',
  reach: 'selection',
  subject: machineSubject,
  ownerRole: 'employee',
  description:
    'Scan one machine now, or all. Answers at once with a run_id; {get_run} shows when it is done and what was found.',
  http: { method: 'POST', path: '/api/v1/dex/endpoints/:hostname/scan', status: 202 },
  command: { name: 'scan', args: ['hostname'], everydayFor: ['employees', 'staff'], example: 'scan dev-machine-01' },
  input: z.strictObject({
    hostname: hostnameInput.optional(),
    all: z.union([z.boolean(), z.stringbool()]).default(false).describe('Every machine, instead of one'),
  }),
  output: acceptedRun.extend({
    /** Null for all. */
    hostname: z.string().nullable(),
  }),
  async run({ hostname: host, all }, { ports, actor }) {
    if (all === (host !== undefined)) throw new AppError('invalid', 'Name a machine (hostname), or say all.');
    if (host === undefined) {
      const { run_id, status } = await requestFleetScan(ports, actor);
      return { run_id, status, hostname: null };
    }
    const endpoint = await requireEndpoint(ports, host);
    const { hostname } = endpoint;
    const reason = NOT_SCANNED_FROM_HERE[endpoint.collector];
    if (reason) throw new AppError('refused', `${hostname} ${reason} and cannot be scanned from here.`);
    const run = await requestRun(ports, actor, 'scan', { hostname });
    return { run_id: run.id, status: run.status, hostname };
  },
  page: ({ hostname }) => (hostname === null || hostname === undefined ? '/' : machinePage(hostname)),
  summary: ({ hostname, run_id }, callText) =>
    [`Scanning ${hostname ?? 'the fleet'} (run ${run_id}).`, ...resultCall(callText, run_id)].join(' '),
  progress: ({ run_id }) => run_id,
});

export const scanFleetTool = defineTool({
  name: 'scan_fleet',
  title: 'Scan all endpoints',
  effect: 'write',
  reach: 'fleet',
  // {scan_endpoint} does it there too, and every tool costs a model tokens.
  hiddenFrom: ['mcp'],
  description:
    'Scan every machine now, as the schedule does. One fleet scan runs at a time; a second call answers with the one under way.',
  http: { method: 'POST', path: '/api/v1/dex/fleet/scan', status: 202 },
  command: { name: 'scan-all', args: [], example: 'scan-all' },
  input: z.strictObject({}),
  output: acceptedRun.extend({ already_running: z.boolean() }),
  run: (_input, { ports, actor }) => requestFleetScan(ports, actor),
  summary: ({ run_id, already_running }) =>
    already_running ? `A fleet scan is under way already (run ${run_id}).` : `Scanning the fleet (run ${run_id}).`,
  progress: ({ run_id }) => run_id,
  schedule: {
    job: 'dex_scan_all_endpoints',
    cron: ({ scanIntervalMinutes }) => (scanIntervalMinutes === 60 ? '0 * * * *' : `*/${scanIntervalMinutes} * * * *`),
  },
});

/** Joins the fleet scan that is under way, where one is. */
async function requestFleetScan(ports: Ports, actor: Actor) {
  const started = await requestRun(ports, actor, 'fleet_scan').catch((error: unknown) => {
    if (error instanceof AppError && error.kind === 'conflict') return null;
    throw error;
  });
  const run = started ?? (await ports.store.runs.inStatus(['queued', 'running'], 'fleet_scan'))[0];
  if (!run)
    throw new AppError('conflict', 'The fleet scan that was under way has just ended. Ask again for a new one.');
  return { run_id: run.id, status: run.status, already_running: started === null };
}

/** How a model reads what came of it; the other interfaces follow a run by themselves. */
function resultCall(callText: CallText, run_id: string): string[] {
  const call = callText('get_run', { run_id, wait_seconds: 30 });
  return call?.startsWith('get_run') ? [`Its result: ${call}`] : [];
}
