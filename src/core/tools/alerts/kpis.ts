/** The tool for KPIs: reaction, repair, noise and the fleet's score over some days. */
import { z } from 'zod';
import { RESOLUTIONS } from '../../../domain/alerts/alert.ts';
import { kpis, openFigures } from '../../../domain/alerts/kpi.ts';
import { approvalLatencyMinutes, healingKpis } from '../../../domain/healing/healingKpi.ts';
import { AGREEMENTS } from '../../../domain/people/enps.ts';
import { round1 } from '../../../domain/scores/score.ts';
import type { ChartSpec, FiguresChart, TimeSeriesChart } from '../../chart.ts';
import { feedbackSummary } from '../../people/feedback.ts';
import type { FleetScore } from '../../ports/endpointPorts.ts';
import { iso } from '../../present.ts';
import { timestamp } from '../../shapes.ts';
import { defineTool } from '../../tool.ts';
import { AGREEMENT_WORDS, enpsText } from '../feedback.ts';

const DAY_MS = 86_400_000;

/** Points of the fleet's history in an answer; more say nothing more. */
const HISTORY_POINTS = 168;

/** Groups whose feelings are reported; the summary of feedback has all. */
const MOST_GROUPS = 10;

const minutes = z.number().nullable();

export const getKpis = defineTool({
  name: 'get_kpis',
  title: 'Show KPIs',
  effect: 'read',
  reach: 'selection',
  description:
    'A report of the last lookback_days beside those before: alerts, times to acknowledge and resolve, repairs, the fleet score, and how happy employees are (eNPS, by group). Why a figure is missing is said.',
  http: { method: 'GET', path: '/api/v1/dex/kpis' },
  command: { name: 'kpis', args: ['lookback_days'], example: 'kpis 30' },
  input: z.strictObject({ lookback_days: z.coerce.number().int().min(1).max(365).default(7) }),
  output: z.object({
    lookback_days: z.number().int(),
    mtta_minutes: minutes,
    mttr_minutes: minutes,
    mttr_median_minutes: minutes,
    auto_resolution_rate_pct: z.number().nullable(),
    approval_latency_minutes: minutes,
    confirmed_fix_rate_pct: z.number().nullable(),
    by_playbook: z.array(
      z.object({
        playbook: z.string(),
        runs: z.number().int(),
        fixed: z.number().int(),
        confirmed: z.number().int(),
        denied: z.number().int(),
        confirmed_fix_rate_pct: z.number().nullable(),
      }),
    ),
    avg_fleet_dex_score: z.number().nullable(),
    fleet_score_history: z.array(z.object({ at: timestamp, avg_score: z.number(), hourly_mean: z.boolean() })),
    enps: z.number().nullable(),
    enps_margin: z.number().nullable(),
    enps_low: z.number().nullable(),
    enps_high: z.number().nullable(),
    /** Groups in which people say one thing and their machines' scores another. */
    disagreements: z.array(
      z.object({ group: z.string(), enps: z.number(), avg_dex_score: z.number(), agreement: z.enum(AGREEMENTS) }),
    ),
    total_alerts: z.number().int(),
    resolved_alerts: z.number().int(),
    open_alerts: z.number().int(),
    /** How long they have been open; the times to resolve say nothing of them. */
    open_hours_median: z.number().nullable(),
    open_hours_longest: z.number().nullable(),
    by_alert_name: z.record(z.string(), z.number().int()),
    by_resolution: z.partialRecord(z.enum(RESOLUTIONS), z.number().int()),
    noisiest: z.array(z.object({ hostname: z.string(), alerts: z.number().int(), flaps: z.number().int() })),
    reasons: z.record(z.string(), z.string()),
    /** The period of the same length before; the fleet score is the one it ended with. */
    before: z.object({
      mtta_minutes: minutes,
      mttr_minutes: minutes,
      auto_resolution_rate_pct: z.number().nullable(),
      approval_latency_minutes: minutes,
      confirmed_fix_rate_pct: z.number().nullable(),
      avg_fleet_dex_score: z.number().nullable(),
      total_alerts: z.number().int(),
      resolved_alerts: z.number().int(),
    }),
    /** How groups of employees feel, where enough of them answered. */
    enps_by_group: z.array(
      z.object({
        group: z.string(),
        enps: z.number(),
        enps_low: z.number(),
        enps_high: z.number(),
        responses: z.number().int(),
        avg_dex_score: z.number().nullable(),
      }),
    ),
    computed_at: timestamp,
  }),
  async run({ lookback_days }, { ports, now }) {
    const since = new Date(now.getTime() - lookback_days * DAY_MS);
    const before = new Date(since.getTime() - lookback_days * DAY_MS);
    const { store } = ports;
    const [moved, open, scores, fleet, allRemediations, allApprovals, said] = await Promise.all([
      store.alerts.movedSince(before),
      store.alerts.open(),
      store.fleetScores.since(before),
      store.endpoints.fleet(),
      store.remediations.finishedSince(before),
      store.approvals.decidedSince(before),
      feedbackSummary(ports, { lookbackDays: lookback_days }, now),
    ]);
    const history = scores.filter(({ at }) => at >= since);
    const [remediations, earlierRemediations] = divided(allRemediations, since, ({ finishedAt }) => finishedAt);
    const [approvals, earlierApprovals] = divided(allApprovals, since, ({ decidedAt }) => decidedAt);
    const earlier = kpis(moved, before, since);
    const healing = healingKpis(remediations);
    const latency = approvalLatencyMinutes(approvals);
    const figures = kpis(moved, since);
    const stillOpen = openFigures(open, now);
    const average = currentAverage(fleet);
    return {
      lookback_days,
      mtta_minutes: figures.mttaMinutes,
      mttr_minutes: figures.mttrMinutes,
      mttr_median_minutes: figures.mttrMedianMinutes,
      auto_resolution_rate_pct: figures.autoResolutionRatePct,
      approval_latency_minutes: latency,
      confirmed_fix_rate_pct: healing.confirmedFixRatePct,
      by_playbook: healing.byPlaybook.map(({ confirmedFixRatePct, ...figures }) => ({
        ...figures,
        confirmed_fix_rate_pct: confirmedFixRatePct,
      })),
      avg_fleet_dex_score: average,
      fleet_score_history: thinned(history).map(({ at, average, hourly }) => ({
        at: iso(at),
        avg_score: average,
        hourly_mean: hourly,
      })),
      enps: said.figures?.enps ?? null,
      enps_margin: said.figures?.margin ?? null,
      enps_low: said.figures?.low ?? null,
      enps_high: said.figures?.high ?? null,
      disagreements: said.groups.flatMap(({ group, figures: { enps }, dexScore, agreement }) =>
        dexScore !== null && (agreement === 'people_unhappy' || agreement === 'machines_unwell')
          ? [{ group, enps, avg_dex_score: dexScore, agreement }]
          : [],
      ),
      total_alerts: figures.totalAlerts,
      resolved_alerts: figures.resolvedAlerts,
      open_alerts: stillOpen.alerts,
      open_hours_median: stillOpen.medianHours === null ? null : round1(stillOpen.medianHours),
      open_hours_longest: stillOpen.longestHours === null ? null : round1(stillOpen.longestHours),
      by_alert_name: Object.fromEntries(figures.byAlertName.map(({ alertName, alerts }) => [alertName, alerts])),
      by_resolution: figures.byResolution,
      noisiest: figures.noisiest,
      reasons: {
        ...wireReasons(figures.reasons),
        ...(latency === null && { approval_latency_minutes: 'Nobody answered an approval in this time.' }),
        ...(healing.confirmedFixRatePct === null && {
          confirmed_fix_rate_pct: 'No owner said in this time whether a fix helped.',
        }),
        ...(said.figures === null && { enps: 'Fewer than 5 answers were published in this time.' }),
        ...(average === null && { avg_fleet_dex_score: 'No endpoint has a score yet.' }),
        ...(history.length === 0 && { fleet_score_history: 'No scan of the whole fleet ended in this time.' }),
      },
      before: {
        mtta_minutes: earlier.mttaMinutes,
        mttr_minutes: earlier.mttrMinutes,
        auto_resolution_rate_pct: earlier.autoResolutionRatePct,
        approval_latency_minutes: approvalLatencyMinutes(earlierApprovals),
        confirmed_fix_rate_pct: healingKpis(earlierRemediations).confirmedFixRatePct,
        avg_fleet_dex_score: scores.findLast(({ at }) => at < since)?.average ?? null,
        total_alerts: earlier.totalAlerts,
        resolved_alerts: earlier.resolvedAlerts,
      },
      enps_by_group: said.groups.slice(0, MOST_GROUPS).map(({ group, figures: of, dexScore }) => ({
        group,
        enps: of.enps,
        enps_low: of.low,
        enps_high: of.high,
        responses: of.responses,
        avg_dex_score: dexScore,
      })),
      computed_at: iso(now),
    };
  },
  page: ({ lookback_days }) => `/kpis?days=${lookback_days}`,
  summary: (kpi) => {
    const { before } = kpi;
    const was = (value: number | null | undefined, unit: string) =>
      value === null || value === undefined ? '' : ` (before: ${round1(value)} ${unit})`;
    const figure = (value: number | null, unit: string, name: keyof typeof before | 'confirmed_fix_rate_pct') => {
      const now = value === null ? `not known (${kpi.reasons[name]})` : `${round1(value)} ${unit}`;
      return now + (name === 'confirmed_fix_rate_pct' ? '' : was(before[name], unit));
    };
    const by = Object.entries(kpi.by_alert_name).slice(0, 8);
    return [
      `The last ${kpi.lookback_days} day${kpi.lookback_days === 1 ? '' : 's'} beside the ${kpi.lookback_days} before: ${kpi.total_alerts} alerts (before: ${before.total_alerts}), ${kpi.resolved_alerts} resolved (before: ${before.resolved_alerts}), ${kpi.open_alerts} open now.`,
      ...(by.length > 0 ? [`By name: ${by.map(([name, alerts]) => `${name} ${alerts}`).join(', ')}`] : []),
      `Time to acknowledge: ${figure(kpi.mtta_minutes, 'min', 'mtta_minutes')}`,
      `Time to resolve: ${figure(kpi.mttr_minutes, 'min on average', 'mttr_minutes')}${kpi.mttr_median_minutes === null ? '' : `, ${round1(kpi.mttr_median_minutes)} min median`}${openText(kpi)}`,
      `Resolved by remediation: ${figure(kpi.auto_resolution_rate_pct, '%', 'auto_resolution_rate_pct')}${kpi.open_alerts > 0 ? `, of ${kpi.resolved_alerts} resolved; ${kpi.open_alerts} still open` : ''}`,
      `Fixes confirmed by owners: ${figure(kpi.confirmed_fix_rate_pct, '%', 'confirmed_fix_rate_pct')}`,
      `Fleet score: ${figure(kpi.avg_fleet_dex_score, 'of 100', 'avg_fleet_dex_score')}`,
      `eNPS: ${kpi.enps === null ? `not known (${kpi.reasons.enps})` : enpsText(kpi)}`,
      ...kpi.enps_by_group.map(
        (group) =>
          `eNPS of ${group.group}: ${enpsText(group)}, ${group.responses} answers, machines ${group.avg_dex_score ?? 'not scored'} of 100`,
      ),
      ...kpi.disagreements.map(
        ({ group, enps, avg_dex_score, agreement }) =>
          `${group}: ${AGREEMENT_WORDS[agreement]} (eNPS ${enps}, machines ${avg_dex_score} of 100)`,
      ),
      ...kpi.noisiest
        .slice(0, 5)
        .map(({ hostname, alerts, flaps }) => `Noisy: ${hostname}, ${alerts} alerts, ${flaps} flaps`),
    ].join('\n');
  },
  chart: kpiChart,
  overview: {
    place: 2,
    parts: (kpi) => (kpi.fleet_score_history.length < 2 ? [] : [{ title: null, chart: fleetHistoryChart(kpi) }]),
  },
});

type Kpis = { lookback_days: number; before: Record<string, number | null> } & Record<KpiName, number | null> & {
    fleet_score_history: { at: string; avg_score: number }[];
  };
type KpiName = 'mttr_minutes' | 'mtta_minutes' | 'auto_resolution_rate_pct' | 'avg_fleet_dex_score';

const PICTURED: { name: KpiName; title: string; text(value: number): string; isHigherBetter: boolean }[] = [
  { name: 'avg_fleet_dex_score', title: 'Fleet score', text: (value) => `${value}`, isHigherBetter: true },
  { name: 'mttr_minutes', title: 'Time to resolve', text: minutesText, isHigherBetter: false },
  { name: 'mtta_minutes', title: 'Time to acknowledge', text: minutesText, isHigherBetter: false },
  {
    name: 'auto_resolution_rate_pct',
    title: 'Repaired by itself',
    text: (value) => `${value} %`,
    isHigherBetter: true,
  },
];

function minutesText(minutes: number): string {
  if (minutes < 120) return `${round1(minutes)} min`;
  return minutes < 2880 ? `${round1(minutes / 60)} h` : `${round1(minutes / 1440)} days`;
}

/** The KPIs beside those of the period before, and the fleet's score over the period. */
function kpiChart(kpi: Kpis): ChartSpec | null {
  const figures = PICTURED.map(({ name, title, text, isHigherBetter }): FiguresChart['figures'][number] => {
    const [value, before] = [kpi[name], kpi.before[name] ?? null];
    const change = value === null || before === null ? 0 : value - before;
    return {
      name: title,
      value: value === null ? 'not known' : text(value),
      before: before === null ? null : text(before),
      isBetter: change === 0 ? null : change > 0 === isHigherBetter,
    };
  });
  const history = kpi.fleet_score_history.length < 2 ? null : fleetHistoryChart(kpi);
  if (history === null && PICTURED.every(({ name }) => kpi[name] === null)) return null;
  const title = kpiTitle(kpi);
  const told = figures.map(
    ({ name, value, before }) => `${name} ${value}${before === null ? '' : ` (before: ${before})`}`,
  );
  return { kind: 'figures', title, alt: `${title}: ${told.join(', ')}`, figures, history };
}

function kpiTitle({ lookback_days, avg_fleet_dex_score: score, before: earlier }: Kpis): string {
  const days = lookback_days === 1 ? 'a day' : `${lookback_days} days`;
  if (score === null) return `KPIs of the last ${days}`;
  const before = earlier.avg_fleet_dex_score ?? null;
  const change = before === null ? 0 : round1(score - before);
  const how = change === 0 ? `KPIs of ${days}` : `${Math.abs(change)} ${change > 0 ? 'more' : 'less'} than ${days} ago`;
  return `The fleet scores ${score} of 100: ${how}`;
}

/** What the times to resolve leave out. */
function openText(kpi: { open_alerts: number; open_hours_median: number | null; open_hours_longest: number | null }) {
  if (kpi.open_hours_median === null) return '';
  const { open_alerts, open_hours_median, open_hours_longest } = kpi;
  const one = `; 1 open for ${open_hours_median} h is not in this`;
  const many = `; ${open_alerts} open for ${open_hours_median} h (median; longest ${open_hours_longest} h) are not in this`;
  return open_alerts === 1 ? one : many;
}

/** The fleet's score over the last days; of at least two points. */
function fleetHistoryChart({
  lookback_days,
  fleet_score_history: history,
}: {
  lookback_days: number;
  fleet_score_history: { at: string; avg_score: number }[];
}): TimeSeriesChart {
  const points = history.map(({ at, avg_score }) => ({ at: new Date(at), value: avg_score }));
  const values = points.map(({ value }) => value);
  return {
    kind: 'time_series',
    title: `DEX score of the fleet, last ${lookback_days} days`,
    alt: `The fleet's average score went from ${values[0]} to ${values.at(-1)}; lowest ${Math.min(...values)}.`,
    yTitle: 'Average score',
    // From the ten below: in a healthy fleet all else is a line along the top.
    yDomain: [Math.max(0, Math.floor(Math.min(...values) / 10 - 1) * 10), 100],
    lines: [{ name: 'fleet', points }],
  };
}

const REASON_NAMES = {
  mttaMinutes: 'mtta_minutes',
  mttrMinutes: 'mttr_minutes',
  mttrMedianMinutes: 'mttr_median_minutes',
  autoResolutionRatePct: 'auto_resolution_rate_pct',
} as const;

function wireReasons(reasons: ReturnType<typeof kpis>['reasons']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(reasons).map(([name, reason]) => [REASON_NAMES[name as keyof typeof REASON_NAMES], reason]),
  );
}

function currentAverage(rows: readonly { status: string; endpoints: number; scoreSum: number }[]): number | null {
  const scored = rows.filter(({ status }) => status !== 'unknown');
  const endpoints = scored.reduce((sum, row) => sum + row.endpoints, 0);
  return endpoints === 0 ? null : round1(scored.reduce((sum, row) => sum + row.scoreSum, 0) / endpoints);
}

/** Those of the period, and those of the one before. */
function divided<T>(all: readonly T[], since: Date, atOf: (one: T) => Date | null): [T[], T[]] {
  const isLate = (one: T) => (atOf(one) ?? since) >= since;
  return [all.filter(isLate), all.filter((one) => !isLate(one))];
}

/** Evenly spread over the time series, the last point always among them. */
function thinned<Point extends FleetScore>(history: readonly Point[]): readonly Point[] {
  const step = Math.ceil(history.length / HISTORY_POINTS);
  return history.filter((_point, index) => (history.length - 1 - index) % step === 0);
}
