/** What a new scan of an endpoint proves about a problem after a remediation, compared with the scan before it. */
import { type AlertRule, findingOf } from '../alerts/alertRules.ts';
import { HOLD_FACTOR } from '../forecasts/predictiveAlert.ts';
import { median } from '../forecasts/robustFit.ts';
import { resetThreshold, type SeriesPoint, thin, tidy } from '../forecasts/seriesShape.ts';
import { TREND_RULES, type TrendMetric } from '../forecasts/trendRules.ts';
import type { OsPlatform } from '../signals/declaration.ts';
import type { Snapshot } from '../signals/telemetry.ts';

/** `unknown`: the scan proves nothing, and the problem's own source has to report it. */
export type Proof = { finding: 'over' | 'holds'; text: string } | { finding: 'unknown' };

const UNKNOWN: Proof = { finding: 'unknown' };

/**
 * What a rule of ours proves about a problem that another source reported. Only a measurement that was over its line before
 * the fix measures that problem at all; then it proves as much as the source's own report.
 */
export function ruleProof(rule: AlertRule, before: Snapshot, after: Snapshot, osPlatform: OsPlatform): Proof {
  if (findingOf(rule, before, osPlatform).state !== 'breached') return UNKNOWN;
  const now = findingOf(rule, after, osPlatform);
  switch (now.state) {
    case 'unknown':
      return UNKNOWN;
    case 'clear':
      return { finding: 'over', text: now.text };
    case 'breached':
    case 'between':
      return { finding: 'holds', text: now.text };
  }
}

/** The level before a fix is the median of the last hours, as resets are found. */
const LEVEL_HOURS = 3;

/**
 * What a measurement proves about a predicted problem. It is over when the level fell as far as a reset does (see
 * `findResets`), or when at the pace that was predicted the limit is now further away than a current prediction may be.
 *
 * @param history of the metric until the fix, in time order
 * @param slopePerHour the pace that was predicted, percentage points
 * @param after what was measured after the fix
 */
export function forecastProof(
  metric: TrendMetric,
  history: readonly SeriesPoint[],
  slopePerHour: number,
  after: number | null,
): Proof {
  const last = history.at(-1);
  if (after === null || last === undefined) return UNKNOWN;
  const { limitPct, horizonHours, lookbackHours } = TREND_RULES[metric];
  const hourly = thin(tidy(history, last.atMs, lookbackHours), 1);
  if (hourly.values.length < LEVEL_HOURS) return UNKNOWN;
  const before = median(hourly.values.slice(-LEVEL_HOURS));
  const levels = `at ${Math.round(after)} % after ${Math.round(before)} %`;
  if (before - after >= resetThreshold(hourly)) return { finding: 'over', text: `fell: ${levels}` };
  const hoursLeft = slopePerHour > 0 ? (limitPct - after) / slopePerHour : Number.POSITIVE_INFINITY;
  return hoursLeft > HOLD_FACTOR * horizonHours
    ? { finding: 'over', text: `${levels}, far from ${limitPct} % now` }
    : { finding: 'holds', text: `${levels}, still heading for ${limitPct} %` };
}
