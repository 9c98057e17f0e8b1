/** Tools for remediations: asking for one, its history, stopping it, and whether it really helped. */
import { z } from 'zod';
import { REMEDIATION_ACTIONS, REMEDIATION_STATUSES, type Remediation } from '../../../domain/healing/remediation.ts';
import { INTERFACES } from '../../actor.ts';
import { forgetDeliveries } from '../../alerts/ticketing.ts';
import { expireApprovals, remindOfApprovals } from '../../approvals.ts';
import { aligned, clipped, utc } from '../../characters.ts';
import { AppError } from '../../errors.ts';
import { registeredName } from '../../fleet/hostLookup.ts';
import { answerFixCheck } from '../../healing/answers.ts';
import { remediateAlert } from '../../healing/begin.ts';
import { cancelRemediation } from '../../healing/endRemediation.ts';
import { maintainRemediations } from '../../healing/maintain.ts';
import { countLine, pageOf, pageOutput } from '../../page.ts';
import type { Ports } from '../../ports/ports.ts';
import { iso } from '../../present.ts';
import { requireEndpoint } from '../../scans/scanning.ts';
import { hostnameInput, pageInput, timestamp } from '../../shapes.ts';
import { alertSubject, machineSubject, type Subject } from '../../subjects.ts';
import { defineTool } from '../../tool.ts';

const remediationId = z.string().min(1).max(64).describe('Id of the remediation, which is also its run id');

export const remediationShape = z.object({
  remediation_id: z.string(),
  run_id: z.string(),
  alert_id: z.number().int(),
  alert_name: z.string(),
  hostname: z.string(),
  action: z.enum(REMEDIATION_ACTIONS),
  playbook: z.string(),
  variables: z.record(z.string(), z.unknown()),
  dry_run: z.boolean(),
  status: z.enum(REMEDIATION_STATUSES),
  reason: z.string().nullable(),
  approval_id: z.string().nullable(),
  requested_by: z.string(),
  created_at: timestamp,
  started_at: timestamp.nullable(),
  finished_at: timestamp.nullable(),
  cancelled_by: z.string().nullable(),
  owner_says_fixed: z.boolean().nullable(),
});

const one = z.object({ remediation: remediationShape });

export const remediateAlertTool = defineTool({
  name: 'remediate_alert',
  title: 'Heal an alert',
  effect: 'write',
  reach: 'selection',
  subject: ({ alert_id, hostname }, ports) =>
    alert_id === undefined ? machineSubject({ hostname }, ports) : alertSubject({ alert_id }, ports),
  description:
    'Fix what an alert says, by its id or by machine. The remediation map, its guards and the need for approval hold as ever; a refusal says why. With dry_run the playbook only reports what it would change.',
  http: { method: 'POST', path: '/api/v1/dex/alerts/:alert_id/remediate', status: 202 },
  command: {
    name: 'heal',
    args: ['alert_id'],
    also: [{ name: 'fix' }, { name: 'remediate' }],
    everydayFor: ['staff'],
    example: 'heal 42 --dry_run true',
  },
  input: z.strictObject({
    alert_id: z.coerce.number().int().min(1).optional().describe('Number of the alert'),
    hostname: hostnameInput.optional().describe('Instead: the machine'),
    name: z
      .string()
      .trim()
      .min(1)
      .max(200)
      .optional()
      .describe('With hostname: a part of the name of its alert, as disk'),
    dry_run: z.union([z.boolean(), z.stringbool()]).default(false).describe('Preview: change nothing'),
  }),
  output: one,
  run: async ({ alert_id, dry_run, ...which }, { ports, actor }) => ({
    remediation: presentRemediation(
      await remediateAlert(ports, alert_id ?? (await onlyAlertOf(ports, which)), dry_run, actor),
    ),
  }),
  page: ({ remediation }) => `/runs/${remediation.run_id}`,
  summary: ({ remediation }) => remediationLine(remediation),
});

export const listRemediations = defineTool({
  name: 'list_remediations',
  title: 'List remediations',
  effect: 'read',
  reach: 'selection',
  toolset: 'alerts',
  subject: machineSubject,
  description: 'What self-healing did and is doing, newest first. Filter by hostname, alert_id, playbook or status.',
  http: { method: 'GET', path: '/api/v1/dex/remediations' },
  command: { name: 'remediations', args: ['hostname'], example: 'remediations dev-machine-01' },
  input: z.strictObject({
    hostname: hostnameInput.optional(),
    alert_id: z.coerce.number().int().min(1).optional(),
    playbook: z.string().max(64).optional(),
    status: z.enum(REMEDIATION_STATUSES).optional(),
    ...pageInput,
  }),
  output: z.object({ remediations: z.array(remediationShape), ...pageOutput }),
  async run({ limit, offset, alert_id, hostname: host, ...rest }, { ports }) {
    const hostname = host && (await registeredName(ports.store, host));
    const filter = { ...rest, hostname, alertId: alert_id };
    const { items, total } = await ports.store.remediations.list(filter, { limit, offset });
    return { remediations: items.map(presentRemediation), ...pageOf({ total, offset }, items.length) };
  },
  summary: ({ remediations, ...page }) =>
    page.total === 0
      ? 'Nothing was remediated.'
      : [countLine(page, remediations.length, 'remediation'), ...aligned(remediations.map(remediationCells))].join(
          '\n',
        ),
});

export const cancelRemediationTool = defineTool({
  name: 'cancel_remediation',
  title: 'Cancel a remediation',
  effect: 'write',
  reach: 'selection',
  toolset: 'alerts',
  subject: remediationSubject,
  description:
    'Stop a remediation that waits or runs; its alert goes to a person. What it changed already stays changed.',
  http: { method: 'POST', path: '/api/v1/dex/remediations/:remediation_id/cancel' },
  command: {
    name: 'cancel-remediation',
    args: ['remediation_id'],
    example: 'cancel-remediation 01JD3X8T5M7V2N4K6P8Q0R1S2T',
  },
  input: z.strictObject({ remediation_id: remediationId }),
  output: one,
  run: async ({ remediation_id }, { ports, actor }) => ({
    remediation: presentRemediation(await cancelRemediation(ports, remediation_id, actor)),
  }),
  summary: ({ remediation }) => remediationLine(remediation),
});

export const answerFixCheckTool = defineTool({
  name: 'answer_fix_check',
  title: 'Did that fix it?',
  effect: 'write',
  reach: 'selection',
  toolset: 'alerts',
  subject: remediationSubject,
  ownerRole: 'employee',
  humansOnly: true,
  hiddenFrom: ['mcp'],
  description:
    'The owner says whether a remediation really fixed the problem. A no opens the alert again for a person; both count in the confirmed fix rate.',
  http: { method: 'POST', path: '/api/v1/dex/remediations/:remediation_id/fix-check' },
  command: { name: 'fixed', args: ['remediation_id', 'fixed'], example: 'fixed 01JD3X8T5M7V2N4K6P8Q0R1S2T no' },
  input: z.strictObject({
    remediation_id: remediationId,
    fixed: z.union([z.boolean(), z.stringbool()]).describe('yes or no'),
  }),
  output: one,
  run: async ({ remediation_id, fixed }, { ports, actor }) => ({
    remediation: presentRemediation(await answerFixCheck(ports, remediation_id, fixed, actor)),
  }),
  summary: ({ remediation }) =>
    remediation.owner_says_fixed
      ? 'Good to hear; thank you.'
      : `Thank you. Alert ${remediation.alert_id} (${remediation.alert_name} on ${remediation.hostname}) is open for a person.`,
});

export const maintainHealing = defineTool({
  name: 'maintain_healing',
  title: 'Maintain healing',
  effect: 'write',
  reach: 'fleet',
  hiddenFrom: INTERFACES.filter((via) => via !== 'job'),
  description: 'Expire approvals that nobody answered, judge fixes, and start what waits.',
  input: z.strictObject({}),
  output: z.object({ expired: z.number().int() }),
  async run(_input, { ports }) {
    const expired = await expireApprovals(ports);
    await remindOfApprovals(ports);
    await maintainRemediations(ports);
    await forgetDeliveries(ports);
    return { expired };
  },
  summary: ({ expired }) => `${expired} approvals expired.`,
  schedule: { job: 'dex_expire_approvals', cron: () => '* * * * *' },
});

/** The one open alert that is meant. @throws AppError `invalid` or `conflict` with the alerts that there are */
async function onlyAlertOf(
  ports: Ports,
  { hostname, name = '' }: { hostname?: string | undefined; name?: string | undefined },
): Promise<number> {
  if (hostname === undefined) throw new AppError('invalid', 'Name the alert (alert_id) or the machine (hostname).');
  const endpoint = await requireEndpoint(ports, hostname);
  const open = await ports.store.alerts.open([endpoint.id]);
  const meant = open.filter(({ alertName }) => alertName.toLowerCase().includes(name.toLowerCase()));
  const [only] =
    meant.length > 1 ? meant.filter(({ alertName }) => alertName.toLowerCase() === name.toLowerCase()) : meant;
  if (only) return only.id;
  const shown = (meant.length > 0 ? meant : open).map(({ id, alertName }) => `${id} (${alertName})`).join(', ');
  const what = name === '' ? 'open alert' : `open alert called ${name}`;
  if (open.length === 0)
    throw new AppError('conflict', `${endpoint.hostname} has no open alert; nothing is to be fixed.`);
  throw new AppError(
    meant.length > 0 ? 'invalid' : 'not_found',
    `${endpoint.hostname} has ${meant.length > 0 ? 'more than one' : 'no'} ${what}. Open are: ${shown}. Give alert_id.`,
    { alert_ids: open.map(({ id }) => id) },
  );
}

async function remediationSubject(
  { remediation_id }: { remediation_id: string },
  { store }: Pick<Ports, 'store'>,
): Promise<Subject | null> {
  return machineSubject({ hostname: (await store.remediations.get(remediation_id))?.hostname }, { store });
}

export function presentRemediation(remediation: Remediation): z.input<typeof remediationShape> {
  return {
    remediation_id: remediation.id,
    run_id: remediation.id,
    alert_id: remediation.alertId,
    alert_name: remediation.alertName,
    hostname: remediation.hostname,
    action: remediation.action,
    playbook: remediation.playbook,
    variables: remediation.variables,
    dry_run: remediation.dryRun,
    status: remediation.status,
    reason: remediation.reason,
    approval_id: remediation.approvalId,
    requested_by: remediation.requestedBy,
    created_at: iso(remediation.createdAt),
    started_at: iso(remediation.startedAt),
    finished_at: iso(remediation.finishedAt),
    cancelled_by: remediation.cancelledBy,
    owner_says_fixed: remediation.ownerSaysFixed,
  };
}

function remediationLine(remediation: z.output<typeof remediationShape>): string {
  const { remediation_id, hostname, alert_name } = remediation;
  return `${remediation_id} ${whatRuns(remediation)} on ${hostname} for ${alert_name}: ${howItStands(remediation)}`;
}

/** Id, what ran on what, for which alert, when, and whether it helped. */
export function remediationCells(remediation: z.output<typeof remediationShape>): string[] {
  const { remediation_id, hostname, alert_id, alert_name, created_at, finished_at, requested_by } = remediation;
  return [
    remediation_id,
    whatRuns(remediation),
    `on ${hostname}`,
    `for ${alert_name} (alert ${alert_id})`,
    utc(finished_at ?? created_at),
    `asked by ${requested_by}`,
    howItStands(remediation),
  ];
}

function whatRuns({ dry_run, playbook }: z.output<typeof remediationShape>): string {
  return `${dry_run ? 'preview of ' : ''}${playbook}`;
}

function howItStands({ status, approval_id, reason, owner_says_fixed }: z.output<typeof remediationShape>): string {
  const waits = status === 'waiting_approval' ? ` (approval ${approval_id})` : '';
  const owner =
    owner_says_fixed === null ? '' : `, the owner says ${owner_says_fixed ? 'it helped' : 'it did not help'}`;
  return `${status.replace('_', ' ')}${waits}${reason ? `, ${clipped(reason, 160)}` : ''}${owner}`;
}
