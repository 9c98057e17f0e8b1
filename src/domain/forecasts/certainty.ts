/** How likely a predicted limit is reached within some time, from the bounds that the prediction was made with. */
import type { Prediction } from './prediction.ts';

const HOUR_MS = 3_600_000;
/** The ends of a 90 % interval lie so many standard deviations apart. */
const DEVIATIONS_APART = 2 * 1.645;
/** No prediction is surer of its time than this: a standard deviation of 10 %. */
const LEAST_SIGMA = 0.1;

/**
 * Probability, 0–1. Times until a limit are skewed, so the interval is read as one of their logarithm; `nowHours` is what the
 * last check expects, 0 for what is reached already.
 */
export function reachedWithin(
  { madeAt, soonestAt, latestAt }: Pick<Prediction, 'madeAt' | 'soonestAt' | 'latestAt'>,
  nowHours: number,
  withinHours: number,
): number {
  if (nowHours <= 0) return 1;
  const hours = (at: Date) => Math.max(0.5, (at.getTime() - madeAt.getTime()) / HOUR_MS);
  const sigma = Math.max(LEAST_SIGMA, Math.log(hours(latestAt) / hours(soonestAt)) / DEVIATIONS_APART);
  return normalShare(Math.log(withinHours / nowHours) / sigma);
}

/** Share of a normal distribution below z; a logistic curve is within 0.01 of it. */
function normalShare(z: number): number {
  return 1 / (1 + Math.exp(-1.702 * z));
}
