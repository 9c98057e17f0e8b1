/** Which alerts one scan raises and clears: the score's own, and one for each measurement that has a rule. */

import type { Endpoint } from '../fleet/endpoint.ts';
import { crosses, type Guards, guardsHold, type Judged, type Line, numbersInScope } from '../scores/conditions.ts';
import { breachText, levelText, namesOf } from '../scores/findingText.ts';
import { round1, type Score, type ScoreRules, type ScoreThresholds } from '../scores/score.ts';
import { declarationOf } from '../signals/catalogue.ts';
import type { Subject } from '../signals/declaration.ts';
import { amount, labelOf, type Measure, type MeasuredNumber, signalOf } from '../signals/measures.ts';
import type { Snapshot } from '../signals/telemetry.ts';
import { localTime } from '../time/localTime.ts';
import type { Alert, Severity } from './alert.ts';
import type { Observation } from './alertMoves.ts';

/** When a measurement, or silence, raises an alert by itself; `for` counts scans in a row. */
export type AlertRule = {
  name: string;
  for: number;
  severity: Severity;
  /** True: raised at working hours only; what was raised before stays. */
  workingHours?: boolean;
} & (MeasureRule | { unreachable: true });

/** The line strictly beyond which a measure breaches, and the one at which it ends; the gap keeps a wavering value from flapping. */
type MeasureRule = { measure: Measure; clear: number } & Line & Guards;

/** When people work, in their time zone; hours of the day as minutes. */
interface WorkingHours {
  /** 0 is Sunday. */
  days: number[];
  fromMinute: number;
  toMinute: number;
  /** A name of the IANA list, as `Europe/Berlin`. */
  timeZone: string;
}

/** What `dex_score.yaml` says: how scores are made, and which measurements raise alerts by themselves. */
export type ScoreConfig = ScoreRules & { alerts: AlertRule[]; workingHours: WorkingHours };

export const LOW_SCORE = 'LowDexScore';

/** The series by which scans speak of any alert. */
export const SCAN_SERIES = 'scan';

interface MeasurementFindings {
  /** Consecutive scans each rule has been breached, by alert name; rules that are not breached are absent. */
  breaches: Record<string, number>;
  observations: Observation[];
}

/** What of a snapshot rules read. */
type Judgeable = Pick<Snapshot, 'collectedAt' | 'readings' | 'reachable' | 'unreachableReason'>;
/** What of an open alert they read. */
type Held = Pick<Alert, 'alertName' | 'series'>;

/** What a snapshot says of each rule, in the rules' order. */
export function findingsOf(
  { alerts }: Pick<ScoreConfig, 'alerts'>,
  snapshot: Judgeable,
  osPlatform: Judged['osPlatform'],
): RuleFinding[] {
  return alerts.map((rule) => findingOf(rule, snapshot, osPlatform));
}

/**
 * What the findings of a scan say of alerts.
 * @param findings of each rule, in the rules' order
 * @param open the endpoint's open alerts; only those can be cleared
 */
export function judgeMeasurements(
  endpoint: Pick<Endpoint, 'id' | 'hostname' | 'breaches'>,
  collectedAt: Date,
  findings: readonly RuleFinding[],
  open: readonly Held[],
  { alerts: rules, workingHours }: Pick<ScoreConfig, 'alerts' | 'workingHours'>,
): MeasurementFindings {
  const breaches: Record<string, number> = {};
  const observations: Observation[] = [];
  const held = open.length === 0 ? NONE_HELD : heldByScans(open);
  for (let place = 0; place < rules.length; place++) {
    const rule = rules[place] as AlertRule;
    const finding = findings[place] as RuleFinding;
    const before = endpoint.breaches[rule.name] ?? 0;
    const count = finding.state === 'breached' ? before + 1 : finding.state === 'unknown' ? before : 0;
    if (count > 0) breaches[rule.name] = count;
    if (finding.state === 'breached' && count >= rule.for) {
      const mayRaise = !rule.workingHours || held.has(rule.name) || isWorkingTime(collectedAt, workingHours);
      if (!mayRaise) continue;
      observations.push({
        ...subject(endpoint, rule.name),
        state: 'firing',
        alertType: 'metric',
        severity: rule.severity,
        message: finding.text,
        labels: finding.labels,
        startsAt: null,
      });
    }
    if (finding.state === 'clear' && held.has(rule.name)) {
      observations.push(cleared(endpoint, rule.name, collectedAt, finding.text));
    }
  }
  if (held.size > 0) {
    const raisable = new Set([LOW_SCORE, ...rules.map(({ name }) => name)]);
    for (const alertName of held) {
      if (!raisable.has(alertName)) {
        observations.push(cleared(endpoint, alertName, collectedAt, 'no rule raises this alert any more'));
      }
    }
  }
  return { breaches, observations };
}

/** What the score says of its own alert; without a score, nothing. On the warning line an open alert stays, as a warning. */
export function judgeScore(
  endpoint: Pick<Endpoint, 'id' | 'hostname'>,
  collectedAt: Date,
  score: Pick<Score, 'score' | 'status' | 'deductions'> | null,
  open: readonly Held[],
  thresholds: ScoreThresholds,
): Observation[] {
  // What is known of too little of the machine is no verdict.
  if (score === null || score.status === 'unknown') return [];
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
  return [cleared(endpoint, LOW_SCORE, collectedAt, `the score is ${score.score}, above ${thresholds.warning}`)];
}

const NONE_HELD: ReadonlySet<string> = new Set();

function heldByScans(open: readonly Held[]): Set<string> {
  return new Set(open.filter(({ series }) => series.includes(SCAN_SERIES)).map(({ alertName }) => alertName));
}

function subject({ id, hostname }: Pick<Endpoint, 'id' | 'hostname'>, alertName: string) {
  return { endpointId: id, hostname, alertName, series: SCAN_SERIES };
}

function cleared(
  endpoint: Pick<Endpoint, 'id' | 'hostname'>,
  alertName: string,
  collectedAt: Date,
  why: string,
): Observation {
  return {
    ...subject(endpoint, alertName),
    state: 'clear',
    resolution: 'clear',
    why,
    startsAt: null,
    endedAt: collectedAt,
  };
}

/** What a snapshot says of a rule. */
export type RuleFinding =
  | { state: 'breached'; text: string; labels: Record<string, string> }
  | { state: 'clear'; text: string }
  /** Neither above the line nor below the clearing line. */
  | { state: 'between'; text: string }
  /** Not measured: says nothing. */
  | { state: 'unknown' };

export function findingOf(rule: AlertRule, snapshot: Judgeable, osPlatform: Judged['osPlatform']): RuleFinding {
  if ('unreachable' in rule) {
    return snapshot.reachable
      ? { state: 'clear', text: 'it answers again' }
      : { state: 'breached', text: `it does not answer: ${snapshot.unreachableReason}`, labels: {} };
  }
  const { measure } = rule;
  const judged = { snapshot, osPlatform };
  const numbers = numbersInScope(rule, judged);
  if (numbers === null) return { state: 'unknown' };
  const side = 'above' in rule ? 1 : -1;
  const worstFirst = numbers.toSorted((a, b) => side * (b.value - a.value));
  const states = worstFirst.map((number) => ({ number, state: itemState(rule, number, judged) }));
  const breached = states.flatMap(({ number, state }) => (state === 'breached' ? [number] : []));
  if (breached.length > 0) {
    return {
      state: 'breached',
      text: breachText(measure, breached, rule, snapshot),
      labels: labelsOf(measure, breached[0] as MeasuredNumber, snapshot),
    };
  }
  if (states.some(({ state }) => state === 'unknown')) return { state: 'unknown' };
  const open = states.find(({ state }) => state === 'between');
  if (open) {
    const back = 'above' in rule ? 'not below' : 'not above';
    return {
      state: 'between',
      text: `${levelText(measure, open.number)}, ${back} ${amount(measure, rule.clear, 0)} again`,
    };
  }
  const worst = worstFirst[0];
  return { state: 'clear', text: `${worst ? levelText(measure, worst) : labelOf(measure)}, back to normal` };
}

function itemState(rule: MeasureRule, { item, value }: MeasuredNumber, judged: Judged): RuleFinding['state'] {
  const guards = guardsHold(rule.measure, rule, item, judged);
  if (guards === 'no') return 'clear';
  if (crosses(value, rule)) return guards === 'yes' ? 'breached' : 'unknown';
  return ('above' in rule ? value <= rule.clear : value >= rule.clear) ? 'clear' : 'between';
}

/** Labels by which remediations and people know an item. */
const ITEM_LABELS: Partial<Record<Subject, string>> = {
  mount: 'mountpoint',
  disk: 'disk',
  adapter: 'adapter',
  battery: 'battery',
  program: 'program',
};

/** What a remediation may fill into its parameters. */
function labelsOf(measure: Measure, { item }: MeasuredNumber, snapshot: Judgeable): Record<string, string> {
  const signal = signalOf(measure);
  const [service] = signal === 'servicesDown' ? (namesOf(snapshot, measure) ?? []) : [];
  if (service !== undefined) return { service };
  const label = ITEM_LABELS[declarationOf(signal).per];
  return label !== undefined && item !== null ? { [label]: item } : {};
}

/** Whether a moment lies in the working hours, which may not pass midnight. */
function isWorkingTime(at: Date, { days, fromMinute, toMinute, timeZone }: WorkingHours): boolean {
  const { weekday, hour, minute } = localTime(at, timeZone);
  const minuteOfDay = hour * 60 + minute;
  return days.includes(weekday) && minuteOfDay >= fromMinute && minuteOfDay < toMinute;
}

function lowScoreText({ score, deductions }: Pick<Score, 'score' | 'deductions'>, line: number): string {
  const worst = deductions.toSorted((a, b) => b.points - a.points).slice(0, 3);
  const reasons = worst.map(({ reason }) => reason).join('; ');
  return `the score is ${round1(score)}, ${score < line ? 'below' : 'at'} ${line}${reasons ? `: ${reasons}` : ''}`;
}
