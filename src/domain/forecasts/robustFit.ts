/** Fits a straight line that outliers cannot bend, with an interval that does not pretend neighbouring samples are independent. */

/** A series as parallel arrays in time order: hours relative to now (0 is now, the past is negative) and values in percent. */
export interface Track {
  hours: number[];
  values: number[];
}

export interface RobustFit {
  /** Median of all pairwise slopes, percentage points an hour. */
  slopePerHour: number;
  /** 90 % interval of the slope, so each end is a one-sided 95 % bound. */
  lowPerHour: number;
  highPerHour: number;
  /** Height of the line now (hour 0), and the error of that height at the same confidence. */
  levelNow: number;
  marginNow: number;
  /** Value minus line, per point. */
  residuals: number[];
  /** Share of the variance that the line explains, 0–1; null when nothing varies. */
  r2: number | null;
  points: number;
}

/** One-sided 95 % point of the normal distribution. */
const Z95 = 1.645;
/** One-sided 95 % points of Student's t for 2 … 7 degrees of freedom. */
const T95 = [2.92, 2.353, 2.132, 2.015, 1.943, 1.895];
/** Beyond this correlation the stationary model says nothing any more; the random-walk interval takes over. */
const MAX_CORRELATION = 0.9;
/** Turns a median absolute deviation into a standard deviation, for normal noise. */
const MAD_TO_SIGMA = 1.4826;
const BLOCKS = 8;

/** Median; NaN for no values. A typed array sorts without a comparator, and this is where a fleet's analysis spends its time. */
export function median(values: readonly number[]): number {
  return quantile(new Float64Array(values).sort(), 0.5);
}

/** Linear-interpolated quantile of an ascending array; NaN for an empty one. */
export function quantile(ascending: ArrayLike<number>, share: number): number {
  const position = (ascending.length - 1) * share;
  const below = Math.floor(position);
  const low = ascending[below] ?? Number.NaN;
  const high = ascending[Math.min(below + 1, ascending.length - 1)] ?? Number.NaN;
  return low + (high - low) * (position - below);
}

/** Standard deviation estimated from the median absolute deviation: half the data may be garbage. */
export function robustSigma(values: readonly number[]): number {
  const centre = median(values);
  return MAD_TO_SIGMA * median(values.map((value) => Math.abs(value - centre)));
}

/**
 * Theil–Sen line (Theil 1950; Sen 1968, JASA 63:1379) through at least 4 points at 2 or more different times.
 *
 * The slope's interval is the wider of two, because a series of telemetry may be either:
 * - stationary noise around a line: Sen's interval from the order statistics of the pairwise slopes, the variance
 *   of Kendall's S inflated by (1+φ)/(1−φ) for residuals with lag-one correlation φ (Yue & Wang 2004, Water
 *   Resources Management 18:201; φ corrected for its small-sample bias after Marriott & Pope 1954, Biometrika 41:390);
 * - a random walk with drift, for which any stretch looks like a trend: see `driftError`.
 *
 * Cost grows with the square of the points; thin a track to about 64 points first (2,016 pairs).
 */
export function robustFit(track: Track): RobustFit {
  const { hours, values } = track;
  const points = hours.length;
  const slopes = pairwiseSlopes(track);
  const slopePerHour = quantile(slopes, 0.5);
  const offsets = values.map((value, i) => value - slopePerHour * hours[i]!);
  const intercept = median(offsets);
  const residuals = offsets.map((offset) => offset - intercept);

  const correlation = lagOneCorrelation(residuals);
  const inflation = (1 + correlation) / (1 - correlation);
  const spread = Z95 * Math.sqrt(((points * (points - 1) * (2 * points + 5)) / 18) * inflation);
  // A spread beyond the number of pairs has no order statistic; the extreme slopes stand in and the drift error widens them.
  const lowRank = Math.max(0, Math.floor((slopes.length - spread) / 2) - 1);
  const highRank = Math.min(slopes.length - 1, Math.ceil((slopes.length + spread) / 2));
  const drift = driftError(track, slopePerHour);

  // The end of a track decides where it goes from here, so the line is pinned to its last quarter.
  const tail = offsets.slice(-Math.max(6, Math.ceil(points / 4)));
  // 1.253 = √(π/2): standard error of a median relative to that of a mean.
  const marginNow = Z95 * 1.253 * robustSigma(residuals) * Math.sqrt(inflation / tail.length);
  return {
    slopePerHour,
    lowPerHour: Math.min(slopes[lowRank]!, slopePerHour - drift),
    highPerHour: Math.max(slopes[highRank]!, slopePerHour + drift),
    levelNow: median(tail),
    marginNow,
    residuals,
    r2: shareExplained(values, residuals),
    points,
  };
}

/** The Theil–Sen slope alone, percentage points an hour; NaN for fewer than two different times. */
export function medianSlope(track: Track): number {
  return quantile(pairwiseSlopes(track), 0.5);
}

function pairwiseSlopes({ hours, values }: Track): Float64Array {
  const slopes = new Float64Array((hours.length * (hours.length - 1)) / 2);
  let count = 0;
  for (let i = 0; i < hours.length; i++) {
    for (let j = i + 1; j < hours.length; j++) {
      const gap = hours[j]! - hours[i]!;
      if (gap > 0) slopes[count++] = (values[j]! - values[i]!) / gap;
    }
  }
  return slopes.subarray(0, count).sort();
}

function lagOneCorrelation(residuals: readonly number[]): number {
  const n = residuals.length;
  let products = 0;
  let squares = 0;
  for (let i = 0; i < n; i++) {
    squares += residuals[i]! ** 2;
    if (i > 0) products += residuals[i]! * residuals[i - 1]!;
  }
  if (squares < 1e-9 * n || n <= 4) return 0;
  const unbiased = ((products / squares) * n + 1) / (n - 4);
  return Math.min(MAX_CORRELATION, Math.max(0, unbiased));
}

/**
 * Error of the slope (one-sided 95 %) if the series is a random walk with drift: the track is cut into blocks, and the
 * increments between block medians, each judged against slope × gap, give the walk's variance per hour σ²; a drift
 * seen over T hours is then known to σ/√T (Harvey 1989, Forecasting, Structural Time Series Models, ch. 4).
 * A single jump makes one large increment and so a large error; a staircase or steady leak does not.
 * Blocks last a whole day once there are five days, so that a daily cycle cancels within each.
 * Infinite when fewer than three increments exist.
 */
function driftError({ hours, values }: Track, slopePerHour: number): number {
  const end = hours.at(-1)!;
  const span = end - hours[0]!;
  const blockHours = span >= 5 * 24 ? 24 : span / BLOCKS;
  const blocks = new Map<number, { hours: number[]; values: number[] }>();
  for (let i = 0; i < hours.length; i++) {
    const index = Math.floor((end - hours[i]!) / (blockHours * 1.0001));
    const block = blocks.get(index) ?? { hours: [], values: [] };
    block.hours.push(hours[i]!);
    block.values.push(values[i]!);
    blocks.set(index, block);
  }
  const centres = [...blocks.values()].map((block) => ({ at: median(block.hours), value: median(block.values) }));
  const increments = centres.length - 1;
  if (increments < 3) return Number.POSITIVE_INFINITY;
  let variance = 0;
  for (let i = 1; i < centres.length; i++) {
    const gap = centres[i]!.at - centres[i - 1]!.at;
    variance += (centres[i]!.value - centres[i - 1]!.value - slopePerHour * gap) ** 2 / gap;
  }
  const quantile95 = T95[increments - 3] ?? Z95;
  return quantile95 * Math.sqrt(variance / (increments - 1) / span);
}

function shareExplained(values: readonly number[], residuals: readonly number[]): number | null {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const total = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  if (total < 1e-9) return null;
  const left = residuals.reduce((sum, residual) => sum + residual ** 2, 0);
  return Math.max(0, 1 - left / total);
}
