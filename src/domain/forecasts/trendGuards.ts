/** What keeps a fitted line from being believed: a fall that it does not know yet, and a climb that levels off. */
import { medianSlope, type RobustFit, robustSigma, type Track } from './robustFit.ts';
import { phaseOfDay, since, thin } from './seriesShape.ts';
import type { TrendRules } from './trendRules.ts';

/** One reading this many points below the line, and this many deviations of the usual change from sample to sample, is a clean-up. */
const MIN_FALL_PCT = 5;
const FALL_SIGMAS = 6;
/**
 * The last of so many readings lies so far below the line, and what the hour of the day adds to it, that the line speaks of the
 * past: resets are believed only hours later.
 */
export function hasFallen(
  { hours, values }: Track,
  { levelNow, slopePerHour }: RobustFit,
  profile: readonly number[] | null,
  readings: number,
): boolean {
  const hour = hours[readings - 1];
  const value = values[readings - 1];
  if (hour === undefined || value === undefined) return false;
  const changes = values.slice(1).map((each, i) => each - values[i]!);
  const expected = levelNow + slopePerHour * hour + (profile?.[phaseOfDay(hour)] ?? 0);
  return expected - value > Math.max(MIN_FALL_PCT, FALL_SIGMAS * robustSigma(changes));
}

/** A climb that bends this many standard errors below its line in the end and in the beginning is levelling off. */
const BEND_ERRORS = 4;
/** Of the whole climb's pace, what is left in its last third where it levels off. */
const PACE_LEFT = 0.5;
const LEAST_BEND_POINTS = 12;
/** The pace of the last third is measured on about this many points. */
const PACE_POINTS = 64;

/** Whether a climb levels off before the limit: its line is bent downwards, and by its last third it does not get there in time. */
export function isSlowing(fit: RobustFit, track: Track, rules: TrendRules, peakAbove: number): boolean {
  const { residuals, slopePerHour, levelNow } = fit;
  const third = Math.floor(residuals.length / 3);
  if (residuals.length < LEAST_BEND_POINTS || slopePerHour <= 0) return false;
  const mean = (some: readonly number[]) => some.reduce((sum, each) => sum + each, 0) / some.length;
  const outer = [...residuals.slice(0, third), ...residuals.slice(-third)];
  const bend = mean(residuals.slice(third, -third)) - mean(outer);
  const scatter = robustSigma(residuals.slice(1).map((each, i) => (each - residuals[i]!) / Math.SQRT2));
  if (bend < BEND_ERRORS * Math.max(scatter, 0.05) * Math.sqrt(1 / third + 1 / outer.length)) return false;
  const end = track.hours.at(-1)!;
  const last = since(track, end - (end - track.hours[0]!) / 3);
  const paceNow = medianSlope(thin(last, (end - last.hours[0]!) / PACE_POINTS));
  const hours = (rules.limitPct - levelNow - peakAbove) / paceNow;
  return paceNow < PACE_LEFT * slopePerHour && (paceNow <= 0 || hours > rules.horizonHours);
}
