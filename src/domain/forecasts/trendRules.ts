/** Which metrics are predicted, and the numbers that their trends are judged by. */

import { SIGNALS, type SignalName, type Signals } from '../signals/catalogue.ts';

/** The signals whose limit is worth predicting: those that the catalogue gives one. */
export type TrendMetric = {
  [Name in SignalName]: Signals[Name] extends { forecastLimit: number } ? Name : never;
}[SignalName];

export interface TrendRules {
  /** The line whose crossing is predicted, percent; 90 in the operations guide. */
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
  /** True for what stays where it was put, so that one reading far below the line is a clean-up and not a dip. */
  keepsLevel: boolean;
}

const SHARED_RULES = {
  lookbackHours: 8 * 24,
  horizonHours: 7 * 24,
  criticalHours: 24,
  minPoints: 12,
  staleHours: 6,
};
export const TREND_RULES: Readonly<Record<TrendMetric, TrendRules>> = {
  diskPct: {
    ...SHARED_RULES,
    limitPct: SIGNALS.diskPct.forecastLimit,
    minSpanHours: 6,
    minHistoryHours: 12,
    keepsLevel: true,
  },
  memoryPct: {
    ...SHARED_RULES,
    limitPct: SIGNALS.memoryPct.forecastLimit,
    minSpanHours: 12,
    minHistoryHours: 48,
    keepsLevel: false,
  },
  cpuPct: {
    ...SHARED_RULES,
    limitPct: SIGNALS.cpuPct.forecastLimit,
    minSpanHours: 24,
    minHistoryHours: 72,
    keepsLevel: false,
  },
};

export const TREND_METRICS = Object.keys(TREND_RULES) as TrendMetric[];

/** Less than this many points a week is no trend that anybody would act on. */
export const MATERIAL_PCT_A_WEEK = 1;
export const WEEK_HOURS = 7 * 24;
