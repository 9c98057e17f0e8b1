/** Tools for alerts: reading them, quieting one for a while, ending one. */
import { z } from 'zod';
import { ALERT_STATUSES, ALERT_TYPES, type Alert, SEVERITIES } from '../../../domain/alerts/alert.ts';
import { endpointState } from '../../../domain/fleet/endpoint.ts';
import { acknowledgeAlert, requireAlert, resolveAlert } from '../../alerts/alerting.ts';
import { registeredName } from '../../fleet/hostLookup.ts';
import type { Ports } from '../../ports/ports.ts';
import { iso, presentAlert } from '../../present.ts';
import type { RelatedCall } from '../../presentation.ts';
import { alertShape, hostnameInput, pageInput, timestamp } from '../../shapes.ts';
import { alertSubject, machineSubject } from '../../subjects.ts';
import { defineTool } from '../../tool.ts';

const alertId = z.coerce.number().int().min(1).describe('Number of the alert');
const reason = z.string().trim().max(500).optional().describe('Why, for the timeline');

/** The guide's window: from 15 minutes to 7 days. */
const MIN_HOURS = 0.25;
const MAX_HOURS = 168;
const HOUR_MS = 3_600_000;

export const listAlerts = defineTool({
  name: 'list_alerts',
  title: 'List alerts',
  effect: 'read',
  subject: machineSubject,
  description:
    'Alerts, newest first; the open ones unless status says otherwise (a status, open or all). Filter by hostname, severity, type, name or since.',
  http: { method: 'GET', path: '/api/v1/dex/alerts' },
  command: { name: 'alerts', args: ['hostname'], example: 'alerts --severity critical' },
  input: z.strictObject({
    hostname: hostnameInput.optional(),
    severity: z.enum(SEVERITIES).optional(),
    type: z.enum(ALERT_TYPES).optional(),
    name: z.string().max(200).optional().describe('Name of the alert, as DiskFull'),
    status: z.enum([...ALERT_STATUSES, 'open', 'all']).optional(),
    since: z.iso.datetime({ offset: true }).optional().describe('Created then or later, ISO 8601'),
    ...pageInput,
  }),
  output: z.object({ alerts: z.array(alertShape), total: z.number().int() }),
  async run({ limit, offset, type, name, since, hostname: host, ...filter }, { ports, now }) {
    const hostname = host && (await registeredName(ports.store, host));
    const { items, total } = await ports.store.alerts.list(
      {
        ...filter,
        hostname,
        alertType: type,
        alertName: name,
        since: since === undefined ? undefined : new Date(since),
      },
      { limit, offset },
    );
    return { alerts: await presentAlerts(ports, items, now), total };
  },
  page: () => '/alerts',
  summary: ({ alerts, total }) =>
    total === 0
      ? 'No alert matches.'
      : [`${total} alert${total === 1 ? '' : 's'}`, ...alerts.map(alertLine)].join('\n'),
});

export const getAlert = defineTool({
  name: 'get_alert',
  title: 'Show an alert',
  effect: 'read',
  subject: alertSubject,
  description: 'One alert with its timeline: every move, by whom, from where, when and why.',
  http: { method: 'GET', path: '/api/v1/dex/alerts/:alert_id' },
  command: { name: 'alert', args: ['alert_id'], example: 'alert 42' },
  input: z.strictObject({ alert_id: alertId }),
  output: z.object({
    alert: alertShape,
    timeline: z.array(
      z.object({
        at: timestamp,
        from: z.enum(ALERT_STATUSES).nullable(),
        to: z.enum(ALERT_STATUSES),
        actor: z.string(),
        via: z.string(),
        why: z.string(),
      }),
    ),
  }),
  async run({ alert_id }, { ports, now }) {
    const alert = await requireAlert(ports.store, alert_id);
    const timeline = await ports.store.alerts.timeline(alert_id);
    return {
      alert: await presentOne(ports, alert, now),
      timeline: timeline.map(({ alertId: _id, at, ...event }) => ({ at: iso(at), ...event })),
    };
  },
  page: ({ alert }) => `/alerts/${alert.id}`,
  summary: ({ alert, timeline }) =>
    [
      alertLine(alert),
      ...timeline.map(({ at, from, to, actor, why }) => `${at} ${from ?? 'new'} → ${to} by ${actor}: ${why}`),
    ].join('\n'),
  shows: { card: 'alert', by: 'alert_id' },
  related: ({ alert }) => [
    ...(alert.status === 'resolved' ? [] : openAlertCalls(alert.id)),
    { id: 'rescan', label: 'Scan again', tool: 'scan_endpoint', input: { hostname: alert.hostname } },
    {
      id: 'runbook',
      label: 'Runbook',
      tool: 'endpoint_runbooks',
      input: { hostname: alert.hostname, alert: alert.alert_name },
    },
  ],
});

export const acknowledgeAlertTool = defineTool({
  name: 'acknowledge_alert',
  title: 'Acknowledge an alert',
  effect: 'write',
  subject: alertSubject,
  description:
    'Snooze one alert for some hours (0.25 to 168); if it still holds then, it becomes active again by itself. Or until_clear.',
  http: { method: 'POST', path: '/api/v1/dex/alerts/:alert_id/acknowledge', query: ['hours'] },
  command: { name: 'ack', args: ['alert_id', 'hours'], example: 'ack 42 4' },
  input: z.strictObject({
    alert_id: alertId,
    hours: z.coerce.number().min(MIN_HOURS).max(MAX_HOURS).default(4).describe('Hours of the snooze'),
    until_clear: z
      .union([z.boolean(), z.stringbool()])
      .default(false)
      .describe('Snoozed for as long as the problem holds, whatever hours says'),
    reason,
  }),
  output: z.object({ alert: alertShape }),
  async run({ alert_id, hours, until_clear, reason }, { ports, actor, now }) {
    const until = until_clear ? null : new Date(now.getTime() + hours * HOUR_MS);
    const how = until === null ? 'until it clears' : `for ${hours} h`;
    const why = reason ? `acknowledged ${how}: ${reason}` : `acknowledged ${how}`;
    return { alert: await presentOne(ports, await acknowledgeAlert(ports, alert_id, until, why, actor), now) };
  },
  page: ({ alert }) => `/alerts/${alert.id}`,
  summary: ({ alert }) =>
    `Alert ${alert.id} (${alert.alert_name} on ${alert.hostname}) is snoozed until ${alert.acknowledged_until ?? 'it clears'}.`,
});

export const resolveAlertTool = defineTool({
  name: 'resolve_alert',
  title: 'Resolve an alert',
  effect: 'write',
  subject: alertSubject,
  description:
    'End one alert by hand. If its problem still holds, the next scan or delivery opens it again and counts a flap.',
  http: { method: 'POST', path: '/api/v1/dex/alerts/:alert_id/resolve' },
  command: { name: 'resolve', args: ['alert_id'], example: 'resolve 42 --reason "disk replaced"' },
  input: z.strictObject({ alert_id: alertId, reason }),
  output: z.object({ alert: alertShape }),
  async run({ alert_id, reason }, { ports, actor, now }) {
    const why = reason ? `resolved: ${reason}` : 'resolved by hand';
    return { alert: await presentOne(ports, await resolveAlert(ports, alert_id, 'person', why, actor), now) };
  },
  page: ({ alert }) => `/alerts/${alert.id}`,
  summary: ({ alert }) => `Alert ${alert.id} (${alert.alert_name} on ${alert.hostname}) is resolved.`,
});

/** How long an alert may be silenced by one choice. */
const SILENCES: { id: string; label: string; input: Record<string, unknown> }[] = [
  { id: '1h', label: 'for 1 hour', input: { hours: 1 } },
  { id: '4h', label: 'for 4 hours', input: { hours: 4 } },
  { id: '24h', label: 'for 24 hours', input: { hours: 24 } },
  { id: 'clear', label: 'until it clears', input: { until_clear: true } },
];

function openAlertCalls(alert_id: number): RelatedCall[] {
  return [
    ...SILENCES.map(({ id, label, input }) => ({
      id: `acknowledge_${id}`,
      menu: 'Acknowledge',
      label: `Acknowledge ${label}`,
      tool: 'acknowledge_alert',
      input: { alert_id, ...input },
    })),
    { id: 'resolve', label: 'Resolve', tool: 'resolve_alert', input: { alert_id } },
  ];
}

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

async function presentOne(ports: Ports, alert: Alert, now: Date): Promise<z.input<typeof alertShape>> {
  const [presented] = await presentAlerts(ports, [alert], now);
  return presented as z.input<typeof alertShape>;
}

function alertLine(alert: z.output<typeof alertShape>): string {
  const notes = [
    alert.status.replace('_', ' '),
    ...(alert.status === 'acknowledged' ? [`until ${alert.acknowledged_until ?? 'it clears'}`] : []),
    ...(alert.flaps > 0 ? [`came back ${alert.flaps}×`] : []),
    ...(alert.stale ? ['stale: the endpoint has not answered lately'] : []),
  ];
  return `${alert.id} ${alert.severity} ${alert.alert_name} on ${alert.hostname} (${notes.join(', ')}) since ${alert.created_at}: ${alert.message}`;
}
