/** The tool that says what will break in the fleet, most certain first. */
import { z } from 'zod';
import { SEVERITIES } from '../../../domain/alerts/alert.ts';
import { PREDICTIVE_ALERT_NAMES } from '../../../domain/forecasts/predictiveAlert.ts';
import { wireName } from '../../../domain/signals/catalogue.ts';
import { amount } from '../../../domain/signals/measures.ts';
import { fleetForecast } from '../../forecasts/fleetForecast.ts';
import { METRIC_TEXT } from '../../forecasts/forecasting.ts';
import { iso } from '../../present.ts';
import { staleBefore } from '../../scores/staleness.ts';
import { pageInput, timestamp } from '../../shapes.ts';
import { defineTool } from '../../tool.ts';

const forecastShape = z.object({
  hostname: z.string(),
  owner_email: z.string().nullable(),
  alert_name: z.enum(Object.values(PREDICTIVE_ALERT_NAMES)),
  metric: z.string(),
  label: z.string(),
  severity: z.enum(SEVERITIES),
  /** That the limit is reached within the days asked for, 0–1. */
  probability: z.number(),
  limit_pct: z.number(),
  value: z.number(),
  expected_at: timestamp,
  soonest_at: timestamp,
  latest_at: timestamp,
  impact: z.string(),
});
/** Machines that the text names. */
const MOST_TOLD = 15;

export const getFleetForecast = defineTool({
  name: 'get_fleet_forecast',
  title: 'Show what will break this week',
  effect: 'read',
  reach: 'selection',
  toolset: 'predictions',
  description:
    'What will break in the fleet within some days (7 by default): disks, memory and CPU that reach their limit, most certain first, and of how many machines nothing can be predicted.',
  http: { method: 'GET', path: '/api/v1/dex/forecast' },
  command: { name: 'forecast', args: ['days'], example: 'forecast 7' },
  input: z.strictObject({
    days: z.coerce.number().int().min(1).max(14).default(7).describe('How many days ahead'),
    ...pageInput,
  }),
  output: z.object({
    days: z.number().int(),
    forecasts: z.array(forecastShape),
    total: z.number().int(),
    endpoints: z.number().int(),
    /** Too new or not answering: nothing is predicted of them. */
    unwatched: z.number().int(),
    /** Share of this fleet's predictions that came true; null while too few were judged. */
    precision: z.number().nullable(),
    computed_at: timestamp,
  }),
  async run({ days, limit, offset }, { ports, now }) {
    const found = await fleetForecast(ports, days, now, staleBefore(ports, now));
    return {
      days,
      forecasts: found.forecasts
        .slice(offset, offset + limit)
        .map(({ endpoint, prediction, probability, expectedAt }) => ({
          hostname: endpoint.hostname,
          owner_email: endpoint.ownerEmail,
          alert_name: prediction.alertName,
          metric: wireName(prediction.metric),
          label: METRIC_TEXT[prediction.metric],
          severity: prediction.severity,
          probability: Math.round(probability * 100) / 100,
          limit_pct: prediction.limitPct,
          value: Math.round(prediction.value * 10) / 10,
          expected_at: iso(expectedAt),
          soonest_at: iso(prediction.soonestAt),
          latest_at: iso(prediction.latestAt),
          impact: prediction.impactText,
        })),
      total: found.forecasts.length,
      endpoints: found.endpoints,
      unwatched: found.unwatched,
      precision: found.precision,
      computed_at: iso(now),
    };
  },
  summary({ days, forecasts, total, endpoints, unwatched, precision }) {
    const span = `the next ${days} day${days === 1 ? '' : 's'}`;
    const machines = `${endpoints} machine${endpoints === 1 ? '' : 's'}`;
    const unknown = unwatched > 0 ? ` Of ${unwatched} nothing can be predicted: too new, or not answering.` : '';
    const trust =
      precision === null ? '' : ` ${Math.round(precision * 100)} % of the last four weeks' predictions came true.`;
    if (total === 0) return `Nothing is predicted to break in ${span}, of ${machines}.${unknown}`;
    return [
      `${total} prediction${total === 1 ? '' : 's'} for ${span}, of ${machines}.${unknown}${trust}`,
      ...forecasts
        .slice(0, MOST_TOLD)
        .map(
          ({ hostname, label, metric, limit_pct, impact, probability }) =>
            `${hostname}: ${label} reaches ${amount(metric, limit_pct)} ${impact === 'now' ? 'now' : `in ${impact}`} (${Math.round(probability * 100)} % certain)`,
        ),
      ...(total > MOST_TOLD ? [`and ${total - Math.min(MOST_TOLD, forecasts.length)} more`] : []),
    ].join('\n');
  },
  rows: ({ forecasts }) => forecasts,
  related: ({ forecasts }) =>
    forecasts.slice(0, 5).map(({ hostname, metric }, place) => ({
      id: `trend_${place}`,
      label: `Trend of ${hostname}`,
      menu: 'Trends',
      tool: 'get_trends',
      input: { hostname, metric },
    })),
  overview: {
    place: 7,
    input: { limit: 5 },
    parts: ({ forecasts, days }) =>
      forecasts.length === 0
        ? []
        : [
            {
              title: `What will break in the next ${days} days`,
              lines: forecasts.map(
                ({ hostname, label, impact, probability }) =>
                  `${hostname}: ${label} ${impact === 'now' ? 'now' : `in ${impact}`} (${Math.round(probability * 100)} % certain)`,
              ),
            },
          ],
  },
});
