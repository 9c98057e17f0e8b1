/** The ledger of predictions: each is held against what came, and their sum says how far to trust the next one. */
import {
  aftermathOf,
  endpointWeeks,
  judgePrediction,
  type PredictionAccuracy,
  predictionAccuracy,
} from '../../domain/forecasts/prediction.ts';
import { wasRun } from '../../domain/healing/remediation.ts';
import type { JudgedPrediction, StoredPrediction } from '../ports/alertPorts.ts';
import type { Ports } from '../ports/ports.ts';

const DAY_MS = 86_400_000;
const BATCH = 20;
/** The span that the metrics page speaks of: long enough to hold verdicts, short enough to follow a change. */
const METRICS_DAYS = 28;

/** Gives a verdict on every prediction whose time has come; returns how many. */
export async function judgePredictions(ports: Ports, now: Date, signal: AbortSignal): Promise<number> {
  let judged = 0;
  let afterId = 0;
  for (;;) {
    signal.throwIfAborted();
    const open = await ports.store.predictions.unjudged(afterId, BATCH);
    const last = open.at(-1);
    if (!last) return judged;
    afterId = last.id;
    const verdicts = await verdictsOn(ports, open, now);
    await ports.store.predictions.judge(verdicts);
    for (const { id, verdict } of verdicts) {
      ports.metrics.predictionJudged((open.find((row) => row.id === id) as StoredPrediction).alertName, verdict);
    }
    judged += verdicts.length;
  }
}

async function verdictsOn(ports: Ports, open: readonly StoredPrediction[], now: Date): Promise<JudgedPrediction[]> {
  const oldest = new Date(Math.min(...open.map(({ madeAt }) => madeAt.getTime())));
  const histories = await ports.store.snapshots.histories(
    [...new Set(open.map(({ endpointId }) => endpointId))],
    oldest,
  );
  const actedAt = await interventions(ports, open, oldest);
  return open.flatMap((prediction) => {
    const samples = (histories.get(prediction.endpointId) ?? [])
      .filter(({ atMs }) => atMs > prediction.madeAt.getTime())
      .map((point) => ({ atMs: point.atMs, value: point[prediction.metric] }));
    const aftermath = aftermathOf(prediction, samples, actedAt(prediction), now);
    const judgement = judgePrediction(prediction, aftermath, now);
    return judgement.verdict === 'open' ? [] : [{ id: prediction.id, ...judgement }];
  });
}

/** How an alert ends when somebody or something saw to it; any other end is the problem's own. */
const DEALT_WITH: readonly (string | null)[] = ['person', 'ticket', 'auto'];

/** When the problem that was predicted was first dealt with: its alert closed, or a remediation carried out. */
async function interventions(
  ports: Ports,
  open: readonly StoredPrediction[],
  since: Date,
): Promise<(prediction: StoredPrediction) => Date | null> {
  const [alerts, remediations] = await Promise.all([
    ports.store.alerts.recent(open, since),
    ports.store.remediations.finishedSince(since),
  ]);
  const acts = [
    ...alerts.flatMap(({ endpointId, alertName, resolution, resolvedAt }) =>
      DEALT_WITH.includes(resolution) && resolvedAt ? [{ endpointId, alertName, at: resolvedAt }] : [],
    ),
    ...remediations.flatMap(({ endpointId, alertName, status, finishedAt }) =>
      wasRun({ status, dryRun: false }) && finishedAt ? [{ endpointId, alertName, at: finishedAt }] : [],
    ),
  ];
  return ({ endpointId, alertName, madeAt }) =>
    acts
      .filter((act) => act.endpointId === endpointId && act.alertName === alertName && act.at >= madeAt)
      .reduce<Date | null>((first, { at }) => (first === null || at < first ? at : first), null);
}

interface LedgerSummary {
  all: PredictionAccuracy;
  byAlertName: Map<StoredPrediction['alertName'], PredictionAccuracy>;
  endpointWeeks: number;
  /** Newest first. */
  predictions: StoredPrediction[];
}

/** How the predictions made in the last days turned out. */
export async function summariseLedger(ports: Ports, lookbackDays: number, now: Date): Promise<LedgerSummary> {
  const since = new Date(now.getTime() - lookbackDays * DAY_MS);
  const [predictions, spans] = await Promise.all([
    ports.store.predictions.since(since),
    ports.store.endpoints.watchedSince(since),
  ]);
  const weeks = endpointWeeks(spans, since, now);
  const named = Map.groupBy(predictions, ({ alertName }) => alertName);
  return {
    all: predictionAccuracy(predictions, weeks),
    byAlertName: new Map([...named].map(([name, rows]) => [name, predictionAccuracy(rows, weeks)])),
    endpointWeeks: weeks,
    predictions,
  };
}

/** Brings the metrics page up to date. */
export async function publishAccuracy(ports: Ports, now: Date): Promise<void> {
  const { all } = await summariseLedger(ports, METRICS_DAYS, now);
  ports.metrics.predictionAccuracy(all);
}
