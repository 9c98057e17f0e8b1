/** Tools for owners' own remedies: what they were offered, their answer, whether they want such messages, and the job that offers. */
import { z } from 'zod';
import { OWNER_REMEDY_STATUSES, REMEDY_ANSWERS } from '../../../domain/healing/ownerRemedy.ts';
import { INTERFACES } from '../../actor.ts';
import { AppError } from '../../errors.ts';
import { registeredName } from '../../fleet/hostLookup.ts';
import { countLine, pageOf, pageOutput } from '../../page.ts';
import type { OwnerRemedy } from '../../ports/remedyPorts.ts';
import type { Store } from '../../ports/storePorts.ts';
import { iso } from '../../present.ts';
import { answerRemedy, requireRemedy } from '../../remedies/answerRemedy.ts';
import { maintainOwnerRemedies, offerWhenAsked } from '../../remedies/offerRemedies.ts';
import { sendOwnerReports } from '../../remedies/ownerReport.ts';
import { composed } from '../../remedies/remedyMessage.ts';
import { requireEndpoint } from '../../scans/scanning.ts';
import { hostnameInput, pageInput, timestamp } from '../../shapes.ts';
import { machineSubject } from '../../subjects.ts';
import { defineTool } from '../../tool.ts';

const remedyShape = z.object({
  remedy_id: z.string(),
  hostname: z.string(),
  alert_id: z.number().int(),
  alert_name: z.string(),
  status: z.enum(OWNER_REMEDY_STATUSES),
  remediation_id: z.string().nullable(),
  run_at: timestamp.nullable(),
  created_at: timestamp,
  answered_at: timestamp.nullable(),
});

function presentRemedy(remedy: OwnerRemedy): z.input<typeof remedyShape> {
  return {
    remedy_id: remedy.id,
    hostname: remedy.hostname,
    alert_id: remedy.alertId,
    alert_name: remedy.alertName,
    status: remedy.status,
    remediation_id: remedy.remediationId,
    run_at: iso(remedy.runAt),
    created_at: iso(remedy.createdAt),
    answered_at: iso(remedy.answeredAt),
  };
}

export const listOwnerRemedies = defineTool({
  name: 'list_owner_remedies',
  title: 'List what owners were offered',
  effect: 'read',
  reach: 'fleet',
  toolset: 'alerts',
  subject: machineSubject,
  description:
    'What owners were offered for problems of their own machines, newest first, and what came of it. `fixed` means that a rescan and the owner both say so.',
  http: { method: 'GET', path: '/api/v1/dex/owner-remedies' },
  command: { name: 'offers', args: ['hostname'], example: 'offers dev-machine-01' },
  input: z.strictObject({ hostname: hostnameInput.optional(), ...pageInput }),
  output: z.object({ remedies: z.array(remedyShape), ...pageOutput }),
  async run({ hostname: host, limit, offset }, { ports }) {
    const hostname = host && (await registeredName(ports.store, host));
    const { items, total } = await ports.store.ownerRemedies.list({ hostname }, { limit, offset });
    return { remedies: items.map(presentRemedy), ...pageOf({ total, offset }, items.length) };
  },
  summary: ({ remedies, ...page }) =>
    page.total === 0
      ? 'No owner was offered anything yet.'
      : [
          countLine(page, remedies.length, 'offer'),
          ...remedies.map(
            ({ hostname, alert_name, status, created_at }) =>
              `${alert_name} on ${hostname}: ${status.replace('_', ' ')} (offered ${created_at})`,
          ),
        ].join('\n'),
});

export const answerRemedyTool = defineTool({
  name: 'answer_remedy',
  title: 'Answer an offer',
  effect: 'write',
  reach: 'fleet',
  ownerRole: 'employee',
  // Consent to a run on one's own machine is nobody else's to give.
  ownersOnly: true,
  humansOnly: true,
  subject: async ({ remedy_id }, ports) =>
    machineSubject({ hostname: (await ports.store.ownerRemedies.get(remedy_id))?.hostname }, ports),
  // It comes with the message that offers.
  hiddenFrom: INTERFACES.filter((via) => via !== 'slack'),
  description: 'What the owner of a machine says to an offer about it.',
  input: z.strictObject({ remedy_id: z.string().min(1).max(64), answer: z.enum(REMEDY_ANSWERS) }),
  output: z.object({
    remedy: remedyShape,
    text: z.string(),
    next: z.array(
      z.object({
        tool: z.string(),
        input: z.record(z.string(), z.unknown()),
        id: z.string(),
        label: z.string(),
        style: z.enum(['primary', 'danger']).optional(),
      }),
    ),
  }),
  async run({ remedy_id, answer }, { ports, actor, signal }) {
    await answerRemedy(ports, remedy_id, answer, actor, signal);
    const remedy = await requireRemedy(ports, remedy_id);
    const { title, lines, calls } = await composed(ports, remedy);
    return { remedy: presentRemedy(remedy), text: [title, ...lines].join('\n'), next: calls };
  },
  summary: ({ text }) => text,
  related: ({ next }) => next,
});

export const offerRemedyTool = defineTool({
  name: 'offer_remedy',
  title: 'What can I do myself?',
  effect: 'write',
  reach: 'fleet',
  ownerRole: 'employee',
  ownersOnly: true,
  humansOnly: true,
  subject: machineSubject,
  // The offer comes as a direct message.
  hiddenFrom: INTERFACES.filter((via) => via !== 'slack'),
  description: 'Offer the owner of a machine, who asks for it, what they can safely do about its worst problem.',
  input: z.strictObject({ hostname: hostnameInput }),
  output: z.object({ remedy: remedyShape }),
  async run({ hostname: host }, { ports, actor, now }) {
    const endpoint = await requireEndpoint(ports, host);
    const email = endpoint.ownerEmail ?? actor.email ?? '';
    return { remedy: presentRemedy(await offerWhenAsked(ports, endpoint, email, now)) };
  },
  summary: ({ remedy }) => `I look at what you can do about ${remedy.hostname} and write to you in a moment.`,
});

export const setRemedyMessages = ownSwitch({
  name: 'set_remedy_messages',
  title: 'Tips about my computer',
  description: 'Whether one is written to about problems of one’s own machine, at most once a day: on or off.',
  command: 'tips',
  unreachable: 'no such messages reach you anyway',
  keep: ({ ownerRemedies }, email, wanted, now) => ownerRemedies.setOptOut(email, wanted ? null : now),
  on: 'I will write when your computer needs something, at most once a day.',
  off: 'No more such messages.',
});

export const setMonthlyReport = ownSwitch({
  name: 'set_monthly_report',
  title: 'A monthly report of my computer',
  description: 'Whether one gets a report of one’s own machines every month, beside the month before: on or off.',
  command: 'monthly',
  unreachable: 'no report can reach you',
  keep: ({ ownerRemedies }, email, wanted, now) => ownerRemedies.setReportWanted(email, wanted ? now : null),
  on: 'You get a report of your computers in the first days of every month.',
  off: 'No more monthly reports.',
});

interface OwnSwitch {
  name: string;
  title: string;
  description: string;
  /** The word of the command, to which `on` or `off` is added. */
  command: string;
  /** What follows for somebody whose mail address is not known. */
  unreachable: string;
  keep(store: Store, email: string, wanted: boolean, now: Date): Promise<void>;
  /** What is said when it was switched so. */
  on: string;
  off: string;
}

/** What people decide for themselves alone: whether something is sent to them. */
function ownSwitch({ name, title, description, command, unreachable, keep, on, off }: OwnSwitch) {
  return defineTool({
    name,
    title,
    effect: 'write',
    reach: 'shared',
    ownerRole: 'employee',
    ownersOnly: true,
    subject: async (_input, _ports, actor) => ({ endpoint: null, owners: [actor.email ?? actor.id] }),
    hiddenFrom: ['mcp', 'planner'],
    description,
    command: { name: command, args: ['wanted'], example: `${command} off` },
    input: z.strictObject({ wanted: z.union([z.boolean(), z.stringbool()]).default(true).describe('on or off') }),
    output: z.object({ ok: z.literal(true), wanted: z.boolean() }),
    async run({ wanted }, { ports, actor, now }) {
      if (actor.email === undefined)
        throw new AppError('refused', `Your mail address is not known here, so ${unreachable}.`);
      await keep(ports.store, actor.email.toLowerCase(), wanted, now);
      return { ok: true as const, wanted };
    },
    summary: ({ wanted }, callText) =>
      wanted ? on : `${off} To have them back: ${callText(name, { wanted: true }) ?? `${command} on`}`,
  });
}

export const sendOwnerReportsTool = defineTool({
  name: 'send_owner_reports',
  title: 'Send monthly reports',
  effect: 'write',
  reach: 'fleet',
  hiddenFrom: INTERFACES.filter((via) => via !== 'job'),
  description: 'Send the monthly report to owners who want it and are at work.',
  input: z.strictObject({}),
  output: z.object({ sent: z.number().int() }),
  run: async (_input, { ports, now }) => ({ sent: await sendOwnerReports(ports, now) }),
  summary: ({ sent }) => `${sent} sent.`,
  // Those who are away in the first days are not waited for.
  schedule: { job: 'dex_owner_reports', cron: () => '35 * 1-7 * *' },
});

export const maintainOwnerRemediesTool = defineTool({
  name: 'maintain_owner_remedies',
  title: 'Maintain offers to owners',
  effect: 'write',
  reach: 'fleet',
  hiddenFrom: INTERFACES.filter((via) => via !== 'job'),
  description: 'Offer owners who are at work one remedy a day, and take each offer a step further.',
  input: z.strictObject({}),
  output: z.object({ offered: z.number().int(), moved: z.number().int() }),
  run: (_input, { ports, now }) => maintainOwnerRemedies(ports, now),
  summary: ({ offered, moved }) => `${offered} offered, ${moved} moved.`,
  schedule: { job: 'dex_owner_remedies', cron: () => '* * * * *' },
});
