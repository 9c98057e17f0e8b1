/** Whether a remediation helped: each problem behind its alert is held against what was measured since. */
import type { Alert } from '../../domain/alerts/alert.ts';
import { FORECAST_SERIES, resolve } from '../../domain/alerts/alertMoves.ts';
import { SCAN_SERIES } from '../../domain/alerts/alertRules.ts';
import { median } from '../../domain/forecasts/robustFit.ts';
import type { Remediation } from '../../domain/healing/remediation.ts';
import { forecastProof, type Proof, ruleProof } from '../../domain/healing/verification.ts';
import { wireName } from '../../domain/signals/catalogue.ts';
import { worstOf } from '../../domain/signals/measures.ts';
import type { Snapshot } from '../../domain/signals/telemetry.ts';
import type { Actor } from '../actor.ts';
import { announce, requireAlert, writeMoves } from '../alerts/alerting.ts';
import { historySince, METRIC_TEXT } from '../forecasts/forecasting.ts';
import type { StoredPrediction } from '../ports/alertPorts.ts';
import type { Ports } from '../ports/ports.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** How far back the scan before a remediation may lie: two scans at the longest interval. */
const LOOK_BEFORE_MS = 2 * HOUR_MS;

/** How long Alertmanager has to say that the problem is over: at least, and at most. */
const SHORTEST_WINDOW_MS = 15 * MINUTE_MS;
const LONGEST_WINDOW_MS = 4 * HOUR_MS;
/** Scraping, evaluating and averaging at the source take this long before Alertmanager knows. */
const SOURCE_NOTICES_MS = 5 * MINUTE_MS;
/** Ends of alerts that the window is learned from. */
const LEARNED_FROM = 20;

/**
 * How long to wait for a source's report. Alertmanager reports an end with its next group_interval, which no delivery
 * names: it shows in how long after the end its report came so far. Reports come evenly spread over the interval, so twice the median is all of it.
 */
export async function verifyWithinMs(ports: Ports): Promise<number> {
  const { items } = await ports.store.alerts.list(
    { alertType: 'prometheus', status: 'resolved' },
    { limit: LEARNED_FROM, offset: 0 },
  );
  const waits = items.flatMap(({ resolution, resolvedAt, updatedAt }) =>
    resolvedAt && (resolution === 'source' || resolution === 'auto')
      ? [updatedAt.getTime() - resolvedAt.getTime()]
      : [],
  );
  const interval = waits.length === 0 ? 0 : 2 * median(waits);
  return Math.min(LONGEST_WINDOW_MS, Math.max(SHORTEST_WINDOW_MS, interval + SOURCE_NOTICES_MS));
}

/** What the measurements since a playbook ended prove about the problems that its alert still stands for. */
export async function examine(ports: Ports, remediation: Remediation, alert: Alert): Promise<Proof> {
  const { startedAt, playedAt, endpointId, hostname } = remediation;
  if (startedAt === null || playedAt === null) return { finding: 'unknown' };
  const snapshots = await ports.store.snapshots.since([endpointId], new Date(startedAt.getTime() - LOOK_BEFORE_MS));
  const seen = snapshots.filter(({ reachable }) => reachable).map((stored): Snapshot => ({ ...stored, hostname }));
  const after = seen.findLast(({ collectedAt }) => collectedAt >= playedAt);
  if (!after) return { finding: 'unknown' };
  const before = seen.findLast(({ collectedAt }) => collectedAt <= startedAt);
  const proofs: Proof[] = [];
  for (const series of alert.series) {
    // A scan that found it over has said so already.
    if (series === SCAN_SERIES) proofs.push({ finding: 'holds', text: alert.message });
    else if (series === FORECAST_SERIES) proofs.push(await proofOfForecast(ports, alert, startedAt, after));
    else proofs.push(before ? await proofByRule(ports, alert, before, after) : { finding: 'unknown' });
  }
  const held = proofs.find(({ finding }) => finding === 'holds');
  return held ?? proofs.find(({ finding }) => finding === 'unknown') ?? proofs[0] ?? { finding: 'unknown' };
}

async function proofByRule(
  ports: Ports,
  { alertName, endpointId }: Alert,
  before: Snapshot,
  after: Snapshot,
): Promise<Proof> {
  const name = ports.remediationMap.current().map.get(alertName)?.verifiedBy ?? alertName;
  const rule = ports.scoreRules.current().alerts.find((candidate) => candidate.name === name);
  const [endpoint] = rule ? await ports.store.endpoints.byIds([endpointId]) : [];
  return rule && endpoint ? ruleProof(rule, before, after, endpoint.osPlatform) : { finding: 'unknown' };
}

async function proofOfForecast(ports: Ports, alert: Alert, startedAt: Date, after: Snapshot): Promise<Proof> {
  const current = await currentPrediction(ports, alert);
  if (!current) return { finding: 'over', text: 'no longer predicted' };
  const { metric, slopePerHour } = current;
  const histories = await ports.store.snapshots.histories([alert.endpointId], historySince(startedAt));
  const history = (histories.get(alert.endpointId) ?? [])
    .filter(({ atMs }) => atMs <= startedAt.getTime())
    .map((point) => ({ atMs: point.atMs, value: point[metric] }));
  const level = worstOf(after, wireName(metric))?.value ?? null;
  const proof = forecastProof(metric, history, slopePerHour, level);
  return proof.finding === 'unknown' ? proof : { ...proof, text: `${METRIC_TEXT[metric]} ${proof.text}` };
}

async function currentPrediction(ports: Ports, alert: Alert): Promise<StoredPrediction | undefined> {
  const current = await ports.store.predictions.current([alert.endpointId]);
  return current.find(({ alertName }) => alertName === alert.alertName);
}

/** Ends an alert whose problem was proven to be over, whatever its source will say, and the prediction behind it. */
export async function resolveVerified(ports: Ports, alertId: number, why: string, actor: Actor): Promise<void> {
  const changes = await ports.store.transaction(async (store) => {
    await store.endpoints.hold([(await requireAlert(store, alertId)).endpointId]);
    const alert = await requireAlert(store, alertId);
    const now = ports.clock.now();
    const current = await currentPrediction({ ...ports, store }, alert);
    if (current) await store.predictions.update(current.id, { endedAt: now });
    const move = resolve(alert, 'auto', why, now);
    return move.kind === 'refused' ? null : writeMoves(ports, store, [move], actor);
  });
  if (changes) await announce(ports, changes);
}
