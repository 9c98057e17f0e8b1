/** The only way out: domain values become the snake_case shapes that the operations guide prints. */
import type { z } from 'zod';
import type { Alert } from '../domain/alerts/alert.ts';
import { type Endpoint, endpointState, statusText } from '../domain/fleet/endpoint.ts';
import { fixRatePct, type VoteCount } from '../domain/runbooks/runbookVotes.ts';
import type { Score } from '../domain/scores/score.ts';
import { flatReadings, unmeasured } from '../domain/signals/flat.ts';
import type { Snapshot } from '../domain/signals/telemetry.ts';
import { readingsToWire } from '../domain/signals/wire.ts';
import { utc } from './characters.ts';
import type { StoredScore } from './ports/endpointPorts.ts';
import type { RunbookHit, RunbookPage } from './ports/runbookPorts.ts';
import type { ScanResult } from './scans/scanning.ts';
import type { alertShape, endpointShape, runbookHitShape, runbookPageShape, scoreShape } from './shapes.ts';

export function iso(date: Date): string;
export function iso(date: Date | null): string | null;
export function iso(date: Date | null): string | null {
  return date === null ? null : date.toISOString();
}

/** @param scanIntervalMs decides when an endpoint counts as stale */
export function presentEndpoint(endpoint: Endpoint, now: Date, scanIntervalMs: number): z.input<typeof endpointShape> {
  return {
    id: endpoint.id,
    hostname: endpoint.hostname,
    ip_address: endpoint.ipAddress,
    owner_email: endpoint.ownerEmail,
    persona: endpoint.persona,
    criticality_tier: endpoint.criticalityTier,
    os_platform: endpoint.osPlatform,
    tags: endpoint.tags,
    collector: endpoint.collector,
    options: Object.fromEntries(Object.entries(endpoint.options).map(([key, value]) => [snakeCase(key), value])),
    state: endpointState(endpoint, now, scanIntervalMs),
    score: endpoint.score,
    score_status: endpoint.scoreStatus,
    coverage: endpoint.coverage,
    scored_at: iso(endpoint.scoredAt),
    last_scan_at: iso(endpoint.lastScanAt),
    last_seen_at: iso(endpoint.lastSeenAt),
    unreachable_reason: endpoint.unreachableReason,
    registered_at: iso(endpoint.registeredAt),
    updated_at: iso(endpoint.updatedAt),
  };
}

/** One line on an endpoint: its score, what it is, whose, and what is wrong with reaching it. */
export function endpointLine(endpoint: z.output<typeof endpointShape>): string {
  const [hostname, ...facts] = endpointCells(endpoint).filter((cell) => cell !== '');
  return `${hostname}: ${facts.join(', ')}`;
}

/** The same as cells of a table. */
export function endpointCells(endpoint: z.output<typeof endpointShape>): string[] {
  const { scored_at, score_status } = endpoint;
  const status = score_status === 'unreachable' ? `of ${utc(scored_at)}` : statusText(score_status, endpoint.score);
  return [
    endpoint.hostname,
    endpoint.score === null ? 'no score yet' : `score ${endpoint.score} (${status})`,
    endpoint.persona,
    `tier ${endpoint.criticality_tier ?? 'withheld'}`,
    endpoint.os_platform,
    endpoint.collector,
    endpoint.owner_email ?? '',
    Object.entries(endpoint.tags)
      .map(([key, value]) => `${key}=${value}`)
      .join(' '),
    endpoint.unreachable_reason
      ? `not reachable: ${endpoint.unreachable_reason}`
      : endpoint.state === 'stale'
        ? `stale, last answer ${utc(endpoint.last_seen_at)}`
        : '',
  ];
}

export function presentScore(score: StoredScore, hostname: string, stale: boolean): z.input<typeof scoreShape> {
  return {
    id: score.id,
    hostname,
    score: score.score,
    status: score.status,
    components: score.components,
    coverage: score.coverage,
    deductions: presentDeductions(score),
    caps: score.caps,
    improvements: presentImprovements(score),
    scored_at: iso(score.scoredAt),
    stale,
  };
}

function presentImprovements(score: Pick<Score, 'improvements'>): { metric: string; gain: number; reason: string }[] {
  return score.improvements.map(({ measure, ...improvement }) => ({ ...improvement, metric: measure }));
}

export function presentAlert(alert: Alert, stale: boolean): z.input<typeof alertShape> {
  return {
    id: alert.id,
    hostname: alert.hostname,
    alert_name: alert.alertName,
    severity: alert.severity,
    alert_type: alert.alertType,
    message: alert.message,
    status: alert.status,
    labels: alert.labels,
    starts_at: iso(alert.startsAt),
    acknowledged_at: iso(alert.acknowledgedAt),
    acknowledged_until: iso(alert.acknowledgedUntil),
    acknowledged_by: alert.acknowledgedBy,
    predicted_time_to_impact: alert.predictedTimeToImpact,
    remediation_run_id: alert.remediationRunId,
    ticket: alert.ticket,
    flaps: alert.flaps,
    stale,
    created_at: iso(alert.createdAt),
    updated_at: iso(alert.updatedAt),
    resolved_at: iso(alert.resolvedAt),
    resolution: alert.resolution,
  };
}

export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/**
 * A snapshot as people and programs read it: the guide's signals flat, where what was not measured is null and named in
 * `unmeasured`, and all signals in `readings`.
 */
function presentSnapshot(snapshot: Omit<Snapshot, 'hostname'>): Record<string, unknown> {
  return {
    collector: snapshot.collector,
    collected_at: iso(snapshot.collectedAt),
    duration_ms: snapshot.durationMs,
    reachable: snapshot.reachable,
    unreachable_reason: snapshot.unreachableReason,
    ...flatReadings(snapshot.readings),
    unmeasured: unmeasured(snapshot.readings),
    readings: readingsToWire(snapshot.readings),
    ignored_signals: snapshot.ignoredSignals,
  };
}

/** What a scan run keeps as its result. */
export function presentScanResult({ endpoint, snapshot, score }: ScanResult): Record<string, unknown> {
  return {
    hostname: endpoint.hostname,
    reachable: snapshot.reachable,
    unreachable_reason: snapshot.unreachableReason,
    score: score && {
      score: score.score,
      status: score.status,
      components: score.components,
      coverage: score.coverage,
      deductions: presentDeductions(score),
      caps: score.caps,
      improvements: presentImprovements(score),
    },
    snapshot: presentSnapshot(snapshot),
  };
}

function presentDeductions(score: Pick<Score, 'deductions'>) {
  return score.deductions.map(({ measure, ...deduction }) => ({ ...deduction, metric: measure }));
}

export function presentRunbookHit({
  docId,
  votes,
  ...hit
}: RunbookHit & { votes: VoteCount }): z.input<typeof runbookHitShape> {
  return { doc_id: docId, ...hit, ...presentVotes(votes) };
}

export function presentRunbookPage({
  docId,
  votes,
  ...page
}: RunbookPage & { votes: VoteCount }): z.input<typeof runbookPageShape> {
  return { doc_id: docId, ...page, ...presentVotes(votes) };
}

function presentVotes(votes: VoteCount): { fix_rate_pct: number | null; votes: number } {
  return { fix_rate_pct: fixRatePct(votes), votes: votes.helped + votes.notHelped };
}
