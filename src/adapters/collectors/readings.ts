/** What a collector read of one endpoint, signal by signal, and how that becomes a snapshot. */
import type { CollectContext } from '../../core/ports/ports.ts';
import { declarationOf, type SignalName } from '../../domain/signals/catalogue.ts';
import type { OsPlatform } from '../../domain/signals/declaration.ts';
import { completeReadings, measured, missing, type Reading, type Readings } from '../../domain/signals/reading.ts';
import { type ScanTarget, type Snapshot, sanitised, snapshotOf } from '../../domain/signals/telemetry.ts';

/** Readings of the signals that one source knows. */
export type Collected = Partial<Readings>;

/** Round trips to one peer. */
export interface NetworkQuality {
  /** Median of the answered probes. */
  latencyMs: number;
  /** Mean difference between two round trips in a row. */
  jitterMs: Reading<number>;
  packetLossPct: Reading<number>;
}

/** One way of collecting from an endpoint. Throws `Unreachable` when the endpoint does not answer as it should. */
export type Reader = (target: ScanTarget, context: CollectContext) => Promise<Readings>;

/** The endpoint did not answer, or not with telemetry; the message is what a person reads as the reason. */
export class Unreachable extends Error {}

/** A measurement from a number that may be absent or NaN. */
export function measuredNumber(value: number | null | undefined, reasonIfAbsent: string): Reading<number> {
  return typeof value === 'number' && Number.isFinite(value) ? measured(value) : missing(reasonIfAbsent);
}

/** The last moment that every database and every reader of ISO 8601 agrees on: the end of the year 9999, in Unix seconds. */
const LATEST_UNIX_S = 253_402_300_799;

/** A moment from Unix seconds that may be absent or nonsense. */
export function measuredTimestamp(unixS: number | null, reasonIfAbsent: string): Reading<Date> {
  return unixS !== null && unixS > 0 && unixS <= LATEST_UNIX_S
    ? measured(new Date(unixS * 1000))
    : missing(reasonIfAbsent);
}

/** The three figures of the round trips to one peer, under the names of that peer's signals. */
export function pathReadings(peer: 'observer' | 'gateway' | 'internet', quality: Reading<NetworkQuality>): Collected {
  const failed = 'missing' in quality ? quality : null;
  const latency: Reading<number> = failed ?? measured((quality as { value: NetworkQuality }).value.latencyMs);
  const jitter = failed ?? (quality as { value: NetworkQuality }).value.jitterMs;
  const loss = failed ?? (quality as { value: NetworkQuality }).value.packetLossPct;
  if (peer === 'observer') return { latencyMs: latency, jitterMs: jitter, packetLossPct: loss };
  if (peer === 'gateway') return { gatewayLatencyMs: latency, gatewayJitterMs: jitter, gatewayLossPct: loss };
  return { internetLatencyMs: latency, internetJitterMs: jitter, internetLossPct: loss };
}

const SYSTEMS: Record<OsPlatform, string> = {
  linux: 'Linux',
  macos: 'macOS',
  windows: 'Windows',
  other: 'this system',
};

/**
 * All readings: those collected, and for every other signal the reason.
 * @param os the machine's system, as far as it is known
 * @param why what to do to get a signal that this system has
 */
export function complete(collected: Collected, os: OsPlatform, why: (name: SignalName) => string): Readings {
  return completeReadings(collected, (name) =>
    declarationOf(name).platforms.includes(os) ? why(name) : `${SYSTEMS[os]} has no such figure`,
  );
}

/** The snapshot that these readings make. */
export function toSnapshot(target: ScanTarget, collectedAt: Date, durationMs: number, readings: Readings): Snapshot {
  return sanitised(snapshotOf(target, collectedAt, Math.round(durationMs), readings));
}
