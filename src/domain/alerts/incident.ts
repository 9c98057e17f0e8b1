/** Incidents: endpoints in several kinds of trouble at once, and groups of endpoints that share one trouble. */

import type { Endpoint } from '../fleet/endpoint.ts';
import { type Alert, isWorse, type Severity } from './alert.ts';

/** Open alerts of one endpoint from which on it counts as an incident (operations guide, "Viewing Active Incidents"). */
const INCIDENT_ALERTS = 2;

export interface Incident {
  hostname: string;
  severity: Severity;
  /** Worst first, then oldest. */
  alerts: Alert[];
  since: Date;
}

/** Endpoints with two or more open alerts: worst severity first, then most alerts, then longest. */
export function incidents(open: readonly Alert[]): Incident[] {
  const byHost = Map.groupBy(open, ({ hostname }) => hostname);
  return [...byHost]
    .filter(([, alerts]) => alerts.length >= INCIDENT_ALERTS)
    .map(([hostname, alerts]) => ({
      hostname,
      severity: worst(alerts),
      alerts: alerts.toSorted((a, b) => compareSeverity(a.severity, b.severity) || +a.createdAt - +b.createdAt),
      since: earliest(alerts),
    }))
    .sort(
      (a, b) => compareSeverity(a.severity, b.severity) || b.alerts.length - a.alerts.length || +a.since - +b.since,
    );
}

function compareSeverity(a: Severity, b: Severity): number {
  return a === b ? 0 : isWorse(a, b) ? -1 : 1;
}

function worst(alerts: readonly Pick<Alert, 'severity'>[]): Severity {
  return alerts.reduce<Severity>((so, { severity }) => (isWorse(severity, so) ? severity : so), 'info');
}

function earliest(alerts: readonly Pick<Alert, 'createdAt'>[]): Date {
  return new Date(Math.min(...alerts.map(({ createdAt }) => createdAt.getTime())));
}

export const COHORT_ATTRIBUTES = ['department', 'tag', 'persona', 'os'] as const;
export type CohortAttribute = (typeof COHORT_ATTRIBUTES)[number];

/** The same alert on many endpoints that share something. */
export interface Cohort {
  alertName: string;
  attribute: CohortAttribute;
  /** `developer`, `linux`, or for tags `location=HQ`. */
  value: string;
  severity: Severity;
  hostnames: string[];
  /** Endpoints that share the attribute, affected or not. */
  cohortSize: number;
  /** Affected endpoints, and all, outside the cohort. */
  restAffected: number;
  restSize: number;
  /** How many times more frequent the alert is inside than outside; null when nothing outside has it. */
  lift: number | null;
  since: Date;
}

/** Fewer affected endpoints are no pattern. */
const COHORT_MIN_ENDPOINTS = 3;
const COHORT_MIN_LIFT = 2;

/** χ² with one degree of freedom at p = 0.01: what chance alone would seldom show. */
const SIGNIFICANT = 6.63;

/** Gathers the fleet endpoint by endpoint, so that it never has to be in memory at once. */
export interface CohortFinder {
  add(endpoints: readonly Pick<Endpoint, 'id' | 'persona' | 'osPlatform' | 'tags'>[]): void;
  find(): Cohort[];
}

export function cohortFinder(open: readonly Alert[]): CohortFinder {
  const alertsOf = Map.groupBy(open, ({ endpointId }) => endpointId);
  const sizes = new Map<string, number>();
  const affected = new Map<string, Alert[]>();
  const affectedInFleet = new Map<string, number>();
  let fleet = 0;

  return {
    add(endpoints) {
      for (const endpoint of endpoints) {
        fleet++;
        const alerts = alertsOf.get(endpoint.id) ?? [];
        for (const { alertName } of alerts) affectedInFleet.set(alertName, (affectedInFleet.get(alertName) ?? 0) + 1);
        for (const [attribute, value] of attributesOf(endpoint)) {
          const group = JSON.stringify([attribute, value]);
          sizes.set(group, (sizes.get(group) ?? 0) + 1);
          for (const alert of alerts) {
            const key = JSON.stringify([attribute, value, alert.alertName]);
            const list = affected.get(key);
            if (list) list.push(alert);
            else affected.set(key, [alert]);
          }
        }
      }
    },

    find() {
      const found: Cohort[] = [];
      for (const [key, alerts] of affected) {
        if (alerts.length < COHORT_MIN_ENDPOINTS) continue;
        const [attribute, value, alertName] = JSON.parse(key) as [CohortAttribute, string, string];
        const cohortSize = sizes.get(JSON.stringify([attribute, value])) ?? 0;
        const restSize = fleet - cohortSize;
        const restAffected = (affectedInFleet.get(alertName) ?? 0) - alerts.length;
        if (restSize === 0) continue;
        const lift = restAffected === 0 ? null : alerts.length / cohortSize / (restAffected / restSize);
        if (lift !== null && lift < COHORT_MIN_LIFT) continue;
        if (logLikelihood(alerts.length, cohortSize, restAffected, restSize) < SIGNIFICANT) continue;
        found.push({
          alertName,
          attribute,
          value,
          severity: worst(alerts),
          hostnames: alerts.map(({ hostname }) => hostname).sort(),
          cohortSize,
          restAffected,
          restSize,
          lift: lift === null ? null : Math.round(lift * 10) / 10,
          since: earliest(alerts),
        });
      }
      return found.sort(
        (a, b) =>
          compareSeverity(a.severity, b.severity) ||
          b.hostnames.length - a.hostnames.length ||
          (b.lift ?? Number.POSITIVE_INFINITY) - (a.lift ?? Number.POSITIVE_INFINITY) ||
          a.value.localeCompare(b.value),
      );
    },
  };
}

/** The tag by which organisations name a department, as the operations guide's example does. */
const DEPARTMENT_TAGS = ['dept', 'department'];

function attributesOf({
  persona,
  osPlatform,
  tags,
}: Pick<Endpoint, 'persona' | 'osPlatform' | 'tags'>): [CohortAttribute, string][] {
  return [
    ['persona', persona],
    ['os', osPlatform],
    ...Object.entries(tags).map(([key, value]): [CohortAttribute, string] =>
      DEPARTMENT_TAGS.includes(key) ? ['department', value] : ['tag', `${key}=${value}`],
    ),
  ];
}

/**
 * The log-likelihood ratio G² of a two-by-two table, for small counts more honest than Pearson's χ² (T. Dunning, "Accurate
 * Methods for the Statistics of Surprise and Coincidence", 1993).
 */
function logLikelihood(affectedIn: number, sizeIn: number, affectedOut: number, sizeOut: number): number {
  const all = sizeIn + sizeOut;
  const affectedShare = (affectedIn + affectedOut) / all;
  const term = (seen: number, expected: number) => (seen === 0 ? 0 : seen * Math.log(seen / expected));
  return (
    2 *
    (term(affectedIn, sizeIn * affectedShare) +
      term(sizeIn - affectedIn, sizeIn * (1 - affectedShare)) +
      term(affectedOut, sizeOut * affectedShare) +
      term(sizeOut - affectedOut, sizeOut * (1 - affectedShare)))
  );
}
