/** The tool for incidents: endpoints with several kinds of problem, and problems that many endpoints share. */
import { z } from 'zod';
import { SEVERITIES } from '../../../domain/alerts/alert.ts';
import type { AlertRule } from '../../../domain/alerts/alertRules.ts';
import { COHORT_ATTRIBUTES, cohortFinder } from '../../../domain/alerts/cohort.ts';
import { incidents } from '../../../domain/alerts/incident.ts';
import type { Endpoint } from '../../../domain/fleet/endpoint.ts';
import type { Ports } from '../../ports/ports.ts';
import { iso } from '../../present.ts';
import { alertShape, pageInput, timestamp } from '../../shapes.ts';
import { defineTool } from '../../tool.ts';
import { presentAlerts } from './alerts.ts';

/** Endpoints read at a time while looking for what the affected ones share. */
const FLEET_PAGE = 500;

/** Names listed per cohort; the count says how many there are. */
const COHORT_NAMES = 20;

const incidentShape = z.object({
  hostname: z.string(),
  severity: z.enum(SEVERITIES),
  alert_count: z.number().int(),
  alerts: z.array(alertShape),
  since: timestamp,
});

const cohortShape = z.object({
  alert_name: z.string(),
  attribute: z.enum(COHORT_ATTRIBUTES),
  value: z.string(),
  severity: z.enum(SEVERITIES),
  /** Endpoints of the cohort that have the alert, and how many the cohort has. */
  affected: z.number().int(),
  size: z.number().int(),
  rest_affected: z.number().int(),
  rest_size: z.number().int(),
  /** How many times more frequent than in the rest of the fleet; null when nothing else has it. */
  lift: z.number().nullable(),
  /** How many such groups chance alone would show in one analysis of this fleet. */
  expected_by_chance: z.number(),
  /** 1 less what chance would show: how sure it is that they share it for a reason. */
  confidence: z.number(),
  /** Affected ones whose rule is breached for too few scans to be an alert. */
  pending: z.number().int(),
  hostnames: z.array(z.string()),
  /** Members without the alert so far: some by name, and how many. */
  at_risk: z.array(z.string()),
  at_risk_count: z.number().int(),
  since: timestamp,
});

export const listIncidents = defineTool({
  name: 'list_incidents',
  title: 'List incidents',
  effect: 'read',
  reach: 'selection',
  toolset: 'alerts',
  description:
    'Endpoints with two or more open alerts, worst first, and cohorts: one problem on many endpoints that share a model, OS build, driver, version, update, site, VPN, persona or tag, with lift, confidence and the machines at risk.',
  http: { method: 'GET', path: '/api/v1/dex/incidents' },
  command: { name: 'incidents', args: [], example: 'incidents' },
  input: z.strictObject(pageInput),
  output: z.object({
    incidents: z.array(incidentShape),
    cohorts: z.array(cohortShape),
    total: z.number().int(),
  }),
  async run({ limit, offset }, { ports, now }) {
    const open = await ports.store.alerts.open();
    const finder = cohortFinder(open, breachedBy(ports.scoreRules.current().alerts, now));
    await walkFleet(ports, finder.add);
    const all = incidents(open);
    const page = all.slice(offset, offset + limit);
    const presented = await presentAlerts(
      ports,
      page.flatMap(({ alerts }) => alerts),
      now,
    );
    const byHost = Map.groupBy(presented, ({ hostname }) => hostname);
    return {
      incidents: page.map(({ hostname, severity, alerts, since }) => ({
        hostname,
        severity,
        alert_count: alerts.length,
        alerts: byHost.get(hostname) ?? [],
        since: iso(since),
      })),
      cohorts: finder.find().map((cohort) => ({
        alert_name: cohort.alertName,
        attribute: cohort.attribute,
        value: cohort.value,
        severity: cohort.severity,
        affected: cohort.hostnames.length,
        size: cohort.cohortSize,
        rest_affected: cohort.restAffected,
        rest_size: cohort.restSize,
        lift: cohort.lift,
        expected_by_chance: Number(cohort.expectedByChance.toPrecision(2)),
        confidence: Math.round((1 - cohort.expectedByChance) * 1000) / 1000,
        pending: cohort.pending,
        at_risk: cohort.atRisk,
        at_risk_count: cohort.atRiskCount,
        hostnames: cohort.hostnames.slice(0, COHORT_NAMES),
        since: iso(cohort.since),
      })),
      total: all.length,
    };
  },
  page: () => '/incidents',
  summary: (found) => incidentLines(found).join('\n'),
  overview: { place: 3, parts: (found) => [{ title: 'Open incidents', lines: incidentLines(found) }] },
});

/** Rules that wait longer than this are about what can wait, not about a fault that spreads. */
const LONGEST_WAIT_SCANS = 4;
/** One scan that breaches is a spike. */
const LEAST_BREACHES = 2;

/** What an endpoint breaches that is no alert yet. */
function breachedBy(rules: readonly AlertRule[], now: Date) {
  const waiting = rules.filter((rule) => rule.for <= LONGEST_WAIT_SCANS);
  return ({ id, hostname, breaches, lastScanAt }: Endpoint) =>
    waiting.flatMap(({ name, severity }) =>
      (breaches[name] ?? 0) >= LEAST_BREACHES
        ? [
            {
              endpointId: id,
              hostname,
              alertName: name,
              severity,
              createdAt: lastScanAt ?? now,
              pending: true as const,
            },
          ]
        : [],
    );
}

function percent(part: number, whole: number): string {
  return `${Math.round((part / whole) * 100)} %`;
}

/** @param expected how many groups as uneven chance would show in one analysis */
function chanceText(expected: number): string {
  const looks = 1 / expected;
  return looks > 1_000_000
    ? 'not chance'
    : `chance shows the like once in ${Math.floor(looks).toLocaleString('en')} looks`;
}

function incidentLines({
  incidents,
  cohorts,
  total,
}: {
  incidents: z.output<typeof incidentShape>[];
  cohorts: z.output<typeof cohortShape>[];
  total: number;
}): string[] {
  return [
    total === 0
      ? 'No endpoint has two or more open alerts.'
      : `${total} endpoint${total === 1 ? '' : 's'} with two or more open alerts`,
    ...incidents.map(
      ({ hostname, severity, alerts }) =>
        `${hostname} (${severity}): ${alerts.map(({ alert_name }) => alert_name).join(', ')}`,
    ),
    ...cohorts.map(
      ({ alert_name, attribute, value, affected, pending, size, rest_affected, rest_size, ...cohort }) =>
        `${alert_name} on ${affected} of ${size} with ${attribute.replace('_', ' ')} ${value} (${percent(affected, size)})${pending > 0 ? `, ${pending} of them no alert yet` : ''}, elsewhere on ${rest_affected} of ${rest_size} (${percent(rest_affected, rest_size)}); ${chanceText(cohort.expected_by_chance)}${cohort.at_risk_count > 0 ? `; ${cohort.at_risk_count} more at risk` : ''}.`,
    ),
  ];
}

async function walkFleet(
  ports: Ports,
  visit: (endpoints: Awaited<ReturnType<Ports['store']['endpoints']['batch']>>) => void,
): Promise<void> {
  for (let afterId = 0; ; ) {
    const page = await ports.store.endpoints.batch(afterId, FLEET_PAGE);
    const last = page.at(-1);
    if (!last) return;
    visit(page);
    afterId = last.id;
  }
}
