/** The DEX score: from one snapshot and the rules in config/dex_score.yaml to 0–100, with every reason named. */
import type { ScoreStatus } from '../fleet/endpoint.ts';
import { declarationOf } from '../signals/catalogue.ts';
import { amount, labelOf, type Measure, type MeasuredNumber, signalOf } from '../signals/measures.ts';
import { crosses, type Guards, guardsHold, type Judged, type Line, numbersInScope } from './conditions.ts';
import { lineText, reasonText } from './findingText.ts';

export const COMPONENTS = ['device', 'network', 'app', 'remediation'] as const;
export type Component = (typeof COMPONENTS)[number];

/** Points are lost by the highest step exceeded (strictly), or `pointsPerUnit` times the value; of several items by the worst. */
export interface DeductionRule extends Guards {
  measure: Measure;
  steps?: (Line & Pick<Guards, 'and' | 'unless'> & { points: number })[];
  pointsPerUnit?: number;
}

/** A ceiling on the whole score, so that good averages cannot hide one thing that stops work. */
export interface CapRule {
  when: ({ measure: Measure } & Line & Guards) | { componentAtMost: number };
  /** A number, or the line of that name: the score is then held below it. */
  cap: number | keyof ScoreThresholds;
}

type Weights = Record<Component, number>;

export interface ScoreRules {
  weights: Weights;
  /** Weights of personas for whom something else matters more. */
  personaWeights: Partial<Record<string, Weights>>;
  deductions: Record<Exclude<Component, 'remediation'>, DeductionRule[]>;
  capsEnabled: boolean;
  caps: CapRule[];
}

/** Scores below `warning` are at risk, below `critical` critical. */
export interface ScoreThresholds {
  warning: number;
  critical: number;
}

export interface Deduction {
  component: Component;
  /** A measure of the catalogue, or `alerts_resolved_pct`. */
  measure: Measure;
  value: number;
  points: number;
  reason: string;
}

export interface AppliedCap {
  cap: number;
  reason: string;
}

/** What one cause costs in the whole score; taking it away would raise the score by `gain`. */
export interface Improvement {
  measure: Deduction['measure'];
  gain: number;
  reason: string;
}

export interface Score {
  /** 0–100, one decimal. */
  score: number;
  status: ScoreStatus;
  /** 0–100 each; null where nothing of the component was measured. */
  components: Record<Component, number | null>;
  /** Share of the weight that was measured, 0–1, by the operations guide's signals. */
  coverage: number;
  deductions: Deduction[];
  /** The caps that hold, whether or not they lower this score. */
  caps: AppliedCap[];
  /** Causes by what removing each alone would gain, largest first. */
  improvements: Improvement[];
}

/** Alerts of an endpoint in the window the remediation component considers. */
export interface RemediationRecord {
  total: number;
  resolved: number;
}

/** The window of the remediation component, in days. */
export const REMEDIATION_WINDOW_DAYS = 7;

/** Below this share of the weight a number is no verdict. */
const VERDICT_FROM_COVERAGE = 0.5;

/** Whom a score is for: the persona chooses the weights, the system the rules. */
interface ScoredSubject extends Judged {
  persona: string;
}

/**
 * Scores one snapshot.
 *
 * Each component starts at 100 and loses the points of its deductions (operations guide, "Understanding DEX Scores");
 * components with nothing measured are left out and the rest re-weighted. Remediation is the share of the last
 * days' alerts that were resolved and cannot make a score alone.
 *
 * @returns null when the snapshot has no telemetry that any rule reads.
 */
export function scoreSnapshot(
  subject: ScoredSubject,
  remediation: RemediationRecord,
  rules: ScoreRules,
  thresholds: ScoreThresholds,
): Score | null {
  const weights = rules.personaWeights[subject.persona] ?? rules.weights;
  const readings = COMPONENTS.map((component) => readComponent(component, rules, subject));
  if (!readings.some(({ isMeasured }) => isMeasured)) return null;
  const deductions = [...readings.flatMap(({ deductions }) => deductions), ...remediationDeductions(remediation)];
  const measured = new Set(readings.flatMap(({ component, isMeasured }) => (isMeasured ? [component] : [])));
  measured.add('remediation');

  const evaluate = (without: Measure | null) =>
    total(deductions, { subject, measured, weights, rules, thresholds, without });
  const { score, components, caps } = evaluate(null);
  const improvements = [...new Map([...caps, ...deductions].map((cause) => [cause.measure, cause]))]
    .flatMap(([measure, { reason }]) => {
      const gain = measure === null ? 0 : round1(evaluate(measure).score - score);
      return measure === null || gain <= 0 ? [] : [{ measure, gain, reason: reason.replace(HELD, '') }];
    })
    .sort((a, b) => b.gain - a.gain);

  const weightSum = COMPONENTS.reduce((sum, component) => sum + weights[component], 0);
  const known = readings.reduce((sum, { component, share }) => sum + weights[component] * share, weights.remediation);
  const coverage = Math.round((known / weightSum) * 1000) / 1000;
  return {
    score,
    status: coverage < VERDICT_FROM_COVERAGE ? 'unknown' : scoreStatus(score, thresholds),
    components,
    coverage,
    deductions,
    caps: caps.map(({ cap, reason }) => ({ cap, reason })),
    improvements,
  };
}

/** Healthy above the warning line, critical below the critical line (the guide's table). */
function scoreStatus(score: number | null, thresholds: ScoreThresholds): ScoreStatus {
  if (score === null) return 'unknown';
  if (score < thresholds.critical) return 'critical';
  return score > thresholds.warning ? 'healthy' : 'at_risk';
}

interface ComponentReading {
  component: Component;
  deductions: Deduction[];
  isMeasured: boolean;
  /** Share of the guide's signals of this component that were measured, 0–1. */
  share: number;
}

function readComponent(component: Component, rules: ScoreRules, subject: Judged): ComponentReading {
  const reading: ComponentReading = { component, deductions: [], isMeasured: false, share: 0 };
  if (component === 'remediation') return reading;
  let guide = 0;
  let guideMeasured = 0;
  for (const rule of rules.deductions[component]) {
    const numbers = numbersInScope(rule, subject);
    const isGuides = declarationOf(signalOf(rule.measure)).guide === true;
    if (isGuides) guide++;
    if (numbers === null) continue;
    if (isGuides) guideMeasured++;
    reading.isMeasured = true;
    const lost = numbers.flatMap((number) => deduct(component, rule, number, subject));
    const worst = lost.sort((a, b) => b.points - a.points)[0];
    if (worst) reading.deductions.push(worst);
  }
  reading.share = guide === 0 ? 0 : guideMeasured / guide;
  return reading;
}

function deduct(component: Component, rule: DeductionRule, number: MeasuredNumber, subject: Judged): Deduction[] {
  const { measure } = rule;
  const { item, value } = number;
  if (guardsHold(measure, rule, item, subject) !== 'yes') return [];
  const step = rule.steps
    ?.filter((each) => crosses(value, each) && guardsHold(measure, each, item, subject) === 'yes')
    .sort((a, b) => b.points - a.points)[0];
  const points = step?.points ?? (rule.pointsPerUnit ?? 0) * value;
  if (points <= 0) return [];
  const reason = reasonText(measure, number, step ?? null, subject.snapshot);
  return [{ component, measure, value: round1(value), points, reason }];
}

function remediationDeductions({ total: alerts, resolved }: RemediationRecord): Deduction[] {
  if (alerts === 0 || resolved >= alerts) return [];
  const value = round1((resolved / alerts) * 100);
  return [
    {
      component: 'remediation',
      measure: 'alerts_resolved_pct',
      value,
      points: round1(100 - value),
      reason: `${resolved} of ${alerts} alerts of the last ${REMEDIATION_WINDOW_DAYS} days are resolved`,
    },
  ];
}

interface Evaluation {
  subject: Judged;
  measured: ReadonlySet<Component>;
  weights: Weights;
  rules: ScoreRules;
  thresholds: ScoreThresholds;
  /** A measure that is taken to be in order; null for none. */
  without: Measure | null;
}

interface CausedCap extends AppliedCap {
  /** What causes it; null for a whole component. */
  measure: Measure | null;
}

function total(
  deductions: Deduction[],
  { subject, measured, weights, rules, thresholds, without }: Evaluation,
): { score: number; components: Score['components']; caps: CausedCap[] } {
  const kept = deductions.filter(({ measure }) => measure !== without);
  const components = Object.fromEntries(
    COMPONENTS.map((component) => {
      const lost = kept.reduce((sum, d) => (d.component === component ? sum + d.points : sum), 0);
      return [component, measured.has(component) ? Math.max(0, round1(100 - lost)) : null];
    }),
  ) as Record<Component, number | null>;

  const counted = COMPONENTS.filter((component) => components[component] !== null);
  const weight = counted.reduce((sum, component) => sum + weights[component], 0);
  const mean = weight === 0 ? 0 : counted.reduce((sum, c) => sum + weights[c] * (components[c] ?? 0), 0) / weight;
  const caps = rules.capsEnabled
    ? rules.caps.flatMap((rule) => applyCap(rule, subject, components, thresholds, without))
    : [];
  return { score: round1(Math.min(mean, ...caps.map(({ cap }) => cap))), components, caps };
}

/** How far below the line that it is named after a cap holds the score: on the line would not be past it. */
const BELOW_LINE = 1;
const HELD = /: the score is held to [\d.]+$/;

function applyCap(
  rule: CapRule,
  subject: Judged,
  components: Score['components'],
  thresholds: ScoreThresholds,
  without: Measure | null,
): CausedCap[] {
  const cap = typeof rule.cap === 'number' ? rule.cap : Math.max(0, thresholds[rule.cap] - BELOW_LINE);
  const held = `the score is held to ${cap}`;
  if ('componentAtMost' in rule.when) {
    const limit = rule.when.componentAtMost;
    // Remediation at zero says that people are slow, not that the machine is broken.
    return COMPONENTS.flatMap((component) => {
      const value = components[component];
      if (component === 'remediation' || value === null || value > limit) return [];
      return [{ cap, measure: null, reason: `${component} is at ${value === 0 ? 'zero' : value}: ${held}` }];
    });
  }
  const { when } = rule;
  if (when.measure === without) return [];
  const number = numbersInScope(when, subject)?.find(
    ({ item, value }) => crosses(value, when) && guardsHold(when.measure, when, item, subject) === 'yes',
  );
  return number ? [{ cap, measure: when.measure, reason: `${capText(when, number, subject)}: ${held}` }] : [];
}

function capText(when: { measure: Measure } & Line, number: MeasuredNumber, { snapshot }: Judged): string {
  if (declarationOf(signalOf(when.measure)).kind !== 'number') return reasonText(when.measure, number, when, snapshot);
  const what = number.item === null ? labelOf(when.measure) : `${labelOf(when.measure)} ${number.item}`;
  return `${what} is ${amount(when.measure, number.value)}, ${lineText(when.measure, when)}`;
}

export function round1(value: number): number {
  return Math.round(value * 10) / 10;
}
