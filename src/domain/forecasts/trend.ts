/** Says where a metric of an endpoint is heading: how fast, when it reaches the limit, and how sure that is. */
import { median, type RobustFit, robustFit, type Track } from './robustFit.ts';
import { phaseOfDay, runningTime, type SeriesPoint, since, thin, tidy, usualPeak } from './seriesShape.ts';
import { hasFallen, isSlowing } from './trendGuards.ts';
import { MATERIAL_PCT_A_WEEK, TREND_RULES, type TrendMetric, type TrendRules, WEEK_HOURS } from './trendRules.ts';
import { findStretch, isKnownTerritory, type Stretch } from './trendStretch.ts';
import { durationText } from './trendText.ts';

type TrendStatus = 'alert' | 'rising' | 'stable' | 'improving' | 'insufficient_data';

/** A value in percent with the ends of its 90 % interval, all within 0–100. */
export interface Projection {
  value: number;
  low: number;
  high: number;
}

export interface Trend {
  metric: TrendMetric;
  status: TrendStatus;
  /** Why this status, as one sentence for people. */
  reason: string;
  /** Last measured value, percent; null when there is none in the window. */
  current: number | null;
  /** The line that is predicted, percent. */
  limitPct: number;
  /** Percentage points an hour, with the ends of the 90 % interval; null without a fit. */
  slopePerHour: number | null;
  slopeLowPerHour: number | null;
  slopeHighPerHour: number | null;
  projected24h: Projection | null;
  projected7d: Projection | null;
  /** Hours until the limit by the fitted slope (0 when it is reached already); null when it is not heading there. */
  timeToImpactHours: number | null;
  /** The soonest and latest by the interval: each is a one-sided 95 % bound. Null when that end never gets there. */
  timeToImpactLowHours: number | null;
  timeToImpactHighHours: number | null;
  /** `timeToImpactHours` as people say it ("about 3 days"). */
  timeToImpactText: string | null;
  /** Share of the stretch's variance that the line explains, 0–1; null without a fit or when nothing varies. */
  r2: number | null;
  /** Usable samples in the stretch that was fitted. */
  points: number;
  /** When that stretch began: the window's start, the last reset, or the bend where the present climb set in. */
  segmentStartedAt: Date | null;
  /** The last hour stood at the limit: nothing is left to foresee. */
  reached: boolean;
  /** The level was here before within the window and fell back, so the climb proves nothing yet. */
  knownTerritory: boolean;
  /** The fitted line, for charts: height now, its error, and how far daily or regular peaks stand above it; percent. */
  line: { levelNow: number; margin: number; peakAbove: number } | null;
}

/** A fit is made on about this many points: the slope's error hardly shrinks with more, the cost grows with the square. */
const FIT_POINTS = 64;
/**
 * A trend is believed this many times as far ahead as it was seen. With nothing known about what may end a climb, one of
 * age a lasts another r with probability a/(a+r) (Gott 1993, Nature 363:315): at twice its age one in three still does, and
 * a leak is announced when a third of its way is behind it.
 */
const BELIEVED_AHEAD = 2;
const HOUR_MS = 3_600_000;
/** Hours beyond which a time to impact is not worth a number. */
const FORESEEABLE_HOURS = 365 * 24;

/**
 * The trend of one metric of one endpoint, from samples in any order with any gaps.
 *
 * Steps: tidy → hourly medians → resets (two or more make a sawtooth, whose teeth are noise around a longer trend) →
 * daily cycle taken out → start of the present straight stretch → robust line with interval (`robustFit`) → time to the
 * limit. All of it by the wall clock, or by running time for an endpoint that is often off. Readings outside 0–100, nulls, NaN and samples later than `nowMs` are ignored.
 */
export function analyseTrend(
  metric: TrendMetric,
  series: readonly SeriesPoint[],
  nowMs: number,
  rules: TrendRules = TREND_RULES[metric],
): Trend {
  const samples = tidy(series, nowMs, rules.lookbackHours);
  const current = samples.values.at(-1) ?? null;
  const unknown = emptyTrend(metric, current, rules.limitPct);
  if (current === null) return { ...unknown, reason: 'no usable sample in the window' };
  const newest = samples.hours.at(-1)!;
  if (newest < -rules.staleHours) {
    return { ...unknown, reason: `the last sample is ${durationText(-newest)} old` };
  }
  const base = { ...unknown, reached: median(since(samples, newest - 1).values) >= rules.limitPct };
  const watched = newest - samples.hours[0]!;
  if (watched < rules.minHistoryHours) {
    return {
      ...base,
      points: samples.hours.length,
      reason: `watched for ${durationText(watched)}; ${durationText(rules.minHistoryHours)} are needed to tell a trend from a working day`,
    };
  }

  const { track, stretch, fit, problem } = bestFit(samples, rules);
  const startHour = samples.hours[samples.hours.length - track.hours.length]!;
  const located = { ...base, points: track.hours.length, segmentStartedAt: new Date(nowMs + startHour * HOUR_MS) };
  if (fit === null) return { ...located, reason: problem };
  if (!stretch.sawtooth && hasFallen(samples, fit, stretch.profile, samples.values.length)) {
    const reason = `fell from ${pct(fit.levelNow)} to ${pct(current)} just now; where it is heading from there is not known yet`;
    // One low reading of what goes up and down all day proves no fall yet: nothing is announced, and nothing ends.
    const isSure = rules.keepsLevel || hasFallen(samples, fit, stretch.profile, samples.values.length - 1);
    return { ...base, points: 1, segmentStartedAt: isSure ? new Date(nowMs + newest * HOUR_MS) : null, reason };
  }
  return describe(located, stretch, fit, rules, -startHour);
}

/** A stretch with its line by the wall clock, or with the reason why none can be drawn. */
interface StretchFit {
  track: Track;
  stretch: Stretch;
  fit: RobustFit | null;
  problem: string;
}

/**
 * Fits by the wall clock and, for an endpoint that is often off, also by its running time; the narrower interval wins. A gap
 * in the data of a machine that went on running thus stays a gap.
 */
function bestFit(samples: Track, rules: TrendRules): StretchFit {
  const byWall = fitStretch(samples, rules);
  const running = runningTime(samples);
  if (running === null) return byWall;
  const byRunning = fitStretch(running.track, rules);
  if (byRunning.fit === null || relativeWidth(byWall.fit) <= relativeWidth(byRunning.fit)) return byWall;
  const { fit } = byRunning;
  const perWallHour = {
    slopePerHour: fit.slopePerHour * running.onShare,
    lowPerHour: fit.lowPerHour * running.onShare,
    highPerHour: fit.highPerHour * running.onShare,
  };
  // Phases of the day mean nothing by a clock that stands still at night.
  return { ...byRunning, stretch: { ...byRunning.stretch, profile: null }, fit: { ...fit, ...perWallHour } };
}

function relativeWidth(fit: RobustFit | null): number {
  if (fit === null || fit.slopePerHour === 0) return Number.POSITIVE_INFINITY;
  return (fit.highPerHour - fit.lowPerHour) / Math.abs(fit.slopePerHour);
}

function fitStretch(samples: Track, rules: TrendRules): StretchFit {
  const stretch = findStretch(samples, rules);
  const { track } = stretch;
  const startHour = track.hours[0]!;
  const span = track.hours.at(-1)! - startHour;
  const thinned = thin(track, span / FIT_POINTS);
  const failed = (problem: string): StretchFit => ({ track, stretch, fit: null, problem });
  if (thinned.hours.length < rules.minPoints || span < rules.minSpanHours * 0.95) {
    const lastReset = stretch.resets.at(-1);
    const what =
      lastReset !== undefined && startHour >= lastReset.hour - 1
        ? `since it fell from ${pct(lastReset.from)}`
        : 'in the present stretch';
    return failed(
      `only ${track.hours.length} samples over ${durationText(span)} ${what}; at least ${rules.minPoints} over ${durationText(rules.minSpanHours)} are needed`,
    );
  }
  const fit = robustFit(thinned);
  if (Number.isFinite(fit.lowPerHour)) return { track, stretch, fit, problem: '' };
  return failed('the samples leave gaps too long to judge how steady the trend is');
}

function describe(base: Trend, stretch: Stretch, fit: RobustFit, rules: TrendRules, spanHours: number): Trend {
  const { profile } = stretch;
  const peakAbove = profile !== null ? Math.max(...profile) : stretch.sawtooth ? usualPeak(fit.residuals) : 0;
  const line = { levelNow: fit.levelNow, margin: fit.marginNow, peakAbove };
  const impact = (level: number, slope: number) =>
    base.reached ? 0 : hoursUntil(level, slope, rules.limitPct, profile ?? peakAbove);
  const timeToImpactHours = impact(fit.levelNow, fit.slopePerHour);
  const trend: Trend = {
    ...base,
    slopePerHour: fit.slopePerHour,
    slopeLowPerHour: fit.lowPerHour,
    slopeHighPerHour: fit.highPerHour,
    projected24h: project(fit, 24, profile),
    projected7d: project(fit, WEEK_HOURS, profile),
    timeToImpactHours,
    timeToImpactLowHours: impact(fit.levelNow + fit.marginNow, fit.highPerHour),
    timeToImpactHighHours: impact(fit.levelNow - fit.marginNow, fit.lowPerHour),
    timeToImpactText: impactText(timeToImpactHours, base.reached),
    r2: fit.r2,
    knownTerritory: isKnownTerritory(stretch, fit, rules),
    line,
  };
  const judged = judge(trend, stretch, rules, spanHours, isSlowing(fit, stretch.track, rules, line.peakAbove));
  // What is heading nowhere has no time until it gets there.
  const heads = judged.status === 'alert' || judged.status === 'rising';
  return heads ? { ...trend, ...judged } : { ...trend, ...judged, ...NO_IMPACT };
}

const NO_IMPACT = {
  timeToImpactHours: null,
  timeToImpactLowHours: null,
  timeToImpactHighHours: null,
  timeToImpactText: null,
} as const;

function impactText(hours: number | null, reached: boolean): string | null {
  if (reached) return 'now';
  if (hours === null) return null;
  return hours < 1 ? 'less than an hour' : `about ${durationText(hours)}`;
}

function judge(
  trend: Trend,
  stretch: Stretch,
  rules: TrendRules,
  spanHours: number,
  slowing: boolean,
): { status: TrendStatus; reason: string } {
  const limit = pct(rules.limitPct);
  if (trend.reached) return { status: 'alert', reason: `has reached ${limit}` };
  const slope = trend.slopePerHour!;
  const aDay = `${Math.abs(slope * 24).toFixed(1)} points a day`;
  const start = trend.segmentStartedAt!.toISOString().slice(0, 16).replace('T', ' ');
  if (Math.abs(slope) * WEEK_HOURS < MATERIAL_PCT_A_WEEK) {
    return { status: 'stable', reason: `moves less than ${MATERIAL_PCT_A_WEEK} point a week since ${start} UTC` };
  }
  if (trend.slopeHighPerHour! < 0) return { status: 'improving', reason: `falls ${aDay} since ${start} UTC` };
  if (trend.slopeLowPerHour! <= 0) {
    const what = stretch.sawtooth
      ? `rises and falls back (${stretch.resets.length} times in the window)`
      : `moves ${slope < 0 ? '-' : '+'}${aDay} since ${start} UTC`;
    return { status: 'stable', reason: `${what}; too uneven to call it a trend` };
  }
  const rises = `rises ${aDay} since ${start} UTC`;
  if (slowing) return { status: 'stable', reason: `${rises}, and levels off before ${limit}` };
  const latest = trend.timeToImpactHighHours;
  if (trend.knownTerritory) {
    return { status: 'rising', reason: `${rises}, but was at ${pct(stretch.highestBefore)} before and came back down` };
  }
  if (latest === null || latest > rules.horizonHours) {
    return { status: 'rising', reason: `${rises}; ${limit} is not certain within ${durationText(rules.horizonHours)}` };
  }
  if (latest > BELIEVED_AHEAD * spanHours) {
    return { status: 'rising', reason: `${rises}; too short a climb to foretell ${durationText(latest)}` };
  }
  const soonest = durationText(trend.timeToImpactLowHours ?? 0);
  return {
    status: 'alert',
    reason: `${rises}; reaches ${limit} in ${trend.timeToImpactText} (between ${soonest} and ${durationText(latest)})`,
  };
}

/**
 * Hours until level + slope × hours, plus what stands above the line, reaches the limit; null when never, or not within a
 * year. `above` is a constant, or a daily profile: then the first hour of the day at which the peak gets there counts.
 */
function hoursUntil(level: number, slope: number, limitPct: number, above: number | readonly number[]): number | null {
  const peak = typeof above === 'number' ? above : Math.max(...above);
  if (slope <= 0) return null;
  const peakMeets = Math.max(0, (limitPct - level - peak) / slope);
  if (peakMeets > FORESEEABLE_HOURS) return null;
  if (typeof above === 'number') return peakMeets;
  for (let hour = Math.floor(peakMeets); hour < peakMeets + 25; hour++) {
    if (level + slope * hour + above[phaseOfDay(hour)]! >= limitPct) return hour;
  }
  return peakMeets;
}

/** The value `hoursAhead` of now that a fitted line expects, with the band of the line's level and slope, within 0–100. */
export function project(
  fit: Pick<RobustFit, 'levelNow' | 'marginNow' | 'slopePerHour' | 'lowPerHour' | 'highPerHour'>,
  hoursAhead: number,
  profile: readonly number[] | null = null,
): Projection {
  const season = profile?.[phaseOfDay(hoursAhead)] ?? 0;
  const within = (value: number) => Math.min(100, Math.max(0, value + season));
  return {
    value: within(fit.levelNow + fit.slopePerHour * hoursAhead),
    low: within(fit.levelNow - fit.marginNow + fit.lowPerHour * hoursAhead),
    high: within(fit.levelNow + fit.marginNow + fit.highPerHour * hoursAhead),
  };
}

function emptyTrend(metric: TrendMetric, current: number | null, limitPct: number): Trend {
  return {
    metric,
    status: 'insufficient_data',
    reason: '',
    current,
    limitPct,
    slopePerHour: null,
    slopeLowPerHour: null,
    slopeHighPerHour: null,
    projected24h: null,
    projected7d: null,
    timeToImpactHours: null,
    timeToImpactLowHours: null,
    timeToImpactHighHours: null,
    timeToImpactText: null,
    r2: null,
    points: 0,
    segmentStartedAt: null,
    reached: false,
    knownTerritory: false,
    line: null,
  };
}

function pct(value: number): string {
  return `${Number(value.toFixed(1))} %`;
}
