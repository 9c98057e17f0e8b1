/** Snapshots as tests write them: the guide's signals flat, as `{ cpuPct: 12, diskPct: 50, diskMount: '/' }`. */
import { flatReadings, readingsFromFlat, unmeasured } from '../../src/domain/signals/flat.ts';
import type { Readings } from '../../src/domain/signals/reading.ts';
import { type ScanTarget, type Snapshot, snapshotOf } from '../../src/domain/signals/telemetry.ts';

export interface Flat {
  cpuPct: number | null;
  memoryPct: number | null;
  diskPct: number | null;
  diskMount: string | null;
  latencyMs: number | null;
  packetLossPct: number | null;
  dnsFailures: number | null;
  dnsLookups: number | null;
  servicesDown: string[] | null;
  logErrors: number | null;
  bootedAt: Date | null;
  durationMs: number;
  reachable: boolean;
  unreachableReason: string | null;
  /** By metric in camelCase. */
  unmeasured: { metric: string; reason: string }[];
  /** What else was read. */
  readings: Partial<Readings>;
}

const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const camel = (name: string) => name.replace(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());

export function flatSnapshot(target: ScanTarget, collectedAt: Date, found: Partial<Flat> = {}): Snapshot {
  const { durationMs = 0, reachable = true, unreachableReason = null, unmeasured = [], readings, ...values } = found;
  const flat = Object.fromEntries(Object.entries(values).map(([name, value]) => [snake(name), value]));
  const reasons = new Map(unmeasured.map(({ metric, reason }) => [snake(metric), reason]));
  const read = readingsFromFlat(flat, reasons, () => 'the test does not say');
  return {
    ...snapshotOf(target, collectedAt, durationMs, { ...read, ...readings }),
    reachable,
    unreachableReason,
  };
}

/** The guide's signals of a snapshot, flat, with `unmeasured` by metric in camelCase. */
export function flatOf(snapshot: Omit<Snapshot, 'hostname'>): Omit<Flat, 'readings'> {
  const { durationMs, reachable, unreachableReason, readings } = snapshot;
  const flat = Object.entries(flatReadings(readings)).map(([name, value]) => [camel(name), value]);
  const { bootedAt, ...values } = Object.fromEntries(flat);
  return {
    ...values,
    bootedAt: bootedAt === null ? null : new Date(bootedAt),
    durationMs,
    reachable,
    unreachableReason,
    unmeasured: unmeasured(readings).map(({ metric, reason }) => ({ metric: camel(metric), reason })),
  };
}
