/** The ledger of predictions: what was said when, what became of it, and how far predictions can be trusted. */
import { PREDICTIVE_ALERT_NAMES, type PredictiveAlertName } from './predictiveAlert.ts';
import { median } from './robustFit.ts';
import type { Trend } from './trend.ts';
import { type TrendMetric, WEEK_HOURS } from './trendRules.ts';

const HOUR_MS = 3_600_000;

/**
 * What became of a prediction. `open`: its time is not up. `hit`: the limit came between the predicted bounds. `late`: it came
 * sooner than the soonest bound, so people were told too little time. `early`: it came after the latest bound. `false`: it did not come.
 * `averted`: a person or a remediation stepped in first, or the endpoint went out of sight, so nobody can know; it counts neither for nor against.
 */
export const VERDICTS = ['open', 'hit', 'early', 'late', 'false', 'averted'] as const;
export type PredictionVerdict = (typeof VERDICTS)[number];

/** A prediction as it was made: one row of the ledger, written when its alert is raised and never changed. */
export interface Prediction {
  hostname: string;
  metric: TrendMetric;
  alertName: PredictiveAlertName;
  madeAt: Date;
  limitPct: number;
  /** Value when it was made, percent. */
  value: number;
  slopePerHour: number;
  /** When the limit was predicted: by the fitted slope, and the soonest and latest by its 90 % interval. */
  expectedAt: Date;
  soonestAt: Date;
  latestAt: Date;
}

/** The prediction that a freshly raised alert makes; null when the trend foresees no impact with bounds. */
export function predictionOf(hostname: string, trend: Trend, madeAt: Date): Prediction | null {
  const { current, slopePerHour, timeToImpactHours, timeToImpactLowHours, timeToImpactHighHours } = trend;
  if (current === null || slopePerHour === null) return null;
  if (timeToImpactHours === null || timeToImpactLowHours === null || timeToImpactHighHours === null) return null;
  const later = (hours: number) => new Date(madeAt.getTime() + hours * HOUR_MS);
  return {
    hostname,
    metric: trend.metric,
    alertName: PREDICTIVE_ALERT_NAMES[trend.metric],
    madeAt,
    limitPct: trend.limitPct,
    value: current,
    slopePerHour,
    expectedAt: later(timeToImpactHours),
    soonestAt: later(timeToImpactLowHours),
    latestAt: later(timeToImpactHighHours),
  };
}

/** What the series did after a prediction. */
interface Aftermath {
  /** When the limit was reached (see `limitReachedAt`), or null. */
  reachedAt: Date | null;
  /** When somebody or something acted on the endpoint's metric before that, or null. */
  intervenedAt: Date | null;
}

/** The part of a ledger row that is filled in later. */
export interface Judgement {
  verdict: PredictionVerdict;
  judgedAt: Date;
  reachedAt: Date | null;
  /** Hours from the prediction to the limit; null when it was not reached. */
  leadHours: number | null;
}

/** Bounds are widened by this share of the predicted time and by at least an hour, the cadence of the checks. */
const TOLERANCE = 0.1;
const MIN_TOLERANCE_HOURS = 1;
/** A limit that has not come after this multiple of the latest predicted time is not what was predicted. */
const GRACE = 1.5;
/** How long every sample must be at the limit for it to count as reached, hours: one noisy reading is not an impact. */
const SUSTAINED_HOURS = 0.75;

/** When the limit was reached: the first of two or more samples, over 45 minutes or longer, that are all at or above it. Samples in time order. */
export function limitReachedAt(
  samples: readonly { atMs: number; value: number | null }[],
  limitPct: number,
): Date | null {
  let firstMs: number | null = null;
  for (const { atMs, value } of samples) {
    if (value === null || Number.isNaN(value)) continue;
    if (value < limitPct) firstMs = null;
    else if (firstMs === null) firstMs = atMs;
    else if (atMs - firstMs >= SUSTAINED_HOURS * HOUR_MS) return new Date(firstMs);
  }
  return null;
}

/**
 * What a series says of the time after a prediction.
 * @param samples of the metric, in time order, from the prediction on
 * @param actedAt when a person or a remediation dealt with its alert, if one did
 */
export function aftermathOf(
  prediction: Prediction,
  samples: readonly { atMs: number; value: number | null }[],
  actedAt: Date | null,
  now: Date,
): Aftermath {
  const reachedAt = limitReachedAt(samples, prediction.limitPct);
  const lastMs = samples.findLast(({ value }) => value !== null)?.atMs ?? prediction.madeAt.getTime();
  // An endpoint that was out of sight when the limit was due proves nothing either way.
  const outOfSight = now > predictionDeadline(prediction) && lastMs < prediction.soonestAt.getTime();
  return { reachedAt, intervenedAt: actedAt ?? (outOfSight ? new Date(lastMs) : null) };
}

/** Until when a prediction can still be confirmed; a later impact is another story. */
export function predictionDeadline(prediction: Prediction): Date {
  const madeMs = prediction.madeAt.getTime();
  return new Date(madeMs + GRACE * (prediction.latestAt.getTime() - madeMs) + MIN_TOLERANCE_HOURS * HOUR_MS);
}

/** Judges a prediction by what is known at `now`. `open` means: ask again later; every other verdict is final. */
export function judgePrediction(prediction: Prediction, { reachedAt, intervenedAt }: Aftermath, now: Date): Judgement {
  const made = prediction.madeAt.getTime();
  const last = predictionDeadline(prediction);
  const closed = (verdict: PredictionVerdict, reached: Date | null = null): Judgement => ({
    verdict,
    judgedAt: now,
    reachedAt: reached,
    leadHours: reached === null ? null : (reached.getTime() - made) / HOUR_MS,
  });
  const reached = reachedAt !== null && reachedAt <= last ? reachedAt : null;
  if (intervenedAt !== null && intervenedAt <= last && (reached === null || intervenedAt < reached)) {
    return closed('averted');
  }
  if (reached === null) return closed(now > last ? 'false' : 'open');
  const tolerance = (predicted: Date) =>
    Math.max(MIN_TOLERANCE_HOURS * HOUR_MS, TOLERANCE * (predicted.getTime() - made));
  if (reached.getTime() < prediction.soonestAt.getTime() - tolerance(prediction.soonestAt))
    return closed('late', reached);
  if (reached.getTime() > prediction.latestAt.getTime() + tolerance(prediction.latestAt))
    return closed('early', reached);
  return closed('hit', reached);
}

export interface PredictionAccuracy {
  predictions: number;
  open: number;
  averted: number;
  hits: number;
  early: number;
  late: number;
  falseAlarms: number;
  /** Share of the judged (neither open nor averted) whose limit was reached, 0–1; null when none was judged. */
  precision: number | null;
  /** Share of the judged whose limit came within the predicted bounds, 0–1; 0.9 is what the interval promises. */
  withinBounds: number | null;
  /** Median hours of warning among those that came true; null when none did. */
  leadHoursMedian: number | null;
  /** Null when nothing was watched. */
  falseAlarmsPerEndpointWeek: number | null;
}

/** Sums up a ledger. `endpointWeeks`: over the same period, the watched endpoints times the weeks that each was watched. */
export function predictionAccuracy(
  judgements: readonly Pick<Judgement, 'verdict' | 'leadHours'>[],
  endpointWeeks: number,
): PredictionAccuracy {
  const count = (verdict: PredictionVerdict) => judgements.filter((judgement) => judgement.verdict === verdict).length;
  const [hits, early, late, falseAlarms] = [count('hit'), count('early'), count('late'), count('false')];
  const came = hits + early + late;
  const judged = came + falseAlarms;
  const leads = judgements.flatMap(({ leadHours }) => (leadHours === null ? [] : [leadHours]));
  return {
    predictions: judgements.length,
    open: count('open'),
    averted: count('averted'),
    hits,
    early,
    late,
    falseAlarms,
    precision: judged === 0 ? null : came / judged,
    withinBounds: judged === 0 ? null : hits / judged,
    leadHoursMedian: leads.length === 0 ? null : median(leads),
    falseAlarmsPerEndpointWeek: endpointWeeks > 0 ? falseAlarms / endpointWeeks : null,
  };
}

/** From when to when an endpoint was watched. */
export interface WatchedSpan {
  from: Date;
  to: Date;
}

/** The weeks that endpoints were watched between two timestamps, summed over all. */
export function endpointWeeks(spans: readonly WatchedSpan[], since: Date, now: Date): number {
  const weekMs = WEEK_HOURS * HOUR_MS;
  return spans.reduce((sum, { from, to }) => {
    const start = Math.max(from.getTime(), since.getTime());
    return sum + Math.max(0, Math.min(to.getTime(), now.getTime()) - start) / weekMs;
  }, 0);
}
