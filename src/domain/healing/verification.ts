/** What a new look at an endpoint proves about a trouble after a remediation, compared with the look before it. */
import { type AlertRule, findingOf } from '../alerts/alertRules.ts';
import { HOLD_FACTOR } from '../forecasts/predictiveAlert.ts';
import { median } from '../forecasts/robustFit.ts';
import { resetThreshold, type SeriesPoint, thin, tidy } from '../forecasts/seriesShape.ts';
import { TREND_RULES, type TrendMetric } from '../forecasts/trendRules.ts';
import type { OsPlatform } from '../signals/declaration.ts';
import type { Snapshot } from '../signals/telemetry.ts';

/** `unknown`: the look proves nothing, and the trouble's own source has to say. */
export type Proof = { finding: 'over' | 'holds'; words: string } | { finding: 'unknown' };

const UNKNOWN: Proof = { finding: 'unknown' };

/**
 * What a rule of ours proves about a trouble that another source reported. Only a measurement that was over its line before
 * the fix measures that trouble at all; then it proves as much as the source's own word.
 */
export function ruleProof(rule: AlertRule, before: Snapshot, after: Snapshot, osPlatform: OsPlatform): Proof {
  if (findingOf(rule, before, osPlatform).state !== 'breached') return UNKNOWN;
  const now = findingOf(rule, after, osPlatform);
  switch (now.state) {
    case 'unknown':
      return UNKNOWN;
    case 'clear':
      return { finding: 'over', words: now.words };
    case 'breached':
    case 'between':
      return { finding: 'holds', words: now.words };
  }
}

/** The level before a fix is the median of the last hours, as resets are found. */
const LEVEL_HOURS = 3;

/**
 * What a measurement proves about a predicted trouble. It is over when the level fell as far as a reset does (see
 * `findResets`), or when at the pace that was foreseen the limit is now further away than a standing prediction may be.
 *
 * @param course of the metric until the fix, in time order
 * @param slopePerHour the pace that was foreseen, percentage points
 * @param after what was measured after the fix
 */
export function forecastProof(
  metric: TrendMetric,
  course: readonly SeriesPoint[],
  slopePerHour: number,
  after: number | null,
): Proof {
  const last = course.at(-1);
  if (after === null || last === undefined) return UNKNOWN;
  const { limitPct, horizonHours, lookbackHours } = TREND_RULES[metric];
  const hourly = thin(tidy(course, last.atMs, lookbackHours), 1);
  if (hourly.values.length < LEVEL_HOURS) return UNKNOWN;
  const before = median(hourly.values.slice(-LEVEL_HOURS));
  const levels = `at ${Math.round(after)} % after ${Math.round(before)} %`;
  if (before - after >= resetThreshold(hourly)) return { finding: 'over', words: `fell: ${levels}` };
  const hoursLeft = slopePerHour > 0 ? (limitPct - after) / slopePerHour : Number.POSITIVE_INFINITY;
  return hoursLeft > HOLD_FACTOR * horizonHours
    ? { finding: 'over', words: `${levels}, far from ${limitPct} % now` }
    : { finding: 'holds', words: `${levels}, still heading for ${limitPct} %` };
}
