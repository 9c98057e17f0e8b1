/** Picks the stretch of a metric's history that says where it is heading, and says whether it proves anything new. */
import { median, medianSlope, type RobustFit, type Track } from './robustFit.ts';
import {
  dailyProfile,
  findResets,
  highestLevel,
  type Reset,
  since,
  stretchStart,
  thin,
  until,
  withoutProfile,
} from './seriesShape.ts';
import { MATERIAL_PCT_A_WEEK, type TrendRules, WEEK_HOURS } from './trendRules.ts';

/** A level this close below the limit was left because it was nearly full (people are warned at 80 %), not by a rotation. */
const NEAR_LIMIT_PCT = 10;
/** A climb this many times as fast as the one before the reset has another cause. */
const OTHER_PACE = 2;
/** Passing the level before the only reset by less than this share of the fall is what uneven teeth do. */
const UNEVEN_TOOTH = 0.1;
/** Passing the old peak by this share of a tooth's height means that the sawtooth is broken. */
const BROKEN_TOOTH = 0.25;

/** The stretch of history that the line is fitted to, and what is known about the levels before it. */
export interface Stretch {
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
 * The whole track when it is a sawtooth that still keeps to its old peaks; otherwise what came after the last reset, without its
 * daily cycle, from where the present straight stretch began. `samples` must not be empty.
 */
export function findStretch(samples: Track, rules: TrendRules): Stretch {
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

/**
 * True when the window holds a level as high as the present one from which the series came down by itself. A rotation,
 * a reboot or a weekend then explains the climb as well as a leak does; a leak leaves this territory before it does harm.
 */
export function isKnownTerritory(
  { highestBefore, before, resets, sawtooth }: Stretch,
  fit: RobustFit,
  rules: TrendRules,
): boolean {
  if (sawtooth || highestBefore >= rules.limitPct - NEAR_LIMIT_PCT) return false;
  const lastReset = before === null ? undefined : resets.at(-1);
  const margin = Math.max(1, lastReset === undefined ? 0 : UNEVEN_TOOTH * (lastReset.from - lastReset.to));
  if (fit.levelNow > highestBefore + margin) return false;
  if (before === null || before.hours.length < rules.minPoints) return true;
  const climbBefore = since(before, stretchStart(before, rules.minSpanHours));
  const paceBefore = medianSlope(thin(climbBefore, 2));
  return paceBefore * WEEK_HOURS < MATERIAL_PCT_A_WEEK || fit.slopePerHour < OTHER_PACE * paceBefore;
}
