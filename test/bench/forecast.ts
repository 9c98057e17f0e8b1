/**
 * Back-tests the forecasts hour by hour against two common rules, over generated series or a directory of CSV files,
 * and measures how fast a fleet is analysed. Usage: forecast [CSV_DIR] [--seed=N] [--noise=X] [--magnitude=X]
 * [--decimals=N] [--each=N] [--kinds] [--no-fleet]; a CSV file holds `time,value` rows (ISO or ms; percent), its name
 * begins with disk, memory or cpu.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import {
  type Judgement,
  judgePrediction,
  limitReachedAt,
  type Prediction,
  predictionAccuracy,
  predictionOf,
} from '../../src/domain/forecasts/prediction.ts';
import { type OpenPrediction, predictiveAlert } from '../../src/domain/forecasts/predictiveAlert.ts';
import type { SeriesPoint } from '../../src/domain/forecasts/seriesShape.ts';
import { analyseTrend } from '../../src/domain/forecasts/trend.ts';
import { TREND_METRICS, TREND_RULES } from '../../src/domain/forecasts/trendRules.ts';
import { CALM_KINDS, type Conditions, LEAKING_KINDS, type MadeSeries, makeSeries } from './seriesGenerator.ts';

const HOUR_MS = 3_600_000;
const LIMIT_PCT = 90;
const HORIZON_HOURS = 7 * 24;
/** An alarm is true when the limit is reached within its horizon and a quarter more. */
const TRUE_WITHIN_HOURS = 1.25 * HORIZON_HOURS;
const ANNOUNCE_HOURS = 12;

/**
 * Tells, check after check in time order, whether an alarm stands; the method with bounds adds its prediction.
 * `window` is what the rules may look back on.
 */
type Forecaster = () => (window: readonly SeriesPoint[], nowMs: number, series: MadeSeries) => Check;
interface Check {
  alarm: boolean;
  prediction?: Prediction | null;
}

export const ours: Forecaster = () => {
  let standing: OpenPrediction | null = null;
  return (window, nowMs, { metric, name }) => {
    const trend = analyseTrend(metric, window, nowMs);
    const alert = predictiveAlert(trend, standing);
    standing = alert && { ...alert, raisedAt: standing?.raisedAt ?? new Date(nowMs) };
    return { alarm: standing !== null, prediction: predictionOf(name, trend, new Date(nowMs)) };
  };
};

/** The rule of the operations guide's earlier build: a least-squares line through 3 or more points that meets 90 % within the horizon. */
export const leastSquares: Forecaster = () => (window, nowMs) => {
  const fit = leastSquaresAt(
    window.filter((point) => point.atMs > nowMs - HORIZON_HOURS * HOUR_MS),
    nowMs,
  );
  return { alarm: fit !== null && fit.slope > 0 && (LIMIT_PCT - fit.level) / fit.slope <= HORIZON_HOURS };
};

/** The guarded rule: less than 40 % free, and the last 6 hours' line leaves nothing in 24 hours, and that for an hour. */
const guardedPredictLinear: Forecaster = () => {
  let pendingSince: number | null = null;
  return (window, nowMs) => {
    const fit = leastSquaresAt(
      window.filter((point) => point.atMs > nowMs - 6 * HOUR_MS),
      nowMs,
    );
    const used = window.findLast((point) => point.value !== null)?.value ?? 0;
    const holds = fit !== null && used > 60 && fit.level + 24 * fit.slope > 100;
    pendingSince = holds ? (pendingSince ?? nowMs) : null;
    return { alarm: pendingSince !== null && nowMs - pendingSince >= HOUR_MS };
  };
};

const FORECASTERS = { ours, least_squares: leastSquares, guarded_predict_linear: guardedPredictLinear };

function leastSquaresAt(points: readonly SeriesPoint[], nowMs: number): { level: number; slope: number } | null {
  const usable = points.filter((point): point is { atMs: number; value: number } => point.value !== null);
  if (usable.length < 3) return null;
  const hours = usable.map((point) => (point.atMs - nowMs) / HOUR_MS);
  const meanHour = hours.reduce((sum, hour) => sum + hour, 0) / hours.length;
  const meanValue = usable.reduce((sum, point) => sum + point.value, 0) / usable.length;
  let spread = 0;
  let together = 0;
  for (let i = 0; i < hours.length; i++) {
    spread += (hours[i]! - meanHour) ** 2;
    together += (hours[i]! - meanHour) * (usable[i]!.value - meanValue);
  }
  if (spread === 0) return null;
  const slope = together / spread;
  return { slope, level: meanValue - slope * meanHour };
}

interface Replay {
  /** Hours of every raise, in ms. */
  raises: number[];
  /** What was predicted at them, by a method with bounds. */
  predictions: Prediction[];
  /** When the alarm that stands 12 h before the impact was raised; null when none stands. */
  earlierRaise: number | null;
  weeks: number;
}

function replay(series: MadeSeries, forecaster: Forecaster, impact: number | null): Replay {
  const check = forecaster();
  const { points } = series;
  const { lookbackHours } = TREND_RULES[series.metric];
  const startMs = points[0]!.atMs;
  const endMs = impact ?? points.at(-1)!.atMs;
  const raises: number[] = [];
  const predictions: Prediction[] = [];
  let standing: number | null = null;
  let earlierRaise: number | null = null;
  let from = 0;
  let to = 0;
  for (let nowMs = startMs + HOUR_MS; nowMs < endMs; nowMs += HOUR_MS) {
    while (to < points.length && points[to]!.atMs <= nowMs) to++;
    while (points[from]!.atMs < nowMs - lookbackHours * HOUR_MS) from++;
    const { alarm, prediction } = check(points.slice(from, to), nowMs, series);
    if (alarm && standing === null) {
      raises.push(nowMs);
      if (prediction) predictions.push(prediction);
    }
    standing = alarm ? (standing ?? nowMs) : null;
    if (impact !== null && nowMs <= impact - ANNOUNCE_HOURS * HOUR_MS) earlierRaise = standing;
  }
  return { raises, predictions, earlierRaise, weeks: (endMs - startMs) / HOUR_MS / 168 };
}

/**
 * Whether anybody could have known 12 hours ahead: by then the endpoint had been watched as long as the metric's rules ask,
 * and the climb had gone on for twice the shortest stretch that they fit a line to.
 */
function historyAllows(series: MadeSeries, impact: number): boolean {
  const rules = TREND_RULES[series.metric];
  const startMs = series.points[0]!.atMs;
  const by = impact - ANNOUNCE_HOURS * HOUR_MS;
  const climbStart = series.climbStartMs ?? startMs;
  return by - climbStart >= 2 * rules.minSpanHours * HOUR_MS && by - startMs >= rules.minHistoryHours * HOUR_MS;
}

interface Tally {
  alarms: number;
  trueAlarms: number;
  calmAlarms: number;
  calmWeeks: number;
  /** Calm series that never raised one. */
  calmSeries: number;
  calmSilent: number;
  leaks: number;
  announced: number;
  leadHours: number[];
  judgements: Judgement[];
}

export function backTest(all: readonly MadeSeries[], forecaster: Forecaster): Tally {
  const tally: Tally = {
    alarms: 0,
    trueAlarms: 0,
    calmAlarms: 0,
    calmWeeks: 0,
    calmSeries: 0,
    calmSilent: 0,
    leaks: 0,
    announced: 0,
    leadHours: [],
    judgements: [],
  };
  for (const series of all) {
    const impact = limitReachedAt(series.points, LIMIT_PCT)?.getTime() ?? null;
    const { raises, predictions, earlierRaise, weeks } = replay(series, forecaster, impact);
    const aftermath = { reachedAt: impact === null ? null : new Date(impact), intervenedAt: null };
    const end = new Date(series.points.at(-1)!.atMs);
    tally.judgements.push(...predictions.map((prediction) => judgePrediction(prediction, aftermath, end)));
    tally.alarms += raises.length;
    if (impact === null) {
      tally.calmAlarms += raises.length;
      tally.calmWeeks += weeks;
      tally.calmSeries++;
      if (raises.length === 0) tally.calmSilent++;
      continue;
    }
    tally.trueAlarms += raises.filter((at) => impact - at <= TRUE_WITHIN_HOURS * HOUR_MS).length;
    if (!historyAllows(series, impact)) continue;
    tally.leaks++;
    if (earlierRaise === null) continue;
    tally.announced++;
    tally.leadHours.push((impact - earlierRaise) / HOUR_MS);
  }
  return tally;
}

function report(method: string, tally: Tally, extra: object = {}): void {
  const leads = tally.leadHours.toSorted((a, b) => a - b);
  const emit = (figure: string, value: number | null, unit: string) =>
    print({ method, ...extra, figure, value: value === null ? null : Number(value.toFixed(3)), unit });
  emit('precision', tally.alarms === 0 ? null : tally.trueAlarms / tally.alarms, 'share of alarms');
  emit('recall_12h', tally.leaks === 0 ? null : tally.announced / tally.leaks, `share of ${tally.leaks} leaks`);
  emit(
    'false_alarms',
    tally.calmWeeks === 0 ? null : tally.calmAlarms / tally.calmWeeks,
    'per endpoint-week that never reaches the limit',
  );
  emit('calm_series_silent', tally.calmSeries === 0 ? null : tally.calmSilent / tally.calmSeries, 'share');
  emit('lead_time_median', leads[Math.floor(leads.length / 2)] ?? null, 'h');
  if (tally.judgements.length === 0) return;
  const { hits, early, late } = predictionAccuracy(tally.judgements, 1);
  const came = hits + early + late;
  emit('impact_within_bounds', came === 0 ? null : hits / came, `share of ${came} predictions that came true`);
}

function print(figure: object): void {
  console.log(JSON.stringify({ bench: 'forecast', ...figure }));
}

/** Reads `time,value` rows; a value that is no number is a missing one, a row without a time is left out. */
export async function readSeries(directory: string): Promise<MadeSeries[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.csv')).toSorted();
  return Promise.all(
    names.map(async (name) => {
      const metric = TREND_METRICS.find((candidate) => name.startsWith(candidate.replace('Pct', '')));
      if (metric === undefined) throw new Error(`${name}: the name must begin with disk, memory or cpu`);
      const rows = (await readFile(join(directory, name), 'utf8')).trim().split('\n');
      const points = rows
        .map((row) => row.split(','))
        .map(([time = '', value = '']) => ({
          atMs: /^\d+$/.test(time) ? Number(time) : Date.parse(time),
          value: value.trim() === '' || Number.isNaN(Number(value)) ? null : Number(value),
        }))
        .filter((point) => Number.isFinite(point.atMs))
        .toSorted((a, b) => a.atMs - b.atMs);
      if (points.length === 0) throw new Error(`${name}: no row with a time`);
      return { name, metric, points, climbStartMs: null };
    }),
  );
}

const FLEET_ENDPOINTS = 10_000;
const WORKERS = 2;
/** Different weeks that the fleet's series are drawn from, so that making them does not drown what is measured. */
const FLEET_TEMPLATES = 200;
const WEEK_SAMPLES = 672;
/** The week ends while laptops are on (series start on a Monday), so that none is waved through as silent. */
const FRIDAY_NOON = 11.5 * 96;

/** Analyses a share of the fleet, one week of every endpoint's three metrics; returns the milliseconds of CPU spent in analysis. */
function analyseShare(endpoints: number, seed: number): number {
  const kinds = [...CALM_KINDS, ...LEAKING_KINDS];
  const templates = Array.from({ length: FLEET_TEMPLATES }, (_, i) =>
    makeSeries(kinds[i % kinds.length]!, seed + i, { noise: 1, magnitude: 1, decimals: 1 }).points.slice(
      FRIDAY_NOON - WEEK_SAMPLES,
      FRIDAY_NOON,
    ),
  );
  const before = process.threadCpuUsage();
  for (let endpoint = 0; endpoint < endpoints; endpoint++) {
    TREND_METRICS.forEach((metric, i) => {
      const week = templates[(endpoint * 3 + i) % FLEET_TEMPLATES]!;
      analyseTrend(metric, week, week.at(-1)!.atMs);
    });
  }
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}

async function fleetThroughput(): Promise<void> {
  const started = performance.now();
  const workers = Array.from(
    { length: WORKERS },
    (_, i) => new Worker(new URL(import.meta.url), { workerData: { endpoints: FLEET_ENDPOINTS / WORKERS, seed: i } }),
  );
  const spent = await Promise.all(
    workers.map(
      (worker) =>
        new Promise<number>((resolve, reject) => {
          worker.once('message', resolve);
          worker.once('error', reject);
        }),
    ),
  );
  const wallMs = performance.now() - started;
  const about = { endpoints: FLEET_ENDPOINTS, metrics: TREND_METRICS.length, days: 7, worker_threads: WORKERS };
  print({ figure: 'fleet_wall_time', value: Number((wallMs / 1000).toFixed(1)), unit: 's', ...about });
  const perSeries = spent.reduce((sum, ms) => sum + ms, 0) / (FLEET_ENDPOINTS * TREND_METRICS.length);
  print({ figure: 'one_series', value: Number(perSeries.toFixed(3)), unit: 'ms of CPU' });
}

export async function run(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      seed: { type: 'string', default: '1' },
      noise: { type: 'string', default: '1' },
      magnitude: { type: 'string', default: '1' },
      decimals: { type: 'string', default: '2' },
      each: { type: 'string', default: '10' },
      kinds: { type: 'boolean', default: false },
      'no-fleet': { type: 'boolean', default: false },
    },
  });
  const conditions: Conditions = {
    noise: Number(values.noise),
    magnitude: Number(values.magnitude),
    decimals: Number(values.decimals),
  };
  const directory = positionals[0];
  const kinds = [...CALM_KINDS, ...LEAKING_KINDS];
  const make = (kind: string) =>
    Array.from({ length: Number(values.each) }, (_, i) => makeSeries(kind, Number(values.seed) * 1000 + i, conditions));
  const all = directory === undefined ? kinds.flatMap(make) : await readSeries(directory);
  print({ figure: 'series', value: all.length, unit: 'series', ...conditions, seed: Number(values.seed) });
  for (const [method, forecaster] of Object.entries(FORECASTERS)) report(method, backTest(all, forecaster));
  if (values.kinds) {
    for (const kind of kinds) report('ours', backTest(make(kind), ours), { kind });
  }
  if (!values['no-fleet']) await fleetThroughput();
}

if (!isMainThread) {
  const { endpoints, seed } = workerData as { endpoints: number; seed: number };
  parentPort?.postMessage(analyseShare(endpoints, seed));
} else if (import.meta.main) {
  await run(process.argv.slice(2));
}
