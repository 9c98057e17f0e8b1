/** The DEX score: from one snapshot and the rules in config/dex_score.yaml to 0–100, with every reason named. */
import type { ScoreStatus } from '../fleet/endpoint.ts';
import type { Snapshot } from '../signals/telemetry.ts';

export const COMPONENTS = ['device', 'network', 'app', 'remediation'] as const;
export type Component = (typeof COMPONENTS)[number];

/** The numbers that score rules may name; each is derived from a snapshot by `measures`. */
export const MEASURES = [
  'cpu_pct',
  'memory_pct',
  'disk_pct',
  'latency_ms',
  'packet_loss_pct',
  'dns_failure_pct',
  'services_down',
  'log_errors',
] as const;
export type Measure = (typeof MEASURES)[number];
type Measures = Record<Measure, number | null>;

/** Points are lost by the highest step exceeded (strictly), or `pointsPerUnit` times the value. */
interface DeductionRule {
  measure: Measure;
  steps?: { above: number; points: number }[];
  pointsPerUnit?: number;
}

/** A ceiling on the whole score, so that good averages cannot hide one thing that stops work. */
export interface CapRule {
  when: { measure: Measure; above: number } | { componentAtZero: true };
  /** A number, or the alert line of that name. */
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
  measure: Measure | 'alerts_resolved_pct';
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
  /** Share of the weight that was measured, 0–1. */
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

/** The numbers in a snapshot that rules may name; null where not measured. */
export function measures(snapshot: Snapshot): Measures {
  return {
    cpu_pct: snapshot.cpuPct,
    memory_pct: snapshot.memoryPct,
    disk_pct: snapshot.diskPct,
    latency_ms: snapshot.latencyMs,
    packet_loss_pct: snapshot.packetLossPct,
    dns_failure_pct: dnsFailurePct(snapshot),
    services_down: snapshot.servicesDown === null ? null : snapshot.servicesDown.length,
    log_errors: snapshot.logErrors,
  };
}

function dnsFailurePct({ dnsFailures, dnsLookups }: Snapshot): number | null {
  if (dnsFailures === null || dnsLookups === null || dnsLookups === 0) return null;
  return (dnsFailures / dnsLookups) * 100;
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
  snapshot: Snapshot,
  remediation: RemediationRecord,
  rules: ScoreRules,
  thresholds: ScoreThresholds,
  persona: string,
): Score | null {
  const values = measures(snapshot);
  const weights = rules.personaWeights[persona] ?? rules.weights;
  const deductions = [
    ...COMPONENTS.flatMap((component) =>
      component === 'remediation'
        ? remediationDeductions(remediation)
        : rules.deductions[component].flatMap((rule) => deduct(component, rule, values[rule.measure], snapshot)),
    ),
  ];
  const measured = measuredShare(values, rules);
  if (measured.device + measured.network + measured.app === 0) return null;

  const evaluate = (kept: Deduction[]) => total(kept, values, measured, weights, rules, thresholds);
  const { score, components, caps } = evaluate(deductions);
  const improvements = deductions
    .map((deduction) => {
      const others = deductions.filter((other) => other !== deduction);
      const healed = { ...values, [deduction.measure]: 0 };
      const gain = round1(total(others, healed, measured, weights, rules, thresholds).score - score);
      return { measure: deduction.measure, gain, reason: deduction.reason };
    })
    .filter(({ gain }) => gain > 0)
    .sort((a, b) => b.gain - a.gain);

  const weightSum = COMPONENTS.reduce((sum, component) => sum + weights[component], 0);
  const coverage = COMPONENTS.reduce((sum, component) => sum + weights[component] * measured[component], 0) / weightSum;
  return {
    score,
    status: scoreStatus(score, thresholds),
    components,
    coverage: Math.round(coverage * 1000) / 1000,
    deductions,
    caps,
    improvements,
  };
}

/** Healthy above the warning line, critical below the critical line (the guide's table). */
function scoreStatus(score: number | null, thresholds: ScoreThresholds): ScoreStatus {
  if (score === null) return 'unknown';
  if (score < thresholds.critical) return 'critical';
  return score > thresholds.warning ? 'healthy' : 'at_risk';
}

function deduct(component: Component, rule: DeductionRule, value: number | null, snapshot: Snapshot): Deduction[] {
  if (value === null) return [];
  const step = rule.steps?.filter(({ above }) => value > above).sort((a, b) => b.points - a.points)[0];
  const points = step?.points ?? (rule.pointsPerUnit ?? 0) * value;
  if (points <= 0) return [];
  return [
    {
      component,
      measure: rule.measure,
      value: round1(value),
      points,
      reason: reasonFor(rule, value, snapshot, step?.above),
    },
  ];
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

/** Share of each component's measures that was measured, 0–1; remediation is always known. */
function measuredShare(values: Measures, rules: ScoreRules): Record<Component, number> {
  const share = (wanted: DeductionRule[]) =>
    wanted.length === 0 ? 0 : wanted.filter(({ measure }) => values[measure] !== null).length / wanted.length;
  return {
    device: share(rules.deductions.device),
    network: share(rules.deductions.network),
    app: share(rules.deductions.app),
    remediation: 1,
  };
}

function total(
  deductions: Deduction[],
  values: Measures,
  measured: Record<Component, number>,
  weights: Weights,
  rules: ScoreRules,
  thresholds: ScoreThresholds,
): Pick<Score, 'score' | 'components' | 'caps'> {
  const components = Object.fromEntries(
    COMPONENTS.map((component) => {
      const lost = deductions.reduce((sum, d) => (d.component === component ? sum + d.points : sum), 0);
      return [component, measured[component] === 0 ? null : Math.max(0, round1(100 - lost))];
    }),
  ) as Record<Component, number | null>;

  const counted = COMPONENTS.filter((component) => components[component] !== null);
  const weight = counted.reduce((sum, component) => sum + weights[component], 0);
  const mean = weight === 0 ? 0 : counted.reduce((sum, c) => sum + weights[c] * (components[c] ?? 0), 0) / weight;
  const caps = rules.capsEnabled ? rules.caps.flatMap((rule) => applyCap(rule, values, components, thresholds)) : [];
  return { score: round1(Math.min(mean, ...caps.map(({ cap }) => cap))), components, caps };
}

function applyCap(
  rule: CapRule,
  values: Measures,
  components: Score['components'],
  thresholds: ScoreThresholds,
): AppliedCap[] {
  const cap = typeof rule.cap === 'number' ? rule.cap : thresholds[rule.cap];
  if ('componentAtZero' in rule.when) {
    // Remediation at zero says that people are slow, not that the machine is broken.
    return COMPONENTS.filter((component) => component !== 'remediation' && components[component] === 0).map(
      (component) => ({
        cap,
        reason: `${component} is at zero: the score is held to ${cap}`,
      }),
    );
  }
  const { measure, above } = rule.when;
  const value = values[measure];
  if (value === null || value <= above) return [];
  return [
    {
      cap,
      reason: `${MEASURE_WORDS[measure]} is ${amount(measure, value)}, above ${amount(measure, above)}: the score is held to ${cap}`,
    },
  ];
}

const MEASURE_WORDS: Record<Measure, string> = {
  cpu_pct: 'CPU',
  memory_pct: 'memory',
  disk_pct: 'the fullest disk',
  latency_ms: 'network latency',
  packet_loss_pct: 'packet loss',
  dns_failure_pct: 'the share of failed DNS look-ups',
  services_down: 'the number of services down',
  log_errors: 'the number of log errors',
};

function amount(measure: Measure, value: number): string {
  if (measure.endsWith('_pct')) return `${round1(value)} %`;
  return measure === 'latency_ms' ? `${Math.round(value)} ms` : `${round1(value)}`;
}

function reasonFor(rule: DeductionRule, value: number, snapshot: Snapshot, above: number | undefined): string {
  const limit = above === undefined ? '' : ` (above ${amount(rule.measure, above)})`;
  switch (rule.measure) {
    case 'disk_pct':
      return `disk ${snapshot.diskMount ?? ''} is ${amount('disk_pct', value)} full${limit}`.replace('  ', ' ');
    case 'dns_failure_pct':
      return `${snapshot.dnsFailures} of ${snapshot.dnsLookups} DNS look-ups failed`;
    case 'services_down':
      return `${value === 1 ? 'service' : 'services'} down: ${snapshot.servicesDown?.slice(0, 10).join(', ')}`;
    case 'log_errors':
      return `${value} errors in the log since the last scan${limit}`;
    default:
      return `${MEASURE_WORDS[rule.measure]} is ${amount(rule.measure, value)}${limit}`;
  }
}

export function round1(value: number): number {
  return Math.round(value * 10) / 10;
}
