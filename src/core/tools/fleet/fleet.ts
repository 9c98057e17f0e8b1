/** The tool that shows the fleet: how many do well, which do worst and why, what will break, and a group beside the rest. */
import { z } from 'zod';
import { hasVerdict, PERSONAS } from '../../../domain/fleet/endpoint.ts';
import { type FleetGroup, fleetGroups, groupKeys } from '../../../domain/scores/fleetGroups.ts';
import { round1 } from '../../../domain/scores/score.ts';
import { aligned, clipped } from '../../characters.ts';
import { compareGroup, type Side } from '../../fleet/fleetGroups.ts';
import type { FleetRow } from '../../ports/endpointPorts.ts';
import type { Ports } from '../../ports/ports.ts';
import { endpointCells, iso, presentEndpoint } from '../../present.ts';
import { staleBefore } from '../../scores/staleness.ts';
import { endpointShape, timestamp } from '../../shapes.ts';
import { defineTool } from '../../tool.ts';

/** Reasons of a low score that are shown. */
const MOST_REASONS = 3;
/** Predicted limits that are listed; the count says how many there are. */
const MOST_PREDICTED = 20;
const MOST_ALERT_NAMES = 8;

const count = z.number().int();
const average = z.number().nullable();
const sideShape = z.object({
  total: count,
  scored: count,
  healthy: count,
  at_risk: count,
  critical: count,
  unreachable: count,
  unknown: count,
  avg_score: average,
  open_alerts: count,
  critical_alerts: count,
  /** On how many machines each is open. */
  alerts: z.array(z.object({ alert_name: z.string(), machines: count })),
});

const groupShape = z.object({
  group: z.string(),
  total: count,
  scored: count,
  avg_score: average,
  healthy: count,
  at_risk: count,
  critical: count,
  unknown: count,
  unreachable: count,
});

const fleetShape = z.object({
  total: count,
  scored: count,
  healthy: count,
  at_risk: count,
  critical: count,
  unknown: count,
  unreachable: count,
  stale: count,
  avg_score: average,
  /** With what lowered each score most. */
  worst: z.array(endpointShape.extend({ reasons: z.array(z.string()) })),
  by_persona: z.record(z.string(), z.object({ total: count, scored: count, avg_score: average })),
  open_alerts: z.object({
    total: count,
    critical: count,
    by_name: z.array(z.object({ alert_name: z.string(), alerts: count })),
  }),
  /** Limits that forecasts see reached, soonest told by the alert. */
  predicted: z.array(
    z.object({
      alert_id: count,
      hostname: z.string(),
      alert_name: z.string(),
      time_to_impact: z.string().nullable(),
      message: z.string(),
    }),
  ),
  predicted_total: count,
  pending_approvals: count,
  group: z.object({ name: z.string(), inside: sideShape, rest: sideShape }).optional(),
  /** How many have a score from 0 up to 10, from 10 up to 20 and so on. */
  distribution: z.array(count),
  groups: z.array(groupShape).optional(),
  /** By what else the fleet can be grouped. */
  group_keys: z.array(z.string()).optional(),
  /** A score up to `warning` is at risk, below `critical` critical. */
  thresholds: z.object({ warning: z.number(), critical: z.number() }),
  computed_at: timestamp,
});
type Fleet = z.output<typeof fleetShape>;

export const getFleet = defineTool({
  name: 'get_fleet',
  title: 'Show the fleet',
  effect: 'read',
  reach: 'selection',
  description:
    'What needs attention: how many machines are healthy, at risk, critical; the worst and why; open alerts; what will break this week; approvals waiting. With group, that group beside the rest.',
  http: { method: 'GET', path: '/api/v1/dex/fleet' },
  command: { name: 'fleet', args: ['group'], everydayFor: ['staff'], example: 'fleet dept=finance' },
  input: z.strictObject({
    worst: z.coerce
      .number()
      .int()
      .min(0)
      .max(50)
      .default(5)
      .meta({ description: 'How many of the worst to list', forPrograms: true }),
    group: z
      .string()
      .trim()
      .min(1)
      .max(265)
      .optional()
      .describe('A tag as dept=finance, persona=developer, tier=1, os=windows, or a value alone'),
    group_by: z
      .string()
      .regex(/^[\w.-]{1,64}$/, 'must be persona, os_platform, criticality_tier or the name of a tag')
      .optional()
      .meta({ description: 'persona, os_platform or a tag: the figures of each group', forPrograms: true }),
  }),
  output: fleetShape,
  async run({ worst, group, group_by }, { ports, now }) {
    const { endpoints, alerts, approvals } = ports.store;
    const [rows, stale, lowest, open, predicted, pending, compared, distribution, members] = await Promise.all([
      endpoints.fleet(),
      endpoints.countStale(staleBefore(ports, now)),
      endpoints.worst(worst),
      alerts.openCounts(),
      alerts.list({ alertType: 'predictive', status: 'open' }, { limit: MOST_PREDICTED, offset: 0 }),
      approvals.list({ status: 'pending' }, { limit: 1, offset: 0 }),
      group === undefined ? null : compareGroup(ports.store, group),
      endpoints.distribution(),
      group_by === undefined ? null : endpoints.members(),
    ]);
    const count = (status: string) => sum(rows.filter((row) => row.status === status).map((row) => row.endpoints));
    return {
      ...totals(rows),
      healthy: count('healthy'),
      at_risk: count('at_risk'),
      critical: count('critical'),
      unknown: count('unknown'),
      unreachable: count('unreachable'),
      stale,
      worst: await Promise.all(
        lowest.map(async (endpoint) => ({
          ...presentEndpoint(endpoint, now, ports.settings.scanIntervalMs),
          reasons: await reasonsOf(ports, endpoint.id),
        })),
      ),
      by_persona: Object.fromEntries(
        PERSONAS.map((persona) => [persona, totals(rows.filter((row) => row.persona === persona))] as const).filter(
          ([, { total }]) => total > 0,
        ),
      ),
      open_alerts: {
        total: sum(open.map((row) => row.alerts)),
        critical: sum(open.filter(({ severity }) => severity === 'critical').map((row) => row.alerts)),
        by_name: [...Map.groupBy(open, ({ alertName }) => alertName)]
          .map(([alert_name, of]) => ({ alert_name, alerts: sum(of.map((row) => row.alerts)) }))
          .sort((a, b) => b.alerts - a.alerts || a.alert_name.localeCompare(b.alert_name)),
      },
      predicted: predicted.items.map((alert) => ({
        alert_id: alert.id,
        hostname: alert.hostname,
        alert_name: alert.alertName,
        time_to_impact: alert.predictedTimeToImpact,
        message: alert.message,
      })),
      predicted_total: predicted.total,
      pending_approvals: pending.total,
      ...(compared && {
        group: { name: group as string, inside: presentSide(compared.inside), rest: presentSide(compared.rest) },
      }),
      distribution,
      ...(members &&
        group_by !== undefined && {
          groups: fleetGroups(members, group_by).map(presentGroup),
          group_keys: groupKeys(members),
        }),
      thresholds: ports.settings.thresholds,
      computed_at: iso(now),
    };
  },
  page: () => '/',
  summary: (fleet) => (fleet.group ? groupLines(fleet.group) : fleetLines(fleet)).join('\n'),
  chart: (fleet) => ({
    kind: 'bars',
    title: `${fleet.healthy} of ${fleet.total} machines are healthy`,
    alt: `${fleet.healthy} endpoints healthy, ${fleet.at_risk} at risk, ${fleet.critical} critical, ${fleet.unreachable} not reachable, ${fleet.unknown} unknown`,
    xTitle: 'Endpoints',
    bars: [
      { name: 'healthy', value: fleet.healthy },
      { name: 'at risk', value: fleet.at_risk },
      { name: 'critical', value: fleet.critical },
      { name: 'unknown', value: fleet.unknown },
      { name: 'not reachable', value: fleet.unreachable },
    ],
  }),
  shows: { card: 'fleet' },
  overview: {
    place: 1,
    parts(fleet) {
      const machines = fleet.worst.filter(({ score_status }) => score_status !== 'healthy');
      return [
        { title: 'Fleet', lines: [fleetLine(fleet)] },
        ...(machines.length > 0 ? [{ title: 'At risk', machines }] : []),
      ];
    },
  },
  resource: {
    uri: 'dexops://fleet',
    name: 'fleet',
    title: 'The fleet',
    description: 'How many endpoints are healthy, at risk and critical, the average score and the worst machines.',
    mimeType: 'application/json',
  },
});

async function reasonsOf({ store }: Ports, endpointId: number): Promise<string[]> {
  const score = await store.scores.latest(endpointId);
  // Open alerts lower the score too, but they follow from the other reasons.
  const follows = ({ component }: { component: string }) => Number(component === 'remediation');
  const deductions = score?.deductions.toSorted((a, b) => follows(a) - follows(b) || b.points - a.points) ?? [];
  return [...deductions, ...(score?.caps ?? [])].slice(0, MOST_REASONS).map(({ reason }) => reason);
}

function presentSide({ averageScore, openAlerts, criticalAlerts, alerts, ...counts }: Side): z.input<typeof sideShape> {
  return {
    ...counts,
    avg_score: averageScore,
    open_alerts: openAlerts,
    critical_alerts: criticalAlerts,
    alerts: alerts.map(({ alertName, machines }) => ({ alert_name: alertName, machines })),
  };
}

function fleetLines(fleet: Fleet): string[] {
  const { open_alerts: open, pending_approvals: pending, predicted_total } = fleet;
  const names = open.by_name.slice(0, MOST_ALERT_NAMES).map(({ alert_name, alerts }) => `${alert_name} ${alerts}`);
  const worst = fleet.worst.filter(({ score_status }) => score_status !== 'healthy');
  return [
    fleetLine(fleet),
    open.total === 0
      ? 'No alert is open.'
      : `Open alerts: ${open.total}, ${open.critical} critical: ${names.join(', ')}`,
    ...(pending > 0 ? [`Waiting for approval: ${pending}`] : []),
    ...(worst.length > 0 ? ['Worst:'] : []),
    ...aligned(worst.map((endpoint) => [...endpointCells(endpoint), endpoint.reasons.join('; ')])),
    predicted_total === 0 ? 'No limit is predicted to be reached.' : `Predicted: ${predicted_total}`,
    ...aligned(
      fleet.predicted.map(({ alert_id, hostname, alert_name, message }) => [
        `alert ${alert_id}`,
        hostname,
        alert_name,
        clipped(message, 160),
      ]),
    ),
    ...aligned(
      (fleet.groups ?? []).map(({ group, total, avg_score, healthy }) => [
        group,
        `average ${avg_score ?? 'unknown'}`,
        `${healthy} of ${total} healthy`,
      ]),
    ),
  ];
}

function presentGroup({ name, counts, ...figures }: FleetGroup): z.input<typeof groupShape> {
  return { group: name, total: figures.total, scored: figures.scored, avg_score: figures.averageScore, ...counts };
}

function groupLines({ name, inside, rest }: NonNullable<Fleet['group']>): string[] {
  const shown = new Set([...inside.alerts, ...rest.alerts.slice(0, 3)].map(({ alert_name }) => alert_name));
  const share = (side: z.output<typeof sideShape>, alert: string) => {
    const machines = side.alerts.find(({ alert_name }) => alert_name === alert)?.machines ?? 0;
    return `${machines} (${percent(machines, side.total)})`;
  };
  const per = (side: z.output<typeof sideShape>) =>
    side.total === 0 ? '–' : `${side.open_alerts} (${round1(side.open_alerts / side.total)} a machine)`;
  const row = (label: string, of: (side: z.output<typeof sideShape>) => string) => [label, of(inside), of(rest)];
  return aligned([
    ['', name, 'the rest'],
    row('machines', ({ total, scored }) => `${total} (${scored} scored)`),
    row('average score', ({ avg_score }) => String(avg_score ?? 'unknown')),
    row('healthy', ({ healthy, scored }) => `${healthy} (${percent(healthy, scored)})`),
    row('at risk', ({ at_risk, scored }) => `${at_risk} (${percent(at_risk, scored)})`),
    row('critical', ({ critical, scored }) => `${critical} (${percent(critical, scored)})`),
    row('not reachable', ({ unreachable }) => String(unreachable)),
    row('open alerts', per),
    row('of them critical', ({ critical_alerts }) => String(critical_alerts)),
    ...[...shown].map((alert) => row(alert, (side) => share(side, alert))),
  ]);
}

function percent(part: number, whole: number): string {
  return whole === 0 ? '–' : `${Math.round((part / whole) * 100)} %`;
}

function fleetLine(
  fleet: Record<'total' | 'healthy' | 'at_risk' | 'critical' | 'unknown' | 'unreachable' | 'stale', number> & {
    avg_score: number | null;
  },
): string {
  return `${fleet.total} endpoint${fleet.total === 1 ? '' : 's'}, average score ${fleet.avg_score ?? 'unknown'}: ${fleet.healthy} healthy, ${fleet.at_risk} at risk, ${fleet.critical} critical, ${fleet.unreachable} not reachable, ${fleet.unknown} without a verdict, ${fleet.stale} stale.`;
}

function totals(rows: FleetRow[]): { total: number; scored: number; avg_score: number | null } {
  const known = rows.filter(({ status }) => hasVerdict(status));
  const scored = sum(known.map(({ endpoints }) => endpoints));
  const scores = sum(known.map(({ scoreSum }) => scoreSum));
  return {
    total: sum(rows.map(({ endpoints }) => endpoints)),
    scored,
    avg_score: scored === 0 ? null : round1(scores / scored),
  };
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
