/** Tools that silence or end several alerts at once: by their numbers, or all of one machine. */
import { z } from 'zod';
import { type AlertChoice, acknowledgeMany, type ManyMoved, resolveMany } from '../../alerts/manyAlerts.ts';
import { readSilence, silenceInput } from '../../alerts/silence.ts';
import { aligned } from '../../characters.ts';
import { AppError } from '../../errors.ts';
import type { Ports } from '../../ports/ports.ts';
import { requireEndpoint } from '../../scans/scanning.ts';
import { alertShape, hostnameInput, timestamp } from '../../shapes.ts';
import { machineSubject } from '../../subjects.ts';
import { defineTool } from '../../tool.ts';
import { presentAlerts } from './alerts.ts';

/** More in one call is no choice that somebody made. */
const MOST_IDS = 500;

const choiceInput = {
  hostname: hostnameInput.optional().describe('All open alerts of this machine'),
  name: z.string().trim().min(1).max(200).optional().describe('Only those of this name'),
  alert_ids: z.array(z.coerce.number().int().min(1)).min(1).max(MOST_IDS).optional().describe('Instead: these'),
};
const reason = z.string().trim().max(500).optional().describe('Why, for the timeline');

const refusedShape = z.array(
  z.object({ alert_id: z.number().int(), alert_name: z.string(), hostname: z.string(), reason: z.string() }),
);

export const acknowledgeAlerts = defineTool({
  name: 'acknowledge_alerts',
  title: 'Silence alerts',
  effect: 'write',
  reach: 'selection',
  subject: machineSubject,
  description:
    'Acknowledge (snooze, silence) alerts, all of a machine or some by id, for hours or until a time; what still holds then is active again.',
  http: { method: 'POST', path: '/api/v1/dex/alerts/acknowledge' },
  command: {
    name: 'silence-all',
    args: ['hostname', 'until'],
    sentence: true,
    example: 'silence-all dev-machine-01 tomorrow 9:00',
  },
  input: z.strictObject({ ...choiceInput, ...silenceInput, reason }),
  output: z.object({
    alerts: z.array(alertShape),
    until: timestamp.nullable(),
    /** The same as text, on the clock of whoever asked. */
    until_text: z.string(),
    refused: refusedShape,
  }),
  async run({ hostname, name, alert_ids, reason, ...wish }, { ports, actor, now }) {
    const choice = await choiceOf(ports, { hostname, name, alert_ids });
    const silence = readSilence(wish, actor, ports.settings, now);
    const said = reason ?? silence.rest;
    const why = said ? `acknowledged ${silence.how}: ${said}` : `acknowledged ${silence.how}`;
    const done = await acknowledgeMany(ports, choice, silence.until, why, actor);
    return {
      ...(await presentMoved(ports, done, now)),
      until: silence.until?.toISOString() ?? null,
      until_text: silence.text,
    };
  },
  summary: ({ alerts, until_text, refused }) =>
    movedText(alerts, refused, `silenced ${until_text}; what still holds then becomes active again`),
});

export const resolveAlerts = defineTool({
  name: 'resolve_alerts',
  title: 'Resolve alerts',
  effect: 'write',
  reach: 'selection',
  subject: machineSubject,
  description: 'End alerts by hand, all of a machine or some by id. A problem that still holds opens its alert again.',
  http: { method: 'POST', path: '/api/v1/dex/alerts/resolve' },
  command: { name: 'resolve-all', args: ['hostname'], example: 'resolve-all dev-machine-01 --reason "disk replaced"' },
  input: z.strictObject({ ...choiceInput, reason }),
  output: z.object({ alerts: z.array(alertShape), refused: refusedShape }),
  async run({ reason, ...which }, { ports, actor, now }) {
    const why = reason ? `resolved: ${reason}` : 'resolved by hand';
    return presentMoved(ports, await resolveMany(ports, await choiceOf(ports, which), why, actor), now);
  },
  summary: ({ alerts, refused }) => movedText(alerts, refused, 'resolved'),
});

interface Which {
  hostname?: string | undefined;
  name?: string | undefined;
  alert_ids?: number[] | undefined;
}

async function choiceOf(ports: Ports, { hostname, name, alert_ids }: Which): Promise<AlertChoice> {
  if ((hostname === undefined) === (alert_ids === undefined))
    throw new AppError('invalid', 'Name either a machine (hostname) or alerts (alert_ids).');
  if (alert_ids !== undefined) return { alertIds: alert_ids };
  const endpoint = await requireEndpoint(ports, hostname as string);
  return { hostname: endpoint.hostname, alertName: name };
}

async function presentMoved(ports: Ports, { moved, refused }: ManyMoved, now: Date) {
  return {
    alerts: await presentAlerts(ports, moved, now),
    refused: refused.map(({ alert, reason }) => ({
      alert_id: alert.id,
      alert_name: alert.alertName,
      hostname: alert.hostname,
      reason,
    })),
  };
}

function movedText(
  alerts: readonly z.output<typeof alertShape>[],
  refused: z.output<typeof refusedShape>,
  what: string,
): string {
  const count = alerts.length;
  const head =
    count === 0
      ? `No alert was changed${refused.length > 0 ? '' : ': none of them is open'}.`
      : `${count} alert${count === 1 ? ' is' : 's are'} ${what}.`;
  return [
    head,
    ...aligned(alerts.map(({ id, severity, alert_name, hostname }) => [String(id), severity, alert_name, hostname])),
    ...refused.map(
      ({ alert_id, alert_name, hostname, reason }) => `Not ${alert_id} (${alert_name} on ${hostname}): ${reason}.`,
    ),
  ].join('\n');
}
