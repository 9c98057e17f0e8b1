/** Reads the shape of a metric's history before a line is fitted: tidy samples, resets, the daily cycle, where the present climb began. */
import { median, quantile, robustSigma, type Track } from './robustFit.ts';

/** One raw sample: milliseconds since 1970 and a percentage, null when it was not measured. */
export interface SeriesPoint {
  atMs: number;
  value: number | null;
}

const HOUR_MS = 3_600_000;
/** Rounding may take a share a little past 100; anything beyond is a broken reading. */
const ROUNDING_PCT = 1;

/**
 * The usable samples of the last `lookbackHours`, oldest first. Left out: null and NaN, readings that are no percentage,
 * and samples from the future (a clock was set back since). Order does not matter, and equal times are kept: `thin` merges them.
 */
export function tidy(series: readonly SeriesPoint[], nowMs: number, lookbackHours: number): Track {
  const usable: { hour: number; value: number }[] = [];
  let sorted = true;
  for (const { atMs, value } of series) {
    const hour = (atMs - nowMs) / HOUR_MS;
    if (value === null || !Number.isFinite(value) || value < -ROUNDING_PCT || value > 100 + ROUNDING_PCT) continue;
    if (!(hour <= 0 && hour >= -lookbackHours)) continue;
    if (usable.length > 0 && hour < usable.at(-1)!.hour) sorted = false;
    usable.push({ hour, value: Math.min(100, Math.max(0, value)) });
  }
  if (!sorted) usable.sort((a, b) => a.hour - b.hour);
  return { hours: usable.map((point) => point.hour), values: usable.map((point) => point.value) };
}

/** One point per bucket of `widthHours`: the medians of its times and values. Short spikes and duplicate times vanish here. */
export function thin({ hours, values }: Track, widthHours: number): Track {
  const thinned: Track = { hours: [], values: [] };
  let start = 0;
  for (let i = 1; i <= hours.length; i++) {
    if (i < hours.length && Math.floor(hours[i]! / widthHours) === Math.floor(hours[start]! / widthHours)) continue;
    thinned.hours.push(median(hours.slice(start, i)));
    thinned.values.push(median(values.slice(start, i)));
    start = i;
  }
  return thinned;
}

/** A pause this many times the usual spacing, and at least this many hours, is time that the endpoint was switched off. */
const OFF_SPACINGS = 4;
const OFF_HOURS = 2;
/** With less than this share of the time switched off, or but one pause, the wall clock is good enough. */
const MIN_OFF_SHARE = 0.2;
const MIN_PAUSES = 2;

/**
 * The track by the clock of an endpoint that stands still while it is off, and the share of the time that it was on: the disk
 * of a laptop does not fill at night. Null when it was on nearly all
 * the time. Hour 0 stays the newest sample.
 */
export function runningTime({ hours, values }: Track): { track: Track; onShare: number } | null {
  if (hours.length < 3) return null;
  const spacings = hours.slice(1).map((hour, i) => hour - hours[i]!);
  const usual = median(spacings);
  const running = [0];
  let pauses = 0;
  for (const spacing of spacings) {
    const isOff = spacing > Math.max(OFF_HOURS, OFF_SPACINGS * usual);
    if (isOff) pauses++;
    running.push(running.at(-1)! + (isOff ? usual : spacing));
  }
  const total = running.at(-1)!;
  const onShare = total / (hours.at(-1)! - hours[0]!);
  if (pauses < MIN_PAUSES || onShare > 1 - MIN_OFF_SHARE) return null;
  return { track: { hours: running.map((hour) => hour - total), values }, onShare };
}

/** The part of a track from `hour` on. */
export function since({ hours, values }: Track, hour: number): Track {
  const first = hours.findIndex((at) => at >= hour);
  return first < 0 ? { hours: [], values: [] } : { hours: hours.slice(first), values: values.slice(first) };
}

/** The part of a track before `hour`. */
export function until({ hours, values }: Track, hour: number): Track {
  const end = hours.findIndex((at) => at >= hour);
  return end < 0 ? { hours, values } : { hours: hours.slice(0, end), values: values.slice(0, end) };
}

/** A fall to a lower level that lasted: a cleaned disk, a reboot, a rotated log. */
export interface Reset {
  /** Hour of the first sample after the fall. */
  hour: number;
  /** Levels on both sides, percent. */
  from: number;
  to: number;
}

/** No fall below this many points is worth calling a reset. */
const MIN_RESET_PCT = 3;
/** A fall must stand out this many deviations from the usual change between hours. */
const RESET_SIGMAS = 6;

/**
 * How far the level of an hourly track has to fall for a reset. Levels are medians three hours apart; one that falls all the
 * time falls that much without any reset.
 */
export function resetThreshold({ values }: Track): number {
  const changes = values.slice(1).map((value, i) => value - values[i]!);
  const usualFall = 3 * Math.max(0, -median(changes));
  return usualFall + Math.max(MIN_RESET_PCT, RESET_SIGMAS * robustSigma(changes));
}

/** The resets of an hourly track, oldest first: medians of three hours on either side are compared, so that a spike's end is none. */
export function findResets({ hours, values }: Track): Reset[] {
  if (hours.length < 4) return [];
  const changes = values.slice(1).map((value, i) => value - values[i]!);
  const threshold = resetThreshold({ hours, values });
  const resets: Reset[] = [];
  let group: (Reset & { fall: number }) | null = null;
  for (let i = 0; i < changes.length; i++) {
    const from = median(values.slice(Math.max(0, i - 2), i + 1));
    const to = median(values.slice(i + 1, i + 4));
    if (from - to >= threshold) {
      const fall = -changes[i]!;
      if (group === null || fall > group.fall) group = { hour: hours[i + 1]!, from, to, fall };
    } else if (group !== null) {
      resets.push({ hour: group.hour, from: group.from, to: group.to });
      group = null;
    }
  }
  if (group !== null) resets.push({ hour: group.hour, from: group.from, to: group.to });
  return resets;
}

/** Correlation with the same hour of the day before from which a daily cycle is believed. */
const DAILY_CORRELATION = 0.4;
const MIN_DAYS = 3;

/**
 * What each hour of the day adds to the level, 24 values in percentage points indexed by `phaseOfDay`, or null when there is
 * no daily cycle.
 * Classical decomposition (Hyndman & Athanasopoulos, Forecasting: Principles and Practice, ch. 3.4) with a median
 * over the days in place of a mean. Believed from three days on, when the series without its 24-hour mean correlates
 * with itself a day earlier.
 */
export function dailyProfile({ hours, values }: Track): number[] | null {
  if (hours.length < 24 * (MIN_DAYS - 1) || hours.at(-1)! - hours[0]! < MIN_DAYS * 24 - 2) return null;
  const smooth = runningMean(hours, values, 12);
  const rest = values.map((value, i) => value - smooth[i]!);
  const byHour = new Map(hours.map((hour, i) => [Math.floor(hour), rest[i]!]));
  let products = 0;
  let squares = 0;
  for (const [hour, value] of byHour) {
    const dayBefore = byHour.get(hour - 24);
    if (dayBefore === undefined) continue;
    products += value * dayBefore;
    squares += (value ** 2 + dayBefore ** 2) / 2;
  }
  if (squares < 1e-9 || products / squares < DAILY_CORRELATION) return null;
  const ofDay = Array.from({ length: 24 }, (): number[] => []);
  hours.forEach((hour, i) => {
    ofDay[phaseOfDay(hour)]!.push(rest[i]!);
  });
  return ofDay.map((parts) => (parts.length > 0 ? median(parts) : 0));
}

/** Hours since the last multiple of 24 hours before or after now, 0–23: the phase that a daily profile is indexed by. */
export function phaseOfDay(hour: number): number {
  return ((Math.floor(hour) % 24) + 24) % 24;
}

export function withoutProfile({ hours, values }: Track, profile: readonly number[]): Track {
  return { hours, values: values.map((value, i) => value - profile[phaseOfDay(hours[i]!)]!) };
}

function runningMean(hours: readonly number[], values: readonly number[], halfWidthHours: number): number[] {
  let first = 0;
  let next = 0;
  let sum = 0;
  return hours.map((hour) => {
    while (next < hours.length && hours[next]! < hour + halfWidthHours) sum += values[next++]!;
    while (hours[first]! < hour - halfWidthHours) sum -= values[first++]!;
    return sum / (next - first);
  });
}

/** Share of the squared error that a bend must remove before it is believed. */
const BEND_GAIN = 0.6;
const MIN_BEND_POINTS = 6;
const MAX_BENDS = 3;
/** A line this close (root mean square, points) needs no bend. */
const GOOD_ENOUGH_PCT = 0.1;

/**
 * The hour at which the present straight stretch of a track began: broken lines that join at the bend, one bend at a
 * time, each accepted when it removes most of the squared error (Hudson 1966, JASA 61:1097; sequential as in
 * joinpoint regression, Kim et al. 2000, Statistics in Medicine 19:335). `minSpanHours` is the shortest stretch looked for.
 */
export function stretchStart(track: Track, minSpanHours: number): number {
  let start = track.hours[0]!;
  for (let bends = 0; bends < MAX_BENDS; bends++) {
    const bend = bestBend(since(track, start), minSpanHours);
    if (bend === null) break;
    start = bend;
  }
  return start;
}

function bestBend({ hours, values }: Track, minSpanHours: number): number | null {
  const n = hours.length;
  if (n < 2 * MIN_BEND_POINTS) return null;
  const meanHour = hours.reduce((sum, hour) => sum + hour, 0) / n;
  const meanValue = values.reduce((sum, value) => sum + value, 0) / n;
  let spreadHours = 0;
  let together = 0;
  for (let i = 0; i < n; i++) {
    spreadHours += (hours[i]! - meanHour) ** 2;
    together += (hours[i]! - meanHour) * (values[i]! - meanValue);
  }
  const slope = together / spreadHours;
  const residuals = values.map((value, i) => value - meanValue - slope * (hours[i]! - meanHour));
  const error = residuals.reduce((sum, residual) => sum + residual ** 2, 0);
  if (error < GOOD_ENOUGH_PCT ** 2 * n) return null;

  // The gain of a hinge max(0, t−k) is its squared product with the residuals over its own part that no line explains;
  // sums over the suffix make each candidate cost a handful of multiplications.
  let best: { hour: number; gain: number } | null = null;
  let count = 0;
  let sumHours = 0;
  let sumSquares = 0;
  let sumResiduals = 0;
  let sumProducts = 0;
  for (let i = n - 1; i >= MIN_BEND_POINTS - 1; i--) {
    const knot = hours[i]! - meanHour;
    count++;
    sumHours += knot;
    sumSquares += knot ** 2;
    sumResiduals += residuals[i]!;
    sumProducts += knot * residuals[i]!;
    if (count < MIN_BEND_POINTS || hours[n - 1]! - hours[i]! < minSpanHours) continue;
    const hinge = sumHours - knot * count;
    const hingeTime = sumSquares - knot * sumHours;
    const own = sumSquares - 2 * knot * sumHours + knot ** 2 * count - hinge ** 2 / n - hingeTime ** 2 / spreadHours;
    const gain = own > 1e-9 ? (sumProducts - knot * sumResiduals) ** 2 / own : 0;
    if (best === null || gain > best.gain) best = { hour: hours[i]!, gain };
  }
  return best !== null && best.gain >= BEND_GAIN * error ? best.hour : null;
}

/** Highest level that lasted: the maximum of the medians of three neighbours; -Infinity for an empty track. */
export function highestLevel(values: readonly number[]): number {
  let highest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    highest = Math.max(highest, median(values.slice(Math.max(0, i - 1), i + 2)));
  }
  return highest;
}

/** How far the usual peaks stand above the line: the 95th percentile of the residuals. */
export function usualPeak(residuals: readonly number[]): number {
  return Math.max(
    0,
    quantile(
      residuals.toSorted((a, b) => a - b),
      0.95,
    ),
  );
}
