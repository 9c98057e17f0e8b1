/** Which alerts one scan raises and clears: the score's own, and one for each measurement that has a rule. */

import type { Endpoint } from '../fleet/endpoint.ts';
import { type Measure, measures, round1, type Score, type ScoreRules, type ScoreThresholds } from '../scores/score.ts';
import type { Snapshot } from '../signals/telemetry.ts';
import type { Alert, Severity } from './alert.ts';
import type { Observation } from './alertMoves.ts';

/** When a measurement, or silence, raises an alert by itself; `for` counts scans in a row. */
export type AlertRule = { name: string; for: number; severity: Severity } & (
  | {
      measure: Measure;
      /** Strictly above breaches. */
      above: number;
      /** At or below ends it; the gap to `above` keeps a wavering value from flapping. */
      clear: number;
    }
  | { unreachable: true }
);

/** What `dex_score.yaml` says: how scores are made, and which measurements raise alerts by themselves. */
export type ScoreConfig = ScoreRules & { alerts: AlertRule[] };

export const LOW_SCORE = 'LowDexScore';

/** The series by which scans speak of any alert. */
export const SCAN_SERIES = 'scan';

interface MeasurementFindings {
  /** Consecutive scans each rule has been breached, by alert name; rules that are not breached are absent. */
  breaches: Record<string, number>;
  observations: Observation[];
}

type Scanned = Pick<Endpoint, 'id' | 'hostname' | 'breaches'>;

/**
 * What the measurements of a scan say of alerts.
 * @param open the endpoint's open alerts; only those can be cleared
 */
export function judgeMeasurements(
  endpoint: Scanned,
  snapshot: Snapshot,
  open: readonly Alert[],
  rules: readonly AlertRule[],
): MeasurementFindings {
  const breaches: Record<string, number> = {};
  const observations: Observation[] = [];
  const held = heldByScans(open);
  const values = measures(snapshot);
  for (const rule of rules) {
    const verdict = findingOf(rule, snapshot, values);
    const before = endpoint.breaches[rule.name] ?? 0;
    const count = verdict.state === 'breached' ? before + 1 : verdict.state === 'unknown' ? before : 0;
    if (count > 0) breaches[rule.name] = count;
    if (verdict.state === 'breached' && count >= rule.for) {
      observations.push({
        ...subject(endpoint, rule.name),
        state: 'firing',
        alertType: 'metric',
        severity: rule.severity,
        message: verdict.text,
        labels: verdict.labels,
        startsAt: null,
      });
    }
    if (verdict.state === 'clear' && held.has(rule.name)) {
      observations.push(cleared(endpoint, rule.name, snapshot, verdict.text));
    }
  }
  const raisable = new Set([LOW_SCORE, ...rules.map(({ name }) => name)]);
  for (const alertName of held) {
    if (!raisable.has(alertName)) {
      observations.push(cleared(endpoint, alertName, snapshot, 'no rule raises this alert any more'));
    }
  }
  return { breaches, observations };
}

/** What the score says of its own alert; without a score, nothing. On the warning line an open alert stays, as a warning. */
export function judgeScore(
  endpoint: Scanned,
  snapshot: Snapshot,
  score: Pick<Score, 'score' | 'deductions'> | null,
  open: readonly Alert[],
  thresholds: ScoreThresholds,
): Observation[] {
  if (score === null) return [];
  const isHeld = heldByScans(open).has(LOW_SCORE);
  if (score.score < thresholds.warning || (score.score === thresholds.warning && isHeld)) {
    const isCritical = score.score < thresholds.critical;
    return [
      {
        ...subject(endpoint, LOW_SCORE),
        state: 'firing',
        alertType: 'threshold',
        severity: isCritical ? 'critical' : 'warning',
        message: lowScoreText(score, isCritical ? thresholds.critical : thresholds.warning),
        labels: {},
        startsAt: null,
      },
    ];
  }
  if (score.score === thresholds.warning || !isHeld) return [];
  return [cleared(endpoint, LOW_SCORE, snapshot, `the score is ${score.score}, above ${thresholds.warning}`)];
}

function heldByScans(open: readonly Alert[]): Set<string> {
  return new Set(open.filter(({ series }) => series.includes(SCAN_SERIES)).map(({ alertName }) => alertName));
}

function subject({ id, hostname }: Scanned, alertName: string) {
  return { endpointId: id, hostname, alertName, series: SCAN_SERIES };
}

function cleared(endpoint: Scanned, alertName: string, snapshot: Snapshot, why: string): Observation {
  return {
    ...subject(endpoint, alertName),
    state: 'clear',
    resolution: 'clear',
    why,
    startsAt: null,
    endedAt: snapshot.collectedAt,
  };
}

/** What a snapshot says of a rule. */
type RuleFinding =
  | { state: 'breached'; text: string; labels: Record<string, string> }
  | { state: 'clear'; text: string }
  /** Neither above the line nor below the clearing line. */
  | { state: 'between'; text: string }
  /** Not measured: says nothing. */
  | { state: 'unknown' };

export function findingOf(rule: AlertRule, snapshot: Snapshot, values = measures(snapshot)): RuleFinding {
  if ('unreachable' in rule) {
    return snapshot.reachable
      ? { state: 'clear', text: 'it answers again' }
      : { state: 'breached', text: `it does not answer: ${snapshot.unreachableReason}`, labels: {} };
  }
  const value = values[rule.measure];
  if (value === null) return { state: 'unknown' };
  if (value > rule.above) {
    return {
      state: 'breached',
      text: breachText(rule.measure, value, rule.above, snapshot),
      labels: labelsOf(rule.measure, snapshot),
    };
  }
  const text = `${MEASURE_NAMES[rule.measure]}: ${amount(rule.measure, value)}`;
  return value <= rule.clear
    ? { state: 'clear', text: `${text}, back to normal` }
    : { state: 'between', text: `${text}, not below ${amount(rule.measure, rule.clear)} again` };
}

/** What a remediation may fill into its parameters. */
function labelsOf(measure: Measure, snapshot: Snapshot): Record<string, string> {
  const [service] = snapshot.servicesDown ?? [];
  if (measure === 'services_down' && service !== undefined) return { service };
  if (measure === 'disk_pct' && snapshot.diskMount !== null) return { mountpoint: snapshot.diskMount };
  return {};
}

const MEASURE_NAMES: Record<Measure, string> = {
  cpu_pct: 'CPU',
  memory_pct: 'memory',
  disk_pct: 'disk',
  latency_ms: 'network latency',
  packet_loss_pct: 'packet loss',
  dns_failure_pct: 'failed DNS look-ups',
  services_down: 'services down',
  log_errors: 'log errors since the last scan',
};

/** Whole numbers, so that a value that barely moves does not rewrite the alert at every scan. */
function amount(measure: Measure, value: number): string {
  if (measure === 'latency_ms') return `${Math.round(value)} ms`;
  return measure.endsWith('_pct') ? `${Math.round(value)} %` : `${Math.round(value)}`;
}

function breachText(measure: Measure, value: number, above: number, snapshot: Snapshot): string {
  if (measure === 'services_down') return `down: ${(snapshot.servicesDown ?? []).slice(0, 20).join(', ')}`;
  const where = measure === 'disk_pct' && snapshot.diskMount ? ` ${snapshot.diskMount}` : '';
  return `${MEASURE_NAMES[measure]}${where}: ${amount(measure, value)}, above ${amount(measure, above)}`;
}

function lowScoreText({ score, deductions }: Pick<Score, 'score' | 'deductions'>, line: number): string {
  const worst = deductions.toSorted((a, b) => b.points - a.points).slice(0, 3);
  const reasons = worst.map(({ reason }) => reason).join('; ');
  return `the score is ${round1(score)}, ${score < line ? 'below' : 'at'} ${line}${reasons ? `: ${reasons}` : ''}`;
}
