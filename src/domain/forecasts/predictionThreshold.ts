/** How far ahead predictions of one alert are announced, and what the ledger of earlier ones says of changing that. */
import type { Judgement, Prediction } from './prediction.ts';
import { PREDICTIVE_ALERT_NAMES, type PredictiveAlertName } from './predictiveAlert.ts';
import { median } from './robustFit.ts';
import { TREND_METRICS, TREND_RULES, type TrendMetric, type TrendRules } from './trendRules.ts';

const HOUR_MS = 3_600_000;

/** A horizon that a person took over from the ledger; alerts without one keep the default. */
export interface PredictionThreshold {
  alertName: PredictiveAlertName;
  horizonHours: number;
  setBy: string;
  setAt: Date;
}

/** Horizons by alert; absent: the default. */
export type Horizons = ReadonlyMap<PredictiveAlertName, number>;

export function rulesWith(horizons: Horizons, metric: TrendMetric): TrendRules {
  const horizonHours = horizons.get(PREDICTIVE_ALERT_NAMES[metric]);
  return horizonHours === undefined ? TREND_RULES[metric] : { ...TREND_RULES[metric], horizonHours };
}

export function defaultHorizonHours(alertName: PredictiveAlertName): number {
  const metric = TREND_METRICS.find((each) => PREDICTIVE_ALERT_NAMES[each] === alertName) ?? 'diskPct';
  return TREND_RULES[metric].horizonHours;
}

/** How judged predictions of one alert turned out, or would have with another horizon. */
export interface ThresholdFigures {
  /** Whose limit was reached, with any warning at all. */
  cameTrue: number;
  falseAlarms: number;
  /** Whose limit was reached, and which would not have been announced before. */
  missed: number;
  /** 0–1; null without any. */
  precision: number | null;
  leadHoursMedian: number | null;
}

export interface ThresholdProposal {
  judged: number;
  before: ThresholdFigures;
  /** Null: nothing to change, or nothing can be said; `reason` tells which. */
  proposed: { horizonHours: number; after: ThresholdFigures } | null;
  reason: string;
}

/**
 * With fewer verdicts the share that was confirmed is not known well enough: 20 of them give a 90 % interval of about ±15 points
 * around 80 % (normal approximation of the binomial).
 */
export const JUDGED_NEEDED = 20;
/** Of ten alerts eight have to be confirmed, or people stop reading them. */
const WANTED_PRECISION = 0.8;
/** Less warning than this is no time to act in. */
const WANTED_LEAD_HOURS = 12;
/** A day is the least: nearer than that is critical already. */
const STEP_HOURS = 24;

type Judged = Pick<Prediction, 'madeAt' | 'latestAt'> & Pick<Judgement, 'verdict' | 'leadHours'>;

/**
 * The longest horizon below the present one with which the judged predictions of one alert would have been right often
 * enough, without missing any that came true and with time to act. Only nearer horizons can be judged: what was never announced is in no ledger.
 */
export function proposeHorizon(rows: readonly Judged[], horizonHours: number): ThresholdProposal {
  const judged = rows.filter(({ verdict }) => verdict !== 'open' && verdict !== 'averted');
  const before = figuresWith(judged, horizonHours);
  const none = (reason: string): ThresholdProposal => ({ judged: judged.length, before, proposed: null, reason });
  if (judged.length < JUDGED_NEEDED)
    return none(`${judged.length} predictions were judged; ${JUDGED_NEEDED} are needed`);
  if ((before.precision ?? 0) >= WANTED_PRECISION)
    return none(`${percent(before.precision)} came true, which is good enough`);
  for (let hours = horizonHours - STEP_HOURS; hours >= STEP_HOURS; hours -= STEP_HOURS) {
    const after = figuresWith(judged, hours);
    const inTime = after.missed === 0 && (after.leadHoursMedian ?? 0) >= WANTED_LEAD_HOURS;
    if (inTime && (after.precision ?? 0) >= WANTED_PRECISION)
      return {
        judged: judged.length,
        before,
        proposed: { horizonHours: hours, after },
        reason: `${percent(before.precision)} came true; with ${hours} hours it would have been ${percent(after.precision)}`,
      };
  }
  return none(
    `${percent(before.precision)} came true, and no shorter horizon would have made that ${percent(WANTED_PRECISION)} without missing any`,
  );
}

/**
 * A prediction whose latest time was further away than the horizon would have been announced when that had come nearer, by
 * its own bounds: so much later. One that was not confirmed would not have been announced.
 */
function figuresWith(judged: readonly Judged[], horizonHours: number): ThresholdFigures {
  const leads: number[] = [];
  let falseAlarms = 0;
  let missed = 0;
  for (const { madeAt, latestAt, leadHours } of judged) {
    const later = Math.max(0, (latestAt.getTime() - madeAt.getTime()) / HOUR_MS - horizonHours);
    if (leadHours === null) falseAlarms += later === 0 ? 1 : 0;
    else if (leadHours > later) leads.push(leadHours - later);
    else missed++;
  }
  const announced = leads.length + falseAlarms;
  return {
    cameTrue: leads.length,
    falseAlarms,
    missed,
    precision: announced === 0 ? null : leads.length / announced,
    leadHoursMedian: leads.length === 0 ? null : median(leads),
  };
}

function percent(share: number | null): string {
  return `${Math.round((share ?? 0) * 100)} %`;
}
