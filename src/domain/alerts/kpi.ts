/** KPIs of a stretch of days: how fast people react, how fast problems end, what makes the most of it. */
import type { Alert, AlertEvent, Resolution } from './alert.ts';

/** What the figures need of an alert that was created, acknowledged or resolved in the period. */
export type KpiAlert = Pick<
  Alert,
  | 'hostname'
  | 'alertName'
  | 'status'
  | 'startsAt'
  | 'createdAt'
  | 'acknowledgedAt'
  | 'resolvedAt'
  | 'resolution'
  | 'flaps'
> & {
  /** How long it was over in between, where it came back; milliseconds. */
  healthyMs: number;
};

/** What is still open, which times to resolve say nothing of. */
interface OpenFigures {
  alerts: number;
  /** Hours since they were raised; null when none is open. */
  medianHours: number | null;
  longestHours: number | null;
}

/** Every figure without a basis is null and has a reason, because a zero would be a statement. */
interface Kpis {
  /** Mean time from an alert to its first acknowledgement, minutes. */
  mttaMinutes: number | null;
  /** From the start of a problem to its end, both as its source reports it where that has one, less what lay well between its flaps; minutes. */
  mttrMinutes: number | null;
  mttrMedianMinutes: number | null;
  /** Share of the resolved that a verified remediation ended, 0–100. */
  autoResolutionRatePct: number | null;
  /** Created in the period. */
  totalAlerts: number;
  /** Resolved in the period, whenever created. */
  resolvedAlerts: number;
  byAlertName: { alertName: string; alerts: number }[];
  byResolution: Partial<Record<Resolution, number>>;
  noisiest: { hostname: string; alerts: number; flaps: number }[];
  reasons: Partial<Record<'mttaMinutes' | 'mttrMinutes' | 'mttrMedianMinutes' | 'autoResolutionRatePct', string>>;
}

const TOP = 20;

/** @param until the end of the period, which does not belong to it; without one it lasts until now */
export function kpis(alerts: readonly KpiAlert[], since: Date, until?: Date): Kpis {
  const isWithin = (at: Date | null): at is Date => at !== null && at >= since && (until === undefined || at < until);
  const created = alerts.filter(({ createdAt }) => isWithin(createdAt));
  const resolved = alerts.filter(({ resolvedAt }) => isWithin(resolvedAt));
  const reactions = alerts.flatMap(({ createdAt, acknowledgedAt }) =>
    isWithin(acknowledgedAt) ? [minutesBetween(createdAt, acknowledgedAt)] : [],
  );
  const repairs = resolved.flatMap(({ startsAt, createdAt, resolvedAt, healthyMs }) =>
    // One that came back has a later start, and has been a problem since it was first raised.
    // Between its flaps it was none.
    resolvedAt === null
      ? []
      : [
          Math.max(
            0,
            minutesBetween(new Date(Math.min(startsAt.getTime(), createdAt.getTime())), resolvedAt) -
              healthyMs / 60_000,
          ),
        ],
  );
  const none = 'No alert was resolved in this time.';
  return {
    mttaMinutes: mean(reactions),
    mttrMinutes: mean(repairs),
    mttrMedianMinutes: median(repairs),
    autoResolutionRatePct:
      resolved.length === 0
        ? null
        : Math.round((resolved.filter(({ resolution }) => resolution === 'auto').length / resolved.length) * 1000) / 10,
    totalAlerts: created.length,
    resolvedAlerts: resolved.length,
    byAlertName: counts(created.map(({ alertName }) => alertName))
      .slice(0, TOP)
      .map(([alertName, count]) => ({ alertName, alerts: count })),
    byResolution: Object.fromEntries(counts(resolved.flatMap(({ resolution }) => resolution ?? []))),
    noisiest: noisiest(created),
    reasons: {
      ...(reactions.length === 0 && { mttaMinutes: 'No alert was acknowledged in this time.' }),
      ...(repairs.length === 0 && {
        mttrMinutes: none,
        mttrMedianMinutes: none,
        autoResolutionRatePct: none,
      }),
    },
  };
}

/** How long an alert was over before it came back, by its moves, oldest first; milliseconds. */
export function healthyGapsMs(events: readonly Pick<AlertEvent, 'at' | 'from' | 'to'>[]): number {
  let [overAt, sum]: [Date | null, number] = [null, 0];
  for (const { at, from, to } of events) {
    if (to === 'resolved' && from !== 'resolved') overAt = at;
    else if (from === 'resolved' && to !== 'resolved' && overAt !== null) {
      sum += Math.max(0, at.getTime() - overAt.getTime());
      overAt = null;
    }
  }
  return sum;
}

/** How many alerts are open, and for how long. */
export function openFigures(open: readonly Pick<Alert, 'createdAt'>[], now: Date): OpenFigures {
  const hours = open.map(({ createdAt }) => Math.max(0, minutesBetween(createdAt, now)) / 60);
  return {
    alerts: open.length,
    medianHours: median(hours),
    longestHours: hours.length === 0 ? null : Math.max(...hours),
  };
}

/** By alerts and flaps together: an alert that came back ten times is as loud as ten. */
function noisiest(created: readonly KpiAlert[]): Kpis['noisiest'] {
  return [...Map.groupBy(created, ({ hostname }) => hostname)]
    .map(([hostname, alerts]) => ({
      hostname,
      alerts: alerts.length,
      flaps: alerts.reduce((sum, { flaps }) => sum + flaps, 0),
    }))
    .sort((a, b) => b.alerts + b.flaps - (a.alerts + a.flaps) || a.hostname.localeCompare(b.hostname))
    .slice(0, TOP);
}

/** Most frequent first. */
function counts<T extends string>(words: readonly T[]): [T, number][] {
  return [...Map.groupBy(words, (word) => word)]
    .map(([word, list]): [T, number] => [word, list.length])
    .sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
}

function minutesBetween(from: Date, to: Date): number {
  return (to.getTime() - from.getTime()) / 60_000;
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : round3(values.reduce((sum, value) => sum + value, 0) / values.length);
}

function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low, high] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]];
  return low === undefined || high === undefined ? null : round3((low + high) / 2);
}

/** A thousandth of a minute is 60 ms: figures stay right to the second. */
function round3(value: number): number {
  return Math.round(value * 1000) / 1000;
}
