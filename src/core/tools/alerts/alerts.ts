/** Tools for alerts: listing them, silencing one for a while, ending one. */
import { z } from 'zod';
import { ALERT_STATUSES, ALERT_TYPES, type Alert, SEVERITIES } from '../../../domain/alerts/alert.ts';
import { endpointState } from '../../../domain/fleet/endpoint.ts';
import { acknowledgeAlert, resolveAlert } from '../../alerts/alerting.ts';
import { readSilence, silenceInput } from '../../alerts/silence.ts';
import { aligned, clipped, utc } from '../../characters.ts';
import { sinceInput, sinceMeant } from '../../commands/sinceInput.ts';
import { filterText, machineCount, requireKnownHost, searchedShape } from '../../fleet/emptyAnswer.ts';
import { registeredName } from '../../fleet/hostLookup.ts';
import { countLine, pageOf, pageOutput } from '../../page.ts';
import type { Ports } from '../../ports/ports.ts';
import { presentAlert } from '../../present.ts';
import { alertShape, hostnameInput, pageInput } from '../../shapes.ts';
import { alertSubject, machineSubject } from '../../subjects.ts';
import { defineTool } from '../../tool.ts';

export const alertId = z.coerce.number().int().min(1).describe('Number of the alert');
const reason = z.string().trim().max(500).optional().describe('Why, for the timeline');

export const listAlerts = defineTool({
  name: 'list_alerts',
  title: 'List alerts',
  effect: 'read',
  reach: 'selection',
  subject: machineSubject,
  description:
    'Alerts, newest first; the open ones unless status says otherwise (a status, open or all). Filter by hostname, severity, type, name or since.',
  http: { method: 'GET', path: '/api/v1/dex/alerts' },
  command: { name: 'alerts', args: ['hostname'], everydayFor: ['staff'], example: 'alerts --severity critical' },
  input: z.strictObject({
    hostname: hostnameInput.optional(),
    severity: z.enum(SEVERITIES).optional(),
    type: z.enum(ALERT_TYPES).optional(),
    name: z.string().max(200).optional().describe('Name of the alert, as DiskFull'),
    status: z.enum([...ALERT_STATUSES, 'open', 'all']).optional(),
    since: sinceInput,
    ...pageInput,
  }),
  output: z.object({ alerts: z.array(alertShape), ...pageOutput, searched: searchedShape.optional() }),
  async run({ limit, offset, type, name, since, hostname: host, ...filter }, { ports, actor, now }) {
    const hostname = host && (await registeredName(ports.store, host));
    const createdSince = sinceMeant(since, actor, ports.settings, now);
    const { items, total } = await ports.store.alerts.list(
      {
        ...filter,
        hostname,
        alertType: type,
        alertName: name,
        since: createdSince,
      },
      { limit, offset },
    );
    const page = pageOf({ total, offset }, items.length);
    if (total === 0)
      return { alerts: [], ...page, searched: await searched(ports, { ...filter, type, name, since, hostname }, now) };
    return { alerts: await presentAlerts(ports, items, now), ...page };
  },
  page: () => '/alerts',
  summary: ({ alerts, searched, ...page }) =>
    searched
      ? noneText(searched)
      : [countLine(page, alerts.length, 'alert'), ...aligned(alerts.map(alertCells))].join('\n'),
  shows: { card: 'alerts' },
  overview: {
    place: 0,
    input: { status: 'open', limit: 200 },
    parts: ({ alerts, total }) => [{ title: 'Open alerts', lines: overviewLines(alerts, total) }],
  },
});

/** What fits at a glance; the worst first, of equals the newest. */
const MOST_AT_A_GLANCE = 8;

function overviewLines(alerts: readonly z.output<typeof alertShape>[], total: number): string[] {
  const worst = alerts.toSorted(
    (a, b) => SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity) || b.id - a.id,
  );
  const shown = worst.slice(0, MOST_AT_A_GLANCE);
  if (shown.length === 0) return ['No alert is open.'];
  const counts = SEVERITIES.toReversed().flatMap((severity) => {
    const count = alerts.filter((alert) => alert.severity === severity).length;
    return count > 0 ? [`${count} ${severity}`] : [];
  });
  return [
    `${total} open${total > alerts.length ? `, of the newest ${alerts.length}` : ''}: ${counts.join(', ')}`,
    ...shown.map(
      ({ id, alert_name, hostname, severity, status, created_at }) =>
        `#${id} ${severity}: ${alert_name} on ${hostname}, ${status.replace('_', ' ')} since ${created_at}`,
    ),
    ...(worst.length > shown.length ? [`and ${total - shown.length} more`] : []),
  ];
}

type AlertFilter = Partial<Record<'status' | 'severity' | 'type' | 'name' | 'since' | 'hostname', string | undefined>>;

async function searched(ports: Ports, filter: AlertFilter, now: Date): Promise<z.input<typeof searchedShape>> {
  const { hostname } = filter;
  const { total } = await ports.store.alerts.list({}, { limit: 1, offset: 0 });
  // A machine that is watched no more may have alerts of its own.
  if (hostname && (await ports.store.alerts.list({ status: 'all', hostname }, { limit: 1, offset: 0 })).total === 0)
    await requireKnownHost(ports, hostname);
  return { filter: filterText(filter), without_filter: total, machines: await machineCount(ports, now) };
}

function noneText({ filter, without_filter, machines }: z.output<typeof searchedShape>): string {
  const watched = `${machines} machine${machines === 1 ? '' : 's'}`;
  if (filter === '') return `No alert is open on ${watched}.`;
  return `No alert matches: ${filter}. Open alerts without this filter: ${without_filter}, on ${watched}.`;
}

export const acknowledgeAlertTool = defineTool({
  name: 'acknowledge_alert',
  title: 'Acknowledge an alert',
  effect: 'write',
  reach: 'selection',
  toolset: 'alerts',
  subject: alertSubject,
  description:
    'Snooze one alert for some hours (0.25 to 168) or until a time; if it still holds then, it becomes active again by itself.',
  http: { method: 'POST', path: '/api/v1/dex/alerts/:alert_id/acknowledge', query: ['hours'] },
  command: {
    name: 'ack',
    args: ['alert_id', 'until'],
    sentence: true,
    also: [{ name: 'acknowledge' }, { name: 'silence' }, { name: 'snooze' }, { name: 'mute' }],
    everydayFor: ['staff'],
    example: 'ack 42 tomorrow 9:00',
  },
  input: z.strictObject({
    alert_id: alertId,
    ...silenceInput,
    reason,
  }),
  output: z.object({
    alert: alertShape,
    /** Until when, on the clock of whoever asked. */
    until_text: z.string(),
  }),
  async run({ alert_id, reason, ...wish }, { ports, actor, now }) {
    const { until, how, text, rest } = readSilence(wish, actor, ports.settings, now);
    const said = reason ?? rest;
    const why = said ? `acknowledged ${how}: ${said}` : `acknowledged ${how}`;
    const alert = await acknowledgeAlert(ports, alert_id, until, why, actor);
    return { alert: await presentOne(ports, alert, now), until_text: text };
  },
  page: ({ alert }) => `/alerts/${alert.id}`,
  summary: ({ alert, until_text }) =>
    `Alert ${alert.id} (${alert.alert_name} on ${alert.hostname}) is snoozed ${until_text}.`,
});

export const resolveAlertTool = defineTool({
  name: 'resolve_alert',
  title: 'Resolve an alert',
  effect: 'write',
  reach: 'selection',
  toolset: 'alerts',
  subject: alertSubject,
  description:
    'End one alert by hand. If its problem still holds, the next scan or delivery opens it again and counts a flap.',
  http: { method: 'POST', path: '/api/v1/dex/alerts/:alert_id/resolve' },
  command: {
    name: 'resolve',
    args: ['alert_id', 'reason'],
    sentence: true,
    also: [{ name: 'close' }],
    everydayFor: ['staff'],
    example: 'resolve 42 disk replaced',
  },
  input: z.strictObject({ alert_id: alertId, reason }),
  output: z.object({ alert: alertShape }),
  async run({ alert_id, reason }, { ports, actor, now }) {
    const why = reason ? `resolved: ${reason}` : 'resolved by hand';
    return { alert: await presentOne(ports, await resolveAlert(ports, alert_id, 'person', why, actor), now) };
  },
  page: ({ alert }) => `/alerts/${alert.id}`,
  summary: ({ alert }) =>
    `Alert ${alert.id} (${alert.alert_name} on ${alert.hostname}) is resolved; this can be taken back for a minute.`,
  related: ({ alert }) => [{ id: 'undo', label: 'Undo', tool: 'reopen_alert', input: { alert_id: alert.id } }],
});

/** Alerts on the wire, with one look-up of all their endpoints. */
export async function presentAlerts(
  ports: Ports,
  alerts: readonly Alert[],
  now: Date,
): Promise<z.input<typeof alertShape>[]> {
  const endpoints = await ports.store.endpoints.byIds([...new Set(alerts.map(({ endpointId }) => endpointId))]);
  const stale = new Set(
    endpoints
      .filter((endpoint) => endpointState(endpoint, now, ports.settings.scanIntervalMs) === 'stale')
      .map(({ id }) => id),
  );
  return alerts.map((alert) => presentAlert(alert, alert.status !== 'resolved' && stale.has(alert.endpointId)));
}

export async function presentOne(ports: Ports, alert: Alert, now: Date): Promise<z.input<typeof alertShape>> {
  const [presented] = await presentAlerts(ports, [alert], now);
  return presented as z.input<typeof alertShape>;
}

/** Number, severity, name, machine, where it stands, since when, and what it says. */
export function alertCells(alert: z.output<typeof alertShape>): string[] {
  const { status, acknowledged_by, acknowledged_until, ticket } = alert;
  const state =
    status === 'acknowledged'
      ? `acknowledged by ${acknowledged_by} until ${acknowledged_until === null ? 'it clears' : utc(acknowledged_until)}`
      : status.replace('_', ' ');
  const notes = [
    ...(status === 'resolved' ? [`${utc(alert.resolved_at)} (${alert.resolution})`] : []),
    ...(alert.flaps > 0 ? [`came back ${alert.flaps}×`] : []),
    ...(ticket ? [`ticket ${ticket.id}`] : []),
    ...(alert.stale ? ['stale: the endpoint has not answered lately'] : []),
  ];
  return [
    String(alert.id),
    alert.severity,
    `${alert.alert_name} on ${alert.hostname}`,
    [state, ...notes].join(', '),
    `since ${utc(alert.created_at)}`,
    clipped(alert.message, MOST_MESSAGE_CHARS),
  ];
}

/** Enough for what a scan says; other systems write pages. */
const MOST_MESSAGE_CHARS = 160;
