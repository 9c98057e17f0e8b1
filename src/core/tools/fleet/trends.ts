/** The tool that says where an endpoint's metrics are heading; it only reads. */
import { z } from 'zod';
import { thin, tidy } from '../../../domain/forecasts/seriesShape.ts';
import { type Projection, project, type Trend } from '../../../domain/forecasts/trend.ts';
import { TREND_METRICS, TREND_RULES, type TrendMetric, WEEK_HOURS } from '../../../domain/forecasts/trendRules.ts';
import { signalOfWireName, wireName } from '../../../domain/signals/catalogue.ts';
import type { ChartSpec } from '../../chart.ts';
import { historySince, METRIC_TEXT, trendsOf } from '../../forecasts/forecasting.ts';
import { horizonsInForce } from '../../forecasts/predictionThresholds.ts';
import type { MetricPoint } from '../../ports/endpointPorts.ts';
import { iso } from '../../present.ts';
import { machinePage } from '../../presentation.ts';
import { requireEndpoint } from '../../scans/scanning.ts';
import { hostnameInput, timestamp } from '../../shapes.ts';
import { machineSubject } from '../../subjects.ts';
import { defineTool } from '../../tool.ts';

const HOUR_MS = 3_600_000;
/** A point for every two hours: about a hundred in the window, as many as a picture shows. */
const COURSE_STEP_HOURS = 2;
/** Points of the line ahead: few would cut the corner where it meets 0 or 100. */
const AHEAD_POINTS = 24;

const WIRE_METRICS = TREND_METRICS.map(wireName);
/** @param wire one of `WIRE_METRICS` */
const metricOf = (wire: string) => signalOfWireName(wire) as TrendMetric;

const number = z.number().nullable();
export const trendShape = z.object({
  metric: z.enum(WIRE_METRICS),
  status: z.enum(['alert', 'rising', 'stable', 'improving', 'insufficient_data']),
  reason: z.string(),
  current: number,
  limit_pct: z.number(),
  slope_per_hour: number,
  projected_24h: number,
  projected_24h_low: number,
  projected_24h_high: number,
  projected_7d: number,
  projected_7d_low: number,
  projected_7d_high: number,
  time_to_impact_hours: number,
  time_to_impact_low_hours: number,
  time_to_impact_high_hours: number,
  time_to_impact: z.string().nullable(),
  r2: number,
  points: z.number().int(),
});

/** What the picture shows of one metric. */
const historyShape = z.object({
  metric: z.enum(WIRE_METRICS),
  limit_pct: z.number(),
  points: z.array(z.object({ at: timestamp, value: z.number() })),
  /** The line through the present stretch and on; the bounds only from now on. */
  fit: z.array(z.object({ at: timestamp, value: z.number(), low: number, high: number })),
  now: timestamp,
  impact_at: timestamp.nullable(),
});

export const getTrends = defineTool({
  name: 'get_trends',
  title: 'Show trends',
  effect: 'read',
  reach: 'selection',
  toolset: 'machines',
  subject: machineSubject,
  description:
    'Where disk, memory and CPU of a machine are heading: slope, projections, hours until 90 % with bounds, and why. The chart shows the metric that gets there first, or the one named.',
  http: { method: 'GET', path: '/api/v1/dex/endpoints/:hostname/trends' },
  command: { name: 'trends', args: ['hostname', 'metric'], example: 'trends dev-machine-01' },
  input: z.strictObject({
    hostname: hostnameInput,
    metric: z.enum(WIRE_METRICS).optional().describe('Which one to chart'),
  }),
  output: z.object({ hostname: z.string(), trends: z.array(trendShape), history: historyShape.nullable() }),
  async run({ hostname: host, metric }, { ports, now }) {
    const endpoint = await requireEndpoint(ports, host);
    const { hostname } = endpoint;
    const histories = await ports.store.snapshots.histories([endpoint.id], historySince(now));
    const points = histories.get(endpoint.id) ?? [];
    const trends = trendsOf(points, now, await horizonsInForce(ports)).map(asMeasured);
    const charted = metric ? trends.find((trend) => trend.metric === metricOf(metric)) : mostUrgent(trends);
    return {
      hostname,
      trends: trends.map(presentTrend),
      history: charted ? historyOf(charted, points, now) : null,
    };
  },
  page: ({ hostname }) => machinePage(hostname),
  summary: ({ hostname, trends }) => [`Trends of ${hostname}`, ...trends.map(trendLine)].join('\n'),
  chart: ({ hostname, trends, history }) => {
    const trend = trends.find(({ metric }) => metric === history?.metric);
    return history && trend && history.points.length > 1 ? trendChart(hostname, trend, history) : null;
  },
});

/**
 * A line through days of samples may meet a limit tomorrow that the last sample is past already; what was measured then counts, in the
 * text as in the picture.
 */
export function asMeasured(trend: Trend): Trend {
  const { current, limitPct, reached } = trend;
  if (reached || current === null || current < limitPct) return trend;
  return {
    ...trend,
    status: 'alert',
    timeToImpactHours: 0,
    timeToImpactLowHours: 0,
    timeToImpactHighHours: 0,
    timeToImpactText: 'now',
    reason: `stands at ${round(current, 1)} % by the last sample, past ${limitPct} %`,
  };
}

/** The one that reaches its limit first; without any, the fullest. */
function mostUrgent(trends: readonly Trend[]): Trend | undefined {
  const impact = ({ timeToImpactHours }: Trend) => timeToImpactHours ?? Number.POSITIVE_INFINITY;
  const level = ({ current }: Trend) => current ?? -1;
  const isAlert = ({ status }: Trend) => Number(status === 'alert');
  return trends.toSorted(
    (a, b) => isAlert(b) - isAlert(a) || compare(impact(a), impact(b)) || compare(level(b), level(a)),
  )[0];
}

function compare(a: number, b: number): number {
  return a < b ? -1 : Number(a > b);
}

export function presentTrend(trend: Trend): z.input<typeof trendShape> {
  const range = (projection: Projection | null, end: keyof Projection) => projection && round(projection[end], 1);
  return {
    metric: wireName(trend.metric),
    status: trend.status,
    reason: trend.reason,
    current: round(trend.current, 1),
    limit_pct: trend.limitPct,
    slope_per_hour: round(trend.slopePerHour, 4),
    projected_24h: range(trend.projected24h, 'value'),
    projected_24h_low: range(trend.projected24h, 'low'),
    projected_24h_high: range(trend.projected24h, 'high'),
    projected_7d: range(trend.projected7d, 'value'),
    projected_7d_low: range(trend.projected7d, 'low'),
    projected_7d_high: range(trend.projected7d, 'high'),
    time_to_impact_hours: round(trend.timeToImpactHours, 1),
    time_to_impact_low_hours: round(trend.timeToImpactLowHours, 1),
    time_to_impact_high_hours: round(trend.timeToImpactHighHours, 1),
    time_to_impact: trend.timeToImpactText,
    r2: round(trend.r2, 3),
    points: trend.points,
  };
}

function round(value: number, decimals: number): number;
function round(value: number | null, decimals: number): number | null;
function round(value: number | null, decimals: number): number | null {
  return value === null ? null : Math.round(value * 10 ** decimals) / 10 ** decimals;
}

function historyOf(trend: Trend, points: readonly MetricPoint[], now: Date): z.input<typeof historyShape> {
  const series = points.map((point) => ({ atMs: point.atMs, value: point[trend.metric] }));
  const { lookbackHours } = TREND_RULES[trend.metric];
  const { hours, values } = thin(tidy(series, now.getTime(), lookbackHours), COURSE_STEP_HOURS);
  const at = (hour: number) => iso(new Date(now.getTime() + hour * HOUR_MS));
  const impact = trend.timeToImpactHours;
  return {
    metric: wireName(trend.metric),
    limit_pct: trend.limitPct,
    points: hours.map((hour, i) => ({ at: at(hour), value: round(values[i] as number, 1) })),
    fit: (isPastItsLine(trend) ? [] : fitOf(trend, now)).map(({ hour, value, low, high }) => ({
      at: at(hour),
      value: round(value, 1),
      low: round(low, 1),
      high: round(high, 1),
    })),
    now: iso(now),
    impact_at: impact !== null && impact <= WEEK_HOURS ? at(impact) : null,
  };
}

/** The limit is reached, and the line does not know it yet: drawn, it would say that it comes. */
function isPastItsLine({ timeToImpactHours, line, limitPct }: Trend): boolean {
  return timeToImpactHours === 0 && line !== null && line.levelNow < limitPct;
}

interface FitPoint {
  hour: number;
  value: number;
  low: number | null;
  high: number | null;
}

/** The fitted line by hours from now: from where its stretch began to a little past the limit, with the bounds ahead. */
function fitOf({ line, slopePerHour, ...trend }: Trend, now: Date): FitPoint[] {
  if (line === null || slopePerHour === null) return [];
  const { levelNow, margin: marginNow, peakAbove } = line;
  const fit = {
    levelNow,
    marginNow,
    slopePerHour,
    lowPerHour: trend.slopeLowPerHour ?? slopePerHour,
    highPerHour: trend.slopeHighPerHour ?? slopePerHour,
  };
  const latest = trend.timeToImpactHighHours ?? trend.timeToImpactHours ?? 0;
  const endHour = Math.min(WEEK_HOURS, Math.max(24, latest * 1.1));
  const startHour = ((trend.segmentStartedAt?.getTime() ?? now.getTime()) - now.getTime()) / HOUR_MS;
  const ahead = Array.from({ length: AHEAD_POINTS + 1 }, (_, i) => (i / AHEAD_POINTS) * endHour);
  return [
    { hour: startHour, value: project(fit, startHour).value, low: null, high: null },
    ...ahead.map((hour) => {
      const { value, low, high } = project(fit, hour);
      // Daily or regular peaks stand above the line, and they meet the limit first.
      return { hour, value, low, high: Math.min(100, high + peakAbove) };
    }),
  ];
}

export function trendLine(trend: z.output<typeof trendShape>): string {
  const name = METRIC_TEXT[metricOf(trend.metric)];
  const level = trend.current === null ? '' : ` ${trend.current} %`;
  return `${name}${level} (${trend.status.replace('_', ' ')}): ${trend.reason}`;
}

function trendChart(
  hostname: string,
  trend: z.output<typeof trendShape>,
  history: z.output<typeof historyShape>,
): ChartSpec {
  const name = METRIC_TEXT[metricOf(history.metric)];
  const point = ({ at, value }: { at: string; value: number }) => ({ at: new Date(at), value });
  const what = `${name[0]?.toUpperCase()}${name.slice(1)} of ${hostname}`;
  const title =
    trend.time_to_impact === null || trend.time_to_impact === 'now'
      ? `${what}: ${trend.current} %, ${trend.status.replace('_', ' ')}`
      : `${what} reaches ${history.limit_pct} % in ${trend.time_to_impact}`;
  return {
    kind: 'time_series',
    title,
    alt: `${title}. ${trendLine(trend)}.`,
    yTitle: `${name} used, %`,
    yDomain: [0, 100],
    lines: [
      { name: 'measured', points: history.points.map(point) },
      ...(history.fit.length > 0 ? [{ name: 'trend', points: history.fit.map(point) }] : []),
    ],
    limits: [{ name: 'limit', value: history.limit_pct }],
    band: history.fit.flatMap(({ at, low, high }) =>
      low === null || high === null ? [] : [{ at: new Date(at), low, high }],
    ),
    timestamps: [
      { name: 'now', at: new Date(history.now) },
      ...(history.impact_at !== null && trend.time_to_impact !== 'now'
        ? [{ name: `${history.limit_pct} % in ${trend.time_to_impact}`, at: new Date(history.impact_at) }]
        : []),
    ],
  };
}
