/** Tools for predictions: the hourly check of the fleet, and how earlier predictions turned out. */
import { z } from 'zod';
import { type PredictionAccuracy, VERDICTS } from '../../../domain/forecasts/prediction.ts';
import type { ThresholdFigures } from '../../../domain/forecasts/predictionThreshold.ts';
import { PREDICTIVE_ALERT_NAMES } from '../../../domain/forecasts/predictiveAlert.ts';
import { round1 } from '../../../domain/scores/score.ts';
import { INTERFACES } from '../../actor.ts';
import { checkFleet } from '../../forecasts/forecasting.ts';
import { judgePredictions, publishAccuracy, summariseLedger } from '../../forecasts/predictionLedger.ts';
import { setThreshold, type ThresholdView, thresholdViews } from '../../forecasts/predictionThresholds.ts';
import { iso } from '../../present.ts';
import { timestamp } from '../../shapes.ts';
import { defineTool } from '../../tool.ts';

/** Predictions listed one by one; the figures speak for the rest. */
const RECENT = 20;

const alertName = z.enum(Object.values(PREDICTIVE_ALERT_NAMES));
const figures = {
  predictions: z.number().int(),
  open: z.number().int(),
  hits: z.number().int(),
  early: z.number().int(),
  late: z.number().int(),
  false_alarms: z.number().int(),
  averted: z.number().int(),
  precision: z.number().nullable(),
  within_bounds: z.number().nullable(),
  lead_hours_median: z.number().nullable(),
  false_alarms_per_endpoint_week: z.number().nullable(),
};

const outlookShape = z.object({
  came_true: z.number().int(),
  false_alarms: z.number().int(),
  missed: z.number().int(),
  precision: z.number().nullable(),
  lead_hours_median: z.number().nullable(),
});
const thresholdShape = z.object({
  alert_name: alertName,
  horizon_hours: z.number(),
  default_hours: z.number(),
  set_by: z.string().nullable(),
  set_at: timestamp.nullable(),
  judged: z.number().int(),
  proposed_hours: z.number().nullable(),
  reason: z.string(),
  before: outlookShape,
  after: outlookShape.nullable(),
});
type WireThreshold = z.output<typeof thresholdShape>;

export const getPredictionAccuracy = defineTool({
  name: 'get_prediction_accuracy',
  title: 'Show how predictions turned out',
  effect: 'read',
  reach: 'selection',
  toolset: 'predictions',
  description:
    'How far predictive alerts can be trusted: precision, hours of warning, false alarms per endpoint-week over lookback_days, and the latest predictions with what became of them.',
  http: { method: 'GET', path: '/api/v1/dex/predictions/accuracy' },
  command: { name: 'predictions', args: ['lookback_days'], example: 'predictions 28' },
  input: z.strictObject({ lookback_days: z.coerce.number().int().min(1).max(365).default(28) }),
  output: z.object({
    lookback_days: z.number().int(),
    ...figures,
    endpoint_weeks: z.number(),
    by_alert_name: z.partialRecord(alertName, z.object(figures)),
    recent: z.array(
      z.object({
        hostname: z.string(),
        alert_name: alertName,
        made_at: timestamp,
        soonest_at: timestamp,
        expected_at: timestamp,
        latest_at: timestamp,
        verdict: z.enum(VERDICTS),
        reached_at: timestamp.nullable(),
        lead_hours: z.number().nullable(),
      }),
    ),
    /** How far ahead each alert is announced, and what the last 90 days say of that. */
    thresholds: z.array(thresholdShape),
    computed_at: timestamp,
  }),
  async run({ lookback_days }, { ports, now }) {
    const { all, byAlertName, endpointWeeks, predictions } = await summariseLedger(ports, lookback_days, now);
    return {
      lookback_days,
      ...presentAccuracy(all),
      endpoint_weeks: round1(endpointWeeks),
      by_alert_name: Object.fromEntries([...byAlertName].map(([name, each]) => [name, presentAccuracy(each)])),
      recent: predictions.slice(0, RECENT).map((prediction) => ({
        hostname: prediction.hostname,
        alert_name: prediction.alertName,
        made_at: iso(prediction.madeAt),
        soonest_at: iso(prediction.soonestAt),
        expected_at: iso(prediction.expectedAt),
        latest_at: iso(prediction.latestAt),
        verdict: prediction.verdict,
        reached_at: iso(prediction.reachedAt),
        lead_hours: prediction.leadHours === null ? null : round1(prediction.leadHours),
      })),
      thresholds: (await thresholdViews(ports, now)).map(presentThreshold),
      computed_at: iso(now),
    };
  },
  summary: (ledger) => {
    const days = `the last ${ledger.lookback_days} day${ledger.lookback_days === 1 ? '' : 's'}`;
    const thresholds = ledger.thresholds
      .filter(({ set_by, proposed_hours }) => set_by !== null || proposed_hours !== null)
      .map(thresholdText);
    if (ledger.predictions === 0) return [`No limit was predicted in ${days}.`, ...thresholds].join('\n');
    return [
      `${ledger.predictions} prediction${ledger.predictions === 1 ? '' : 's'} in ${days}: ${accuracyText(ledger)}.`,
      ...Object.entries(ledger.by_alert_name).map(([name, each]) => `${name}: ${accuracyText(each)}`),
      ...ledger.recent.map(
        ({ hostname, alert_name, made_at, expected_at, verdict, reached_at }) =>
          `${made_at} ${alert_name} on ${hostname}, expected ${expected_at}: ${VERDICT_TEXT[verdict]}${reached_at ? `, reached ${reached_at}` : ''}`,
      ),
      ...thresholds,
    ].join('\n');
  },
  chart: (ledger) =>
    ledger.predictions === 0
      ? null
      : {
          kind: 'bars',
          title: `What became of predictions, last ${ledger.lookback_days} days`,
          alt: `Of ${ledger.predictions} predictions: ${outcomes(ledger)
            .map(({ name, value }) => `${value} ${name}`)
            .join(', ')}`,
          xTitle: 'Predictions',
          bars: outcomes(ledger),
        },
});

export const setPredictionThreshold = defineTool({
  name: 'set_prediction_threshold',
  title: 'Set how far ahead an alert is predicted',
  effect: 'write',
  reach: 'fleet',
  toolset: 'predictions',
  humansOnly: true,
  description:
    'Use the horizon that {get_prediction_accuracy} proposes for a predictive alert (proposed), or go back to the default.',
  http: { method: 'POST', path: '/api/v1/dex/predictions/thresholds/:alert_name' },
  command: { name: 'tune', args: ['alert_name', 'horizon'], example: 'tune DiskFull proposed' },
  input: z.strictObject({ alert_name: alertName, horizon: z.enum(['proposed', 'default']) }),
  output: z.object({ threshold: thresholdShape }),
  run: async ({ alert_name, horizon }, { ports, actor, now }) => ({
    threshold: presentThreshold(await setThreshold(ports, alert_name, horizon, actor, now)),
  }),
  summary: ({ threshold }) => thresholdText(threshold),
});

export const checkPredictions = defineTool({
  name: 'check_predictions',
  title: 'Check predictions',
  effect: 'write',
  reach: 'fleet',
  hiddenFrom: INTERFACES.filter((via) => via !== 'job'),
  description: 'Predict limits for the whole fleet: raise and end predictive alerts, and judge earlier predictions.',
  input: z.strictObject({}),
  output: z.object({
    endpoints: z.number().int(),
    raised: z.number().int(),
    ended: z.number().int(),
    judged: z.number().int(),
  }),
  async run(_input, { ports, actor, now, signal, progress }) {
    const total = await ports.store.endpoints.count();
    const checked = await checkFleet(ports, actor, now, signal, (endpoints) =>
      progress(Math.min(1, endpoints / total), `${endpoints} of ${total} endpoints`),
    );
    const judged = await judgePredictions(ports, now, signal);
    await publishAccuracy(ports, now);
    return { ...checked, judged };
  },
  summary: ({ endpoints, raised, ended, judged }) =>
    `${endpoints} endpoints checked: ${raised} predictions made, ${ended} ended, ${judged} judged.`,
  // Some minutes after the full hour, when the fleet scan has brought the newest samples.
  schedule: { job: 'dex_check_predictive_alerts', cron: () => '7 * * * *' },
});

function presentThreshold({ alertName, horizonHours, defaultHours, kept, proposal }: ThresholdView): WireThreshold {
  const { judged, before, proposed, reason } = proposal;
  return {
    alert_name: alertName,
    horizon_hours: horizonHours,
    default_hours: defaultHours,
    set_by: kept?.setBy ?? null,
    set_at: iso(kept?.setAt ?? null),
    judged,
    proposed_hours: proposed?.horizonHours ?? null,
    reason,
    before: presentOutlook(before),
    after: proposed && presentOutlook(proposed.after),
  };
}

function presentOutlook(outlook: ThresholdFigures): z.output<typeof outlookShape> {
  const { cameTrue, falseAlarms, missed, precision, leadHoursMedian } = outlook;
  return {
    came_true: cameTrue,
    false_alarms: falseAlarms,
    missed,
    precision: precision === null ? null : Math.round(precision * 1000) / 1000,
    lead_hours_median: leadHoursMedian === null ? null : round1(leadHoursMedian),
  };
}

function thresholdText({
  alert_name,
  horizon_hours,
  set_by,
  proposed_hours,
  reason,
  before,
  after,
}: WireThreshold): string {
  const now = `${alert_name} is announced up to ${horizon_hours} hours ahead${set_by === null ? '' : ` (set by ${set_by})`}`;
  if (proposed_hours === null || after === null) return `${now}: ${reason}.`;
  const words = (each: typeof before) =>
    `${each.came_true} came true, ${each.false_alarms} did not, ${each.lead_hours_median} h of warning`;
  return `${now}: ${words(before)}. Proposed are ${proposed_hours} hours: ${words(after)}. Take it over with: tune ${alert_name} proposed`;
}

type WireFigures = z.output<z.ZodObject<typeof figures>>;

function presentAccuracy(accuracy: PredictionAccuracy): WireFigures {
  const share = (value: number | null) => (value === null ? null : Math.round(value * 1000) / 1000);
  return {
    predictions: accuracy.predictions,
    open: accuracy.open,
    hits: accuracy.hits,
    early: accuracy.early,
    late: accuracy.late,
    false_alarms: accuracy.falseAlarms,
    averted: accuracy.averted,
    precision: share(accuracy.precision),
    within_bounds: share(accuracy.withinBounds),
    lead_hours_median: accuracy.leadHoursMedian === null ? null : round1(accuracy.leadHoursMedian),
    false_alarms_per_endpoint_week: share(accuracy.falseAlarmsPerEndpointWeek),
  };
}

const VERDICT_TEXT: Record<(typeof VERDICTS)[number], string> = {
  open: 'its time is not up',
  hit: 'came when predicted',
  early: 'came later than predicted',
  late: 'came sooner than predicted',
  false: 'did not come',
  averted: 'averted',
};

function outcomes(each: WireFigures): { name: string; value: number }[] {
  return [
    { name: 'came when predicted', value: each.hits },
    { name: 'came later', value: each.early },
    { name: 'came sooner', value: each.late },
    { name: 'did not come', value: each.false_alarms },
    { name: 'averted', value: each.averted },
    { name: 'still open', value: each.open },
  ];
}

function accuracyText(each: WireFigures): string {
  const parts = outcomes(each)
    .filter(({ value }) => value > 0)
    .map(({ name, value }) => `${value} ${name}`);
  if (each.precision !== null) parts.push(`precision ${Math.round(each.precision * 100)} %`);
  if (each.lead_hours_median !== null) parts.push(`${each.lead_hours_median} h of warning (median)`);
  if (each.false_alarms_per_endpoint_week !== null) {
    parts.push(`${each.false_alarms_per_endpoint_week} false alarms per endpoint-week`);
  }
  return parts.join(', ');
}
