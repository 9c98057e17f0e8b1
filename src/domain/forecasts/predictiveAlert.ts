/** Decides when a trend deserves an alert, and keeps that decision from flapping from hour to hour. */
import type { Trend } from './trend.ts';
import { TREND_RULES, type TrendMetric, type TrendRules } from './trendRules.ts';

export const PREDICTIVE_ALERT_NAMES = {
  diskPct: 'DiskFull',
  memoryPct: 'MemoryLeak',
  cpuPct: 'SustainedHighCPU',
} as const satisfies Record<TrendMetric, string>;
export type PredictiveAlertName = (typeof PREDICTIVE_ALERT_NAMES)[TrendMetric];

export interface PredictiveAlert {
  alertName: PredictiveAlertName;
  severity: 'warning' | 'critical';
  /** As people say it: "about 3 days", "now". */
  predictedTimeToImpact: string;
  predictedTimeToImpactHours: number;
  /** The value is at the limit already: the prediction is confirmed, and the alert stays as the real one. */
  reached: boolean;
}

/** What is remembered of the alert that stands for the metric, if one does. */
export interface OpenPrediction {
  severity: 'warning' | 'critical';
  /** When it was raised. */
  raisedAt: Date;
  /** What the last check said; kept while a check cannot tell. */
  predictedTimeToImpact: string;
  predictedTimeToImpactHours: number;
}

/** A current alert holds until its prediction is this much further away than where it would be raised. */
export const HOLD_FACTOR = 1.5;

/**
 * The alert that should stand after this check, or null for none.
 *
 * Raised when even the slow end of the interval reaches the limit within the horizon (`timeToImpactHighHours`), critical
 * within `criticalHours`. Once it stands it takes more to go: it holds while the fitted time stays within 1.5 × the
 * horizon and the slope's low end is not negative, through missing data, and (critical) within 1.5 × the critical span. A
 * fall of the level after it was raised ends it at once. A metric at its limit without a current prediction is left to
 * the threshold rules.
 */
export function predictiveAlert(
  trend: Trend,
  standing: OpenPrediction | null = null,
  rules: TrendRules = TREND_RULES[trend.metric],
): PredictiveAlert | null {
  const alertName = PREDICTIVE_ALERT_NAMES[trend.metric];
  const expected = trend.timeToImpactHours;
  if (trend.reached) {
    if (standing === null) return null;
    return {
      alertName,
      severity: 'critical',
      predictedTimeToImpact: 'now',
      predictedTimeToImpactHours: 0,
      reached: true,
    };
  }
  if (standing !== null && trend.status === 'insufficient_data') {
    const restarted = trend.segmentStartedAt !== null && trend.segmentStartedAt > standing.raisedAt;
    if (restarted) return null;
    return {
      alertName,
      severity: standing.severity,
      predictedTimeToImpact: standing.predictedTimeToImpact,
      predictedTimeToImpactHours: standing.predictedTimeToImpactHours,
      reached: false,
    };
  }
  if (expected === null) return null;
  const latest = trend.timeToImpactHighHours;
  const raises = trend.status === 'alert';
  const holds =
    standing !== null &&
    trend.status === 'rising' &&
    !trend.knownTerritory &&
    expected <= HOLD_FACTOR * rules.horizonHours;
  if (!raises && !holds) return null;
  const critical =
    (latest !== null && latest <= rules.criticalHours) ||
    (standing?.severity === 'critical' && expected <= HOLD_FACTOR * rules.criticalHours);
  return {
    alertName,
    severity: critical ? 'critical' : 'warning',
    predictedTimeToImpact: trend.timeToImpactText ?? '',
    predictedTimeToImpactHours: expected,
    reached: false,
  };
}
