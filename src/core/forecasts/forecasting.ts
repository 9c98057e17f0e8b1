/** Predictions: the histories of the whole fleet become predictive alerts and rows of the ledger, in bounded memory. */
import { FORECAST_SERIES, type Observation } from '../../domain/alerts/alertMoves.ts';
import type { Endpoint } from '../../domain/fleet/endpoint.ts';
import { type Prediction, predictionOf } from '../../domain/forecasts/prediction.ts';
import { type Horizons, rulesWith } from '../../domain/forecasts/predictionThreshold.ts';
import {
  PREDICTIVE_ALERT_NAMES,
  type PredictiveAlert,
  predictiveAlert,
} from '../../domain/forecasts/predictiveAlert.ts';
import { analyseTrend, type Trend } from '../../domain/forecasts/trend.ts';
import { TREND_METRICS, TREND_RULES, type TrendMetric } from '../../domain/forecasts/trendRules.ts';
import { SIGNALS, wireName } from '../../domain/signals/catalogue.ts';
import { worstOf } from '../../domain/signals/measures.ts';
import type { Actor } from '../actor.ts';
import { announce, type Changes, observeIn } from '../alerts/alerting.ts';
import type { StoredPrediction } from '../ports/alertPorts.ts';
import type { MetricPoint } from '../ports/endpointPorts.ts';
import type { Ports } from '../ports/ports.ts';
import type { Store } from '../ports/storePorts.ts';
import { horizonsInForce } from './predictionThresholds.ts';

/** Endpoints whose histories are in memory at a time: a week of quarter-hours of so many is read without holding up the event loop. */
const BATCH = 10;
const HOUR_MS = 3_600_000;
const LOOKBACK_MS = Math.max(...TREND_METRICS.map((metric) => TREND_RULES[metric].lookbackHours)) * HOUR_MS;

/** After a fix, hours pass until the fall shows in the hourly levels; until then the old climb would be announced again. */
const FIX_SETTLES_MS = 4 * HOUR_MS;

export const METRIC_TEXT = Object.fromEntries(TREND_METRICS.map((metric) => [metric, SIGNALS[metric].label])) as Record<
  TrendMetric,
  string
>;

interface PredictionCheck {
  endpoints: number;
  raised: number;
  ended: number;
}

/** When the history that trends are read from begins. */
export function historySince(now: Date): Date {
  return new Date(now.getTime() - LOOKBACK_MS);
}

/** The trend of every predicted metric. */
export function trendsOf(history: readonly MetricPoint[], now: Date, horizons: Horizons): Trend[] {
  return TREND_METRICS.map((metric) =>
    analyseTrend(
      metric,
      history.map((point) => ({ atMs: point.atMs, value: point[metric] })),
      now.getTime(),
      rulesWith(horizons, metric),
    ),
  );
}

/** Checks every endpoint, a few at a time; other work gets its turn between any two. */
export async function checkFleet(
  ports: Ports,
  actor: Actor,
  now: Date,
  signal: AbortSignal,
  progress: (endpoints: number) => void,
): Promise<PredictionCheck> {
  const counts: PredictionCheck = { endpoints: 0, raised: 0, ended: 0 };
  const known: Known = { fixed: await fixedLately(ports, now), horizons: await horizonsInForce(ports) };
  let afterId = 0;
  for (;;) {
    signal.throwIfAborted();
    const batch = await ports.store.endpoints.batch(afterId, BATCH);
    const last = batch.at(-1);
    if (!last) return counts;
    afterId = last.id;
    const { raised, ended } = await checkBatch(ports, batch, known, actor, now);
    counts.endpoints += batch.length;
    counts.raised += raised;
    counts.ended += ended;
    progress(counts.endpoints);
  }
}

/** Endpoint and metric of what was fixed so lately that only what is current is checked. */
async function fixedLately(ports: Ports, now: Date): Promise<Set<string>> {
  const ended = await ports.store.remediations.finishedSince(new Date(now.getTime() - FIX_SETTLES_MS));
  const fixes = ended.filter(({ status }) => status === 'fixed');
  return new Set(
    fixes.flatMap(({ endpointId, alertName }) =>
      TREND_METRICS.filter((metric) => PREDICTIVE_ALERT_NAMES[metric] === alertName).map((metric) =>
        keyOf({ endpointId, metric }),
      ),
    ),
  );
}

/** What a check knows of the whole fleet before it begins. */
interface Known {
  fixed: ReadonlySet<string>;
  horizons: Horizons;
}

interface Predicted {
  endpoint: Endpoint;
  trend: Trend;
}

async function checkBatch(
  ports: Ports,
  endpoints: readonly Endpoint[],
  { fixed, horizons }: Known,
  actor: Actor,
  now: Date,
): Promise<{ raised: number; ended: number }> {
  const ids = endpoints.map(({ id }) => id);
  const histories = await ports.store.snapshots.histories(ids, historySince(now));
  const all: Predicted[] = [];
  for (const endpoint of endpoints) {
    all.push(...trendsOf(histories.get(endpoint.id) ?? [], now, horizons).map((trend) => ({ endpoint, trend })));
    await nextTurn();
  }
  const current = new Set((await ports.store.predictions.current(ids)).map(keyOf));
  const updates = all.filter(({ endpoint, trend }) => {
    const key = keyOf({ endpointId: endpoint.id, metric: trend.metric });
    return (
      current.has(key) || (predictiveAlert(trend, null, rulesWith(horizons, trend.metric)) !== null && !fixed.has(key))
    );
  });
  if (updates.length === 0) return { raised: 0, ended: 0 };

  const { changes, made, ended } = await ports.store.transaction((store) =>
    record(ports, store, updates, horizons, actor, now),
  );
  await announce(ports, changes);
  for (const { alertName } of made) ports.metrics.predictionJudged(alertName, 'open');
  return { raised: made.length, ended };
}

function keyOf({ endpointId, metric }: { endpointId: number; metric: TrendMetric }): string {
  return `${endpointId} ${metric}`;
}

/** Decides on what stands now that the endpoints are held: of two checks at once the second finds what the first wrote. */
async function record(
  ports: Ports,
  store: Store,
  updates: readonly Predicted[],
  horizons: Horizons,
  actor: Actor,
  now: Date,
): Promise<{ changes: Changes; made: Prediction[]; ended: number }> {
  const ids = [...new Set(updates.map(({ endpoint }) => endpoint.id))];
  const held = await store.endpoints.hold(ids);
  const current = new Map((await store.predictions.current(ids)).map((row) => [keyOf(row), row]));
  const mounts = await mountsOf(store, updates);
  const observations: Observation[] = [];
  const made: Omit<StoredPrediction, 'id'>[] = [];
  let ended = 0;
  for (const { endpoint, trend } of updates) {
    if (!held.has(endpoint.id)) continue;
    const before = current.get(keyOf({ endpointId: endpoint.id, metric: trend.metric })) ?? null;
    const rules = rulesWith(horizons, trend.metric);
    const alert = predictiveAlert(trend, before && openAlertOf(before), rules);
    if (alert === null) {
      if (before === null) continue;
      ended++;
      await store.predictions.update(before.id, { endedAt: now });
      observations.push(cleared(endpoint, trend));
      continue;
    }
    const said = {
      severity: alert.severity,
      impactText: alert.predictedTimeToImpact,
      impactHours: alert.predictedTimeToImpactHours,
    };
    if (before === null) {
      const prediction = predictionOf(endpoint.hostname, trend, now);
      // Without bounds nobody could ever judge it.
      if (prediction === null) continue;
      made.push({ ...prediction, ...said, ...UNJUDGED, endpointId: endpoint.id });
    } else {
      await store.predictions.update(before.id, said);
    }
    observations.push(firing(endpoint, trend, alert, mounts.get(endpoint.id) ?? null));
  }
  await store.predictions.add(made);
  const { changes } = await observeIn(ports, store, observations, actor);
  return { changes, made, ended };
}

const UNJUDGED = { endedAt: null, verdict: 'open', judgedAt: null, reachedAt: null, leadHours: null } as const;

function openAlertOf({ severity, madeAt, impactText, impactHours }: StoredPrediction) {
  return {
    severity,
    raisedAt: madeAt,
    predictedTimeToImpact: impactText,
    predictedTimeToImpactHours: impactHours,
  };
}

/** Which file system the disk metric speaks of, for people and for remediations. */
async function mountsOf(store: Store, updates: readonly Predicted[]): Promise<Map<number, string | null>> {
  const ids = updates.filter(({ trend }) => trend.metric === 'diskPct').map(({ endpoint }) => endpoint.id);
  const latest = ids.length === 0 ? [] : [...(await store.snapshots.latest(ids))];
  return new Map(latest.map(([id, snapshot]) => [id, worstOf(snapshot, wireName('diskPct'))?.item ?? null]));
}

function subject({ id, hostname }: Endpoint, { metric }: Trend) {
  return { endpointId: id, hostname, alertName: PREDICTIVE_ALERT_NAMES[metric], series: FORECAST_SERIES };
}

function firing(endpoint: Endpoint, trend: Trend, alert: PredictiveAlert, mount: string | null): Observation {
  return {
    ...subject(endpoint, trend),
    state: 'firing',
    // What is confirmed is measured, not predicted.
    alertType: alert.reached ? 'metric' : 'predictive',
    severity: alert.severity,
    message: predictionText(trend, alert, mount),
    labels: trend.metric === 'diskPct' && mount !== null ? { mountpoint: mount } : {},
    startsAt: null,
    predictedTimeToImpact: alert.predictedTimeToImpact,
  };
}

function predictionText(trend: Trend, alert: PredictiveAlert, mount: string | null): string {
  const what = trend.metric === 'diskPct' && mount !== null ? `disk ${mount}` : METRIC_TEXT[trend.metric];
  if (trend.status === 'insufficient_data' && !alert.reached) {
    const said = `last predicted to reach ${trend.limitPct} % in ${alert.predictedTimeToImpact}`;
    return `${what}: ${said}; nothing newer is known, because ${trend.reason}`;
  }
  const now = trend.current === null ? '' : ` at ${Math.round(trend.current)} %`;
  return `${what}${now}: ${trend.reason}${alert.reached ? ', as predicted' : ''}`;
}

function cleared(endpoint: Endpoint, trend: Trend): Observation {
  return {
    ...subject(endpoint, trend),
    state: 'clear',
    resolution: 'clear',
    why: `${METRIC_TEXT[trend.metric]}: no longer heading for ${trend.limitPct} % (${trend.reason})`,
    startsAt: null,
    endedAt: null,
  };
}

/** Lets whatever waits on the event loop go first. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
