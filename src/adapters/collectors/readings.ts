/** What a collector found out about one endpoint, metric by metric, and how that becomes a snapshot. */
import type { CollectContext } from '../../core/ports/ports.ts';
import type * as Signals from '../../domain/signals/reading.ts';
import { type ScanTarget, type Snapshot, sanitised, snapshotOf } from '../../domain/signals/telemetry.ts';
import type { VolumeReadings } from '../../domain/signals/volumes.ts';

/** A measurement, or the reason why there is none. */
export type Measured<T> = { value: T } | { missing: string };

export interface NetworkQuality {
  /** Median of the answered probes. */
  latencyMs: number;
  packetLossPct: Measured<number>;
}

export interface DnsCheck {
  failures: number;
  lookups: number;
}

/** Every collector accounts for every metric: measured, or missing with a reason. */
export interface Readings {
  cpuPct: Measured<number>;
  memoryPct: Measured<number>;
  /** What the mounted volumes say. */
  volumes: VolumeReadings;
  /** Signals beyond the guide's nine. */
  further?: Partial<Signals.Readings>;
  network: Measured<NetworkQuality>;
  dns: Measured<DnsCheck>;
  servicesDown: Measured<string[]>;
  logErrors: Measured<number>;
  bootedAt: Measured<Date>;
}

/** One way of scanning an endpoint. Throws `Unreachable` when the endpoint does not answer as it should. */
export type Reader = (target: ScanTarget, context: CollectContext) => Promise<Readings>;

/** The endpoint did not answer, or not with telemetry; the message is what a person reads as the reason. */
export class Unreachable extends Error {}

export const measured = <T>(value: T): Measured<T> => ({ value });
export const missing = (reason: string): { missing: string } => ({ missing: reason });

/** A measurement from a number that may be absent or NaN. */
export function measuredNumber(value: number | null | undefined, reasonIfAbsent: string): Measured<number> {
  return typeof value === 'number' && Number.isFinite(value) ? measured(value) : missing(reasonIfAbsent);
}

/** The last timestamp that every database and every reader of ISO 8601 agrees on: the end of the year 9999, in Unix seconds. */
const LATEST_UNIX_S = 253_402_300_799;

/** A timestamp from Unix seconds that may be absent or nonsense. */
export function measuredTimestamp(unixS: number | null, reasonIfAbsent: string): Measured<Date> {
  return unixS !== null && unixS > 0 && unixS <= LATEST_UNIX_S
    ? measured(new Date(unixS * 1000))
    : missing(reasonIfAbsent);
}

/** The snapshot that these readings make. */
export function toSnapshot(target: ScanTarget, collectedAt: Date, durationMs: number, readings: Readings): Snapshot {
  const { volumes, network, dns, further, ...same } = readings;
  const given: Partial<Signals.Readings> = {
    ...further,
    ...volumes,
    ...same,
    latencyMs: 'missing' in network ? network : measured(network.value.latencyMs),
    packetLossPct: 'missing' in network ? network : network.value.packetLossPct,
    dnsFailures: 'missing' in dns ? dns : measured({ count: dns.value.failures, of: dns.value.lookups }),
  };
  return sanitised(snapshotOf(target, collectedAt, Math.round(durationMs), given));
}
