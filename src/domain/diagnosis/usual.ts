/** What is usual: for a machine at this hour by its own last days, and for its peers now. */
import type { Point } from './machineHistory.ts';

/** How many days back a machine's usual is read from. */
export const USUAL_DAYS = 14;
/** Fewer days are no usual. */
export const LEAST_DAYS = 3;
/** Fewer peers prove nothing. */
export const LEAST_PEERS = 5;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Scans this near in the time of day are the same hours. */
const SAME_HOURS_MS = 1.5 * HOUR_MS;

export interface Usual {
  middle: number;
  /** How far values usually lie above the middle, and below it, as a standard deviation. */
  above: number;
  below: number;
}

/** Values at the same hours of earlier days: of weekdays for a weekday and of weekends for a weekend, where there are enough. */
export function sameHours<T extends { atMs: number }>(points: readonly T[], atMs: number): { of: T[]; days: number } {
  const near = points.filter((point) => {
    const ago = atMs - point.atMs;
    if (ago < DAY_MS - SAME_HOURS_MS || ago > USUAL_DAYS * DAY_MS + SAME_HOURS_MS) return false;
    const offset = ago % DAY_MS;
    return offset <= SAME_HOURS_MS || DAY_MS - offset <= SAME_HOURS_MS;
  });
  const alike = near.filter((point) => isWeekend(point.atMs) === isWeekend(atMs));
  const enough = daysOf(alike, atMs) >= LEAST_DAYS;
  return enough ? { of: alike, days: daysOf(alike, atMs) } : { of: near, days: daysOf(near, atMs) };
}

function daysOf(points: readonly { atMs: number }[], atMs: number): number {
  return new Set(points.map((point) => Math.round((atMs - point.atMs) / DAY_MS))).size;
}

function isWeekend(atMs: number): boolean {
  return [0, 6].includes(new Date(atMs).getUTCDay());
}

/**
 * The middle and the spread of some values; null of none. Quantiles a little off the middle keep the usual what it is while
 * up to a fifth of the values belong to a problem that began days ago.
 */
export function usualOf(values: readonly number[]): Usual | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const middle = quantile(sorted, 0.5);
  const deviation =
    1.4826 *
    quantile(
      sorted.map((value) => Math.abs(value - middle)).sort((a, b) => a - b),
      0.5,
    );
  // 0.84 standard deviations of a normal distribution lie between its middle and its 80th percentile.
  const above = Math.max(deviation, (quantile(sorted, 0.8) - middle) / 0.84);
  const below = Math.max(deviation, (middle - quantile(sorted, 0.2)) / 0.84);
  return { middle, above, below };
}

/** @param sorted ascending, at least one */
export function quantile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1);
  const low = sorted[Math.floor(at)] as number;
  const high = sorted[Math.ceil(at)] as number;
  return low + (high - low) * (at - Math.floor(at));
}

/** Points of the last so many milliseconds before the newest. */
export function lately(points: readonly Point[], ms: number): Point[] {
  const newest = points.at(-1)?.atMs ?? 0;
  return points.filter(({ atMs }) => atMs > newest - ms);
}
