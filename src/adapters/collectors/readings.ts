/** What a collector found out about one endpoint, metric by metric, and how that becomes a snapshot. */
import type { CollectContext } from '../../core/ports/ports.ts';
import { emptySnapshot, type MetricName, type ScanTarget, type Snapshot } from '../../domain/signals/telemetry.ts';

/** A measurement, or the reason why there is none. */
export type Measured<T> = { value: T } | { missing: string };

export interface FullestDisk {
  usedPct: number;
  mount: string;
}

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
  disk: Measured<FullestDisk>;
  network: Measured<NetworkQuality>;
  dns: Measured<DnsCheck>;
  servicesDown: Measured<string[]>;
  logErrors: Measured<number>;
  bootedAt: Measured<Date>;
}

/** One way of looking at an endpoint. Throws `Unreachable` when the endpoint does not answer as it should. */
export type Reader = (target: ScanTarget, context: CollectContext) => Promise<Readings>;

/** The endpoint did not answer, or not with telemetry; the message is what a person reads as the reason. */
export class Unreachable extends Error {}

export const measured = <T>(value: T): Measured<T> => ({ value });
export const missing = (reason: string): { missing: string } => ({ missing: reason });

/** A measurement from a number that may be absent or NaN. */
export function measuredNumber(value: number | null | undefined, reasonIfAbsent: string): Measured<number> {
  return typeof value === 'number' && Number.isFinite(value) ? measured(value) : missing(reasonIfAbsent);
}

/** The last moment that every database and every reader of ISO 8601 agrees on: the end of the year 9999, in Unix seconds. */
const LATEST_UNIX_S = 253_402_300_799;

/** A moment from Unix seconds that may be absent or nonsense. */
export function measuredTimestamp(unixS: number | null, reasonIfAbsent: string): Measured<Date> {
  return unixS !== null && unixS > 0 && unixS <= LATEST_UNIX_S
    ? measured(new Date(unixS * 1000))
    : missing(reasonIfAbsent);
}

/** The snapshot that these readings make; percentages are clamped to 0–100 and numbers rounded to two decimals. */
export function toSnapshot(target: ScanTarget, collectedAt: Date, durationMs: number, readings: Readings): Snapshot {
  const snapshot: Snapshot = { ...emptySnapshot(target, collectedAt), durationMs: Math.round(durationMs) };
  const take = <T>(metric: MetricName, reading: Measured<T>, fill: (value: T) => void): void => {
    if ('value' in reading) fill(reading.value);
    else snapshot.unmeasured.push({ metric, reason: reading.missing });
  };
  take('cpuPct', readings.cpuPct, (value) => {
    snapshot.cpuPct = roundedPct(value);
  });
  take('memoryPct', readings.memoryPct, (value) => {
    snapshot.memoryPct = roundedPct(value);
  });
  take('diskPct', readings.disk, ({ usedPct, mount }) => {
    snapshot.diskPct = roundedPct(usedPct);
    snapshot.diskMount = mount;
  });
  take('latencyMs', readings.network, ({ latencyMs }) => {
    snapshot.latencyMs = rounded(latencyMs);
  });
  const { network } = readings;
  take('packetLossPct', 'value' in network ? network.value.packetLossPct : network, (value) => {
    snapshot.packetLossPct = roundedPct(value);
  });
  take('dnsFailures', readings.dns, ({ failures, lookups }) => {
    snapshot.dnsFailures = failures;
    snapshot.dnsLookups = lookups;
  });
  take('servicesDown', readings.servicesDown, (value) => {
    snapshot.servicesDown = value;
  });
  take('logErrors', readings.logErrors, (value) => {
    snapshot.logErrors = value;
  });
  take('bootedAt', readings.bootedAt, (value) => {
    snapshot.bootedAt = value;
  });
  return snapshot;
}

const rounded = (value: number): number => Math.round(value * 100) / 100;
const roundedPct = (value: number): number => rounded(Math.min(100, Math.max(0, value)));
