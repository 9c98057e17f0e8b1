/** The agent's report on the wire: what a laptop posts about itself, and how it becomes a snapshot again. */
import { z } from 'zod';
import {
  emptySnapshot,
  METRICS,
  type MetricName,
  type ScanTarget,
  type Snapshot,
} from '../../domain/signals/telemetry.ts';
import { AppError } from '../errors.ts';

const pct = z.number().min(0).max(100).nullable();
const count = z.number().int().min(0).max(1_000_000_000).nullable();
const text = (max: number): z.ZodString => z.string().min(1).max(max);
const time = z.iso.datetime();

const metricsByWireName = new Map(METRICS.map((metric): [string, MetricName] => [snakeCase(metric), metric]));

/**
 * Body of `POST /api/v1/dex/agent/snapshot`: a snapshot in snake_case. Host name and collector are missing on purpose:
 * the server takes them from the token, so an agent can only speak for its own endpoint.
 */
export const agentSnapshotWire = z
  .strictObject({
    collected_at: time,
    duration_ms: z.number().int().min(0).max(600_000),
    cpu_pct: pct,
    memory_pct: pct,
    disk_pct: pct,
    disk_mount: text(1024).nullable(),
    latency_ms: z.number().min(0).max(600_000).nullable(),
    packet_loss_pct: pct,
    dns_failures: count,
    dns_lookups: count,
    services_down: z.array(text(256)).max(500).nullable(),
    log_errors: count,
    booted_at: time.nullable(),
    unmeasured: z
      .array(z.strictObject({ metric: z.enum([...metricsByWireName.keys()]), reason: text(500) }))
      .max(METRICS.length),
  })
  .refine(({ dns_failures, dns_lookups }) => (dns_failures ?? 0) <= (dns_lookups ?? 0), {
    path: ['dns_failures'],
    message: 'more look-ups failed than were tried',
  });
export type AgentSnapshotWire = z.infer<typeof agentSnapshotWire>;

/** What the agent sends of a snapshot that it took of its own machine. */
export function snapshotToWire(snapshot: Snapshot): AgentSnapshotWire {
  return {
    collected_at: snapshot.collectedAt.toISOString(),
    duration_ms: snapshot.durationMs,
    cpu_pct: snapshot.cpuPct,
    memory_pct: snapshot.memoryPct,
    disk_pct: snapshot.diskPct,
    disk_mount: snapshot.diskMount,
    latency_ms: snapshot.latencyMs,
    packet_loss_pct: snapshot.packetLossPct,
    dns_failures: snapshot.dnsFailures,
    dns_lookups: snapshot.dnsLookups,
    services_down: snapshot.servicesDown,
    log_errors: snapshot.logErrors,
    booted_at: snapshot.bootedAt?.toISOString() ?? null,
    unmeasured: snapshot.unmeasured.map(({ metric, reason }) => ({
      metric: snakeCase(metric),
      reason: reason.slice(0, 500),
    })),
  };
}

/** Clocks of laptops drift; more than this is a wrong clock. */
const MAX_AHEAD_MS = 5 * 60_000;
/** An agent keeps at most a day of reports while it is offline; two leave room for a suspended laptop. */
const MAX_AGE_MS = 48 * 3_600_000;

/**
 * The snapshot that a parsed report stands for, about the endpoint that its token belongs to.
 * @throws AppError `invalid` when the report's time is more than 5 minutes ahead of `now` or more than 48 hours old
 */
export function snapshotFromWire(wire: AgentSnapshotWire, target: ScanTarget, now: Date): Snapshot {
  const collectedAt = new Date(wire.collected_at);
  const aheadMs = collectedAt.getTime() - now.getTime();
  if (aheadMs > MAX_AHEAD_MS || -aheadMs > MAX_AGE_MS) {
    const side = aheadMs > 0 ? 'ahead of' : 'behind';
    throw new AppError(
      'invalid',
      `collected_at ${wire.collected_at} is too far ${side} the server's time ${now.toISOString()}: set the endpoint's clock`,
    );
  }
  return {
    ...emptySnapshot(target, collectedAt),
    durationMs: wire.duration_ms,
    cpuPct: wire.cpu_pct,
    memoryPct: wire.memory_pct,
    diskPct: wire.disk_pct,
    diskMount: wire.disk_mount,
    latencyMs: wire.latency_ms,
    packetLossPct: wire.packet_loss_pct,
    dnsFailures: wire.dns_failures,
    dnsLookups: wire.dns_lookups,
    servicesDown: wire.services_down,
    logErrors: wire.log_errors,
    bootedAt: wire.booted_at === null ? null : new Date(wire.booted_at),
    unmeasured: wire.unmeasured.flatMap(({ metric, reason }) => {
      const known = metricsByWireName.get(metric);
      return known ? [{ metric: known, reason }] : [];
    }),
  };
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
