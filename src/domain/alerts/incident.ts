/** Incidents: endpoints with several kinds of problem at once. */

import { type Alert, isWorse, type Severity } from './alert.ts';

/** Open alerts of one endpoint from which on it counts as an incident (operations guide, "Viewing Active Incidents"). */
const INCIDENT_ALERTS = 2;

interface Incident {
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
      severity: worstSeverity(alerts),
      alerts: alerts.toSorted((a, b) => compareSeverity(a.severity, b.severity) || +a.createdAt - +b.createdAt),
      since: earliest(alerts),
    }))
    .sort(
      (a, b) => compareSeverity(a.severity, b.severity) || b.alerts.length - a.alerts.length || +a.since - +b.since,
    );
}

/** For sorting, worst first. */
export function compareSeverity(a: Severity, b: Severity): number {
  return a === b ? 0 : isWorse(a, b) ? -1 : 1;
}

/** The worst severity of some alerts; `info` of none. */
export function worstSeverity(alerts: readonly Pick<Alert, 'severity'>[]): Severity {
  return alerts.reduce<Severity>((so, { severity }) => (isWorse(severity, so) ? severity : so), 'info');
}

/** When the first of some alerts was raised; at least one is given. */
export function earliest(alerts: readonly Pick<Alert, 'createdAt'>[]): Date {
  return new Date(Math.min(...alerts.map(({ createdAt }) => createdAt.getTime())));
}
