/** Tools for scans: asking for one, and the jobs that scan the fleet and work off what was asked. */
import { z } from 'zod';
import { RUN_STATUSES } from '../../../domain/run.ts';
import { AppError } from '../../errors.ts';
import { machinePage } from '../../presentation.ts';
import { requestRun } from '../../runs/runs.ts';
import { requireEndpoint } from '../../scans/scanning.ts';
import { hostnameInput } from '../../shapes.ts';
import { machineSubject } from '../../subjects.ts';
import { defineTool } from '../../tool.ts';

const acceptedRun = z.object({ run_id: z.string(), status: z.enum(RUN_STATUSES) });

export const scanEndpoint = defineTool({
  name: 'scan_endpoint',
  title: 'Scan an endpoint',
  effect: 'write',
  subject: machineSubject,
  ownerRole: 'employee',
  description:
    'Scan one machine now. Answers at once with a run_id; {get_run} shows when it is done and what was found.',
  http: { method: 'POST', path: '/api/v1/dex/endpoints/:hostname/scan', status: 202 },
  command: { name: 'scan', args: ['hostname'], example: 'scan dev-machine-01' },
  input: z.strictObject({ hostname: hostnameInput }),
  output: acceptedRun.extend({ hostname: z.string() }),
  async run({ hostname: host }, { ports, actor }) {
    const endpoint = await requireEndpoint(ports, host);
    const { hostname } = endpoint;
    if (endpoint.collector === 'push') {
      throw new AppError('refused', `${hostname} reports by itself (collector push) and cannot be scanned from here.`);
    }
    const run = await requestRun(ports, actor, 'scan', { hostname });
    return { run_id: run.id, status: run.status, hostname };
  },
  page: ({ hostname }) => machinePage(hostname),
  summary: ({ hostname, run_id }) => `Scanning ${hostname} (run ${run_id}).`,
  progress: ({ run_id }) => run_id,
});

export const scanFleetTool = defineTool({
  name: 'scan_fleet',
  title: 'Scan all endpoints',
  effect: 'write',
  hiddenFrom: ['mcp'],
  description:
    'Scan every machine now, as the schedule does. One fleet scan runs at a time; a second call answers with the one under way.',
  http: { method: 'POST', path: '/api/v1/dex/fleet/scan', status: 202 },
  command: { name: 'scan-all', args: [], example: 'scan-all' },
  input: z.strictObject({}),
  output: acceptedRun.extend({ already_running: z.boolean() }),
  async run(_input, { ports, actor }) {
    const started = await requestRun(ports, actor, 'fleet_scan').catch((error: unknown) => {
      if (error instanceof AppError && error.kind === 'conflict') return null;
      throw error;
    });
    const run = started ?? (await ports.store.runs.inStatus(['queued', 'running'], 'fleet_scan'))[0];
    if (!run)
      throw new AppError('conflict', 'The fleet scan that was under way has just ended. Ask again for a new one.');
    return { run_id: run.id, status: run.status, already_running: started === null };
  },
  summary: ({ run_id, already_running }) =>
    already_running ? `A fleet scan is under way already (run ${run_id}).` : `Scanning the fleet (run ${run_id}).`,
  progress: ({ run_id }) => run_id,
  schedule: {
    job: 'dex_scan_all_endpoints',
    cron: ({ scanIntervalMinutes }) => (scanIntervalMinutes === 60 ? '0 * * * *' : `*/${scanIntervalMinutes} * * * *`),
  },
});
