/** What one scan of one endpoint found: the shape every collector returns and every rule reads. */

import type { OsPlatform } from './declaration.ts';

/** How an endpoint's telemetry reaches us. */
export const COLLECTORS = ['local', 'node_exporter', 'windows_exporter', 'ssh', 'push'] as const;
export type CollectorKind = (typeof COLLECTORS)[number];

/**
 * One scan of one endpoint. A metric that was not measured is null and named in `unmeasured` with the reason:
 * no data is not good data. An endpoint that could not be reached is a snapshot too, with `reachable: false`.
 */
export interface Snapshot {
  hostname: string;
  collector: CollectorKind;
  collectedAt: Date;
  /** How long the scan took, in milliseconds. */
  durationMs: number;
  reachable: boolean;
  /** Why it was not reachable; null when it was. */
  unreachableReason: string | null;
  /** Busy share of all cores, 0–100. */
  cpuPct: number | null;
  /** Share of memory not available to programs, 0–100. */
  memoryPct: number | null;
  /** Used share of the fullest real file system, 0–100. */
  diskPct: number | null;
  /** Where that file system is mounted (`/`, `C:`). */
  diskMount: string | null;
  /** Median round trip from the observer to the endpoint (or, for local and push, to its network peer), milliseconds. */
  latencyMs: number | null;
  /** Share of probes without an answer, 0–100. */
  packetLossPct: number | null;
  /** DNS look-ups that failed, of `dnsLookups` tried. */
  dnsFailures: number | null;
  dnsLookups: number | null;
  /** Names of the services that should run and do not; an empty list is a measurement, null is none. */
  servicesDown: string[] | null;
  /** Log lines of level error or worse since the previous scan (or in the last 15 minutes when there was none). */
  logErrors: number | null;
  bootedAt: Date | null;
  unmeasured: Unmeasured[];
}

export interface Unmeasured {
  metric: MetricName;
  reason: string;
}

/** The metrics a collector can measure, by the name of their snapshot field. */
export const METRICS = [
  'cpuPct',
  'memoryPct',
  'diskPct',
  'latencyMs',
  'packetLossPct',
  'dnsFailures',
  'servicesDown',
  'logErrors',
  'bootedAt',
] as const;
export type MetricName = (typeof METRICS)[number];

/** What is needed of an endpoint to scan it; `options` were checked against the collector's schema at registration. */
export interface ScanTarget {
  hostname: string;
  ipAddress: string | null;
  osPlatform: OsPlatform;
  collector: CollectorKind;
  options: CollectorOptions;
}

/** Options of the collectors; every field is optional and means the collector's default. */
export interface CollectorOptions {
  /** Port of the exporter or of sshd. */
  port?: number;
  /** Path of the exporter's page, `/metrics` by default. */
  path?: string;
  /** `http` (default) or `https` for exporters. */
  scheme?: 'http' | 'https';
  /** Services (systemd units, Windows services) that should run; only these count as down when given. */
  services?: string[];
  /** SSH login name. */
  username?: string;
  /** File with the private key for SSH, inside the directory that the operator allows. */
  privateKeyFile?: string;
  /** Expected SSH host key as `SHA256:…`; without it the first key seen is remembered and later held against. */
  hostKeySha256?: string;
  /** Where `local` and the agent measure the way to the internet: `ip` or `ip:port` (53 by default). */
  internetTarget?: string;
  /** How long one scan may take, in milliseconds. */
  timeoutMs?: number;
}

/** A snapshot with nothing measured yet: collectors start from it and fill in what they find. */
export function emptySnapshot(target: ScanTarget, collectedAt: Date): Snapshot {
  return {
    hostname: target.hostname,
    collector: target.collector,
    collectedAt,
    durationMs: 0,
    reachable: true,
    unreachableReason: null,
    cpuPct: null,
    memoryPct: null,
    diskPct: null,
    diskMount: null,
    latencyMs: null,
    packetLossPct: null,
    dnsFailures: null,
    dnsLookups: null,
    servicesDown: null,
    logErrors: null,
    bootedAt: null,
    unmeasured: [],
  };
}

/** The snapshot of an endpoint that did not answer: every metric is unmeasured for the one reason. */
export function unreachableSnapshot(
  target: ScanTarget,
  collectedAt: Date,
  reason: string,
  durationMs: number,
): Snapshot {
  return {
    ...emptySnapshot(target, collectedAt),
    durationMs,
    reachable: false,
    unreachableReason: reason,
    unmeasured: METRICS.map((metric) => ({ metric, reason: 'endpoint not reachable' })),
  };
}

const NUMBERS = ['cpuPct', 'memoryPct', 'diskPct', 'latencyMs', 'packetLossPct', 'dnsFailures', 'logErrors'] as const;

/** A snapshot in which every number is one: what came as NaN, as infinite or as no date counts as not measured, and says so. */
export function sanitised(snapshot: Snapshot): Snapshot {
  const { bootedAt, durationMs } = snapshot;
  const bad: MetricName[] = NUMBERS.filter(
    (metric) => !(snapshot[metric] === null || Number.isFinite(snapshot[metric])),
  );
  if (bootedAt !== null && Number.isNaN(bootedAt.getTime())) bad.push('bootedAt');
  const lookupsAreBad = !(snapshot.dnsLookups === null || Number.isFinite(snapshot.dnsLookups));
  if (lookupsAreBad && !bad.includes('dnsFailures')) bad.push('dnsFailures');
  const clean = { ...snapshot, durationMs: Number.isFinite(durationMs) ? durationMs : 0 };
  for (const metric of bad) {
    clean[metric] = null;
    if (metric === 'diskPct') clean.diskMount = null;
    if (metric === 'dnsFailures') clean.dnsLookups = null;
  }
  const why = bad.map((metric) => ({ metric, reason: 'what came is no number' }));
  return { ...clean, unmeasured: [...clean.unmeasured.filter(({ metric }) => !bad.includes(metric)), ...why] };
}
