/** Says where a metric of an endpoint is heading: how fast, when it reaches the limit, and how sure that is. */
import { median, medianSlope, type RobustFit, robustFit, type Track } from './robustFit.ts';
import {
  dailyProfile,
  findResets,
  highestLevel,
  phaseOfDay,
  type Reset,
  type SeriesPoint,
  since,
  stretchStart,
  thin,
  tidy,
  until,
  usualPeak,
  withoutProfile,
} from './seriesShape.ts';
import { durationText } from './trendText.ts';

export type { SeriesPoint } from './seriesShape.ts';

/** The metrics whose limit is worth foreseeing, by the name of their snapshot field. */
export const TREND_METRICS = ['diskPct', 'memoryPct', 'cpuPct'] as const;
export type TrendMetric = (typeof TREND_METRICS)[number];

export type TrendStatus = 'alert' | 'rising' | 'stable' | 'improving' | 'insufficient_data';

export interface TrendRules {
  /** The line whose crossing is foreseen, percent; 90 in the operations guide. */
  limitPct: number;
  /** How much history counts, hours: a week and a day, so that both ends of a weekly rotation are in sight. */
  lookbackHours: number;
  /** `alert` when the limit is reached within this many hours even at the slow end of the interval. */
  horizonHours: number;
  /** The same for a critical alert. */
  criticalHours: number;
  /** Usable samples that the present stretch needs. */
  minPoints: number;
  /** Hours that the present stretch must have lasted. */
  minSpanHours: number;
  /** Hours that the endpoint must have been watched: memory and CPU follow the working day, and one morning looks like a leak. */
  minHistoryHours: number;
  /** Hours after which the last sample is too old to speak about now. */
  staleHours: number;
}

const SHARED_RULES = {
  limitPct: 90,
  lookbackHours: 8 * 24,
  horizonHours: 7 * 24,
  criticalHours: 24,
  minPoints: 12,
  staleHours: 6,
};
export const TREND_RULES: Readonly<Record<TrendMetric, TrendRules>> = {
  diskPct: { ...SHARED_RULES, minSpanHours: 6, minHistoryHours: 12 },
  memoryPct: { ...SHARED_RULES, minSpanHours: 12, minHistoryHours: 48 },
  cpuPct: { ...SHARED_RULES, minSpanHours: 24, minHistoryHours: 72 },
};

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
  /** The line that is foreseen, percent. */
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
  /** The level was here before within the window and fell back, so the climb proves nothing yet. */
  knownTerritory: boolean;
  /** The fitted line, for charts: height now, its error, and how far daily or regular peaks stand above it; percent. */
  line: { levelNow: number; margin: number; peakAbove: number } | null;
}

/** A fit is made on about this many points: the slope's error hardly shrinks with more, the cost grows with the square. */
const FIT_POINTS = 64;
/**
 * A trend is believed this many times as far ahead as it was seen. With nothing known about what may end a climb, one of
 * age a lasts another r with probability a/(a+r) (Gott 1993, Nature 363:315): beyond twice its age it more likely ends first.
 */
const BELIEVED_AHEAD = 2;
/** A level this close below the limit was left because it was nearly full (people are warned at 80 %), not by a rotation. */
const NEAR_LIMIT_PCT = 10;
/** A climb this many times as fast as the one before the reset has another cause. */
const OTHER_PACE = 2;
/** Passing the old peak by this share of a tooth's height means that the sawtooth is broken. */
const BROKEN_TOOTH = 0.25;
/** Less than this many points a week is no trend that anybody would act on. */
const MATERIAL_PCT_A_WEEK = 1;
const WEEK_HOURS = 7 * 24;
/** Hours beyond which a time to impact is not worth a number. */
const FORESEEABLE_HOURS = 365 * 24;

/** The stretch of history that the line is fitted to, and what is known about the levels before it. */
interface Stretch {
  track: Track;
  profile: number[] | null;
  /** A regular sawtooth: the line runs through the teeth, and its peaks stand above. */
  sawtooth: boolean;
  /** The highest lasting level before the stretch; -Infinity when it is the whole history. */
  highestBefore: number;
  /** Hourly levels before the last reset; null when the stretch does not begin with one. */
  before: Track | null;
  resets: Reset[];
}

/**
 * The trend of one metric of one endpoint, from samples in any order with any gaps.
 *
 * Steps: tidy → hourly medians → resets (two or more make a sawtooth, whose teeth are noise around a longer trend) →
 * daily cycle taken out → start of the present straight stretch → robust line with interval (`robustFit`) → time to the
 * limit. Readings outside 0–100, nulls, NaN and samples later than `nowMs` are ignored.
 */
export function analyseTrend(
  metric: TrendMetric,
  series: readonly SeriesPoint[],
  nowMs: number,
  rules: TrendRules = TREND_RULES[metric],
): Trend {
  const samples = tidy(series, nowMs, rules.lookbackHours);
  const current = samples.values.at(-1) ?? null;
  const base = emptyTrend(metric, current, rules.limitPct);
  if (current === null) return { ...base, reason: 'no usable sample in the window' };
  const newest = samples.hours.at(-1)!;
  if (newest < -rules.staleHours) {
    return { ...base, reason: `the last sample is ${durationText(-newest)} old` };
  }
  const watched = newest - samples.hours[0]!;
  if (watched < rules.minHistoryHours) {
    return {
      ...base,
      points: samples.hours.length,
      reason: `watched for ${durationText(watched)}; ${durationText(rules.minHistoryHours)} are needed to tell a trend from a working day`,
    };
  }

  const stretch = findStretch(samples, rules);
  const { track } = stretch;
  const startHour = track.hours[0]!;
  const span = track.hours.at(-1)! - startHour;
  const located = { ...base, points: track.hours.length, segmentStartedAt: new Date(nowMs + startHour * 3_600_000) };
  const afterReset = stretch.resets.length > 0 && startHour >= stretch.resets.at(-1)!.hour - 1;
  const thinned = thin(track, span / FIT_POINTS);
  if (thinned.hours.length < rules.minPoints || span < rules.minSpanHours * 0.95) {
    const what = afterReset ? `since it fell from ${pct(stretch.resets.at(-1)!.from)}` : 'in the present stretch';
    return {
      ...located,
      reason: `only ${track.hours.length} samples over ${durationText(span)} ${what}; at least ${rules.minPoints} over ${durationText(rules.minSpanHours)} are needed`,
    };
  }
  const fit = robustFit(thinned);
  if (!Number.isFinite(fit.lowPerHour)) {
    return { ...located, reason: 'the samples leave gaps too long to judge how steady the trend is' };
  }
  return describe(located, stretch, fit, rules, samples);
}

function findStretch(samples: Track, rules: TrendRules): Stretch {
  const hourly = thin(samples, 1);
  const resets = findResets(hourly);
  const lastReset = resets.at(-1);
  if (lastReset !== undefined && resets.length >= 2) {
    const oldPeak = highestLevel(until(hourly, lastReset.hour).values);
    const toothHeight = median(resets.map((reset) => reset.from - reset.to));
    const recent = median(hourly.values.slice(-3));
    if (recent <= oldPeak + Math.max(2, BROKEN_TOOTH * toothHeight)) {
      return {
        track: samples,
        profile: null,
        sawtooth: true,
        highestBefore: Number.NEGATIVE_INFINITY,
        before: null,
        resets,
      };
    }
    return {
      track: since(samples, Math.floor(lastReset.hour)),
      profile: null,
      sawtooth: false,
      highestBefore: oldPeak,
      before: null,
      resets,
    };
  }
  const profile = dailyProfile(hourly);
  const flat = profile === null ? hourly : withoutProfile(hourly, profile);
  const level = profile === null ? samples : withoutProfile(samples, profile);
  const resetHour = lastReset?.hour ?? flat.hours[0]!;
  const startHour = stretchStart(since(flat, resetHour), rules.minSpanHours);
  return {
    track: since(level, Math.floor(startHour)),
    profile,
    sawtooth: false,
    highestBefore: highestLevel(until(flat, startHour).values),
    before: lastReset !== undefined ? until(flat, lastReset.hour) : null,
    resets,
  };
}

function describe(base: Trend, stretch: Stretch, fit: RobustFit, rules: TrendRules, samples: Track): Trend {
  const { profile } = stretch;
  const peakAbove = profile !== null ? Math.max(...profile) : stretch.sawtooth ? usualPeak(fit.residuals) : 0;
  const line = { levelNow: fit.levelNow, margin: fit.marginNow, peakAbove };
  const lastHour = median(since(samples, samples.hours.at(-1)! - 1).values);
  const reached = lastHour >= rules.limitPct;
  const impact = (level: number, slope: number) =>
    reached ? 0 : hoursUntil(level, slope, rules.limitPct, profile ?? peakAbove);
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
    timeToImpactText: timeToImpactHours === null ? null : reached ? 'now' : `about ${durationText(timeToImpactHours)}`,
    r2: fit.r2,
    knownTerritory: isKnownTerritory(stretch, fit, rules),
    line,
  };
  return { ...trend, ...judge(trend, stretch, rules, reached) };
}

/**
 * True when the window holds a level as high as the present one from which the series came down by itself. A rotation,
 * a reboot or a weekend then explains the climb as well as a leak does; a leak leaves this territory before it does harm.
 */
function isKnownTerritory({ highestBefore, before, sawtooth }: Stretch, fit: RobustFit, rules: TrendRules): boolean {
  if (sawtooth || highestBefore >= rules.limitPct - NEAR_LIMIT_PCT) return false;
  if (fit.levelNow > highestBefore + 1) return false;
  if (before === null || before.hours.length < rules.minPoints) return true;
  const climbBefore = since(before, stretchStart(before, rules.minSpanHours));
  const paceBefore = medianSlope(thin(climbBefore, 2));
  return paceBefore * WEEK_HOURS < MATERIAL_PCT_A_WEEK || fit.slopePerHour < OTHER_PACE * paceBefore;
}

function judge(
  trend: Trend,
  stretch: Stretch,
  rules: TrendRules,
  reached: boolean,
): { status: TrendStatus; reason: string } {
  const limit = pct(rules.limitPct);
  if (reached) return { status: 'alert', reason: `has reached ${limit}` };
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
  const latest = trend.timeToImpactHighHours;
  if (trend.knownTerritory) {
    return { status: 'rising', reason: `${rises}, but was at ${pct(stretch.highestBefore)} before and came back down` };
  }
  if (latest === null || latest > rules.horizonHours) {
    return { status: 'rising', reason: `${rises}; ${limit} is not certain within ${durationText(rules.horizonHours)}` };
  }
  if (latest > BELIEVED_AHEAD * -stretch.track.hours[0]!) {
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
  if (slope <= 0) return level + peak >= limitPct && typeof above === 'number' && above === 0 ? 0 : null;
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
    knownTerritory: false,
    line: null,
  };
}

function pct(value: number): string {
  return `${Number(value.toFixed(1))} %`;
}
