/** What one scan of one endpoint found: the shape every collector returns and every rule reads. */
import { declarationOf, SIGNAL_NAMES, type SignalName } from './catalogue.ts';
import type { OsPlatform } from './declaration.ts';
import { blankReadings, completeReadings, missing, type Readings, sanitisedReading } from './reading.ts';

/** How an endpoint's telemetry reaches us. */
export const COLLECTORS = ['local', 'node_exporter', 'windows_exporter', 'ssh', 'push', 'prometheus', 'fleet'] as const;
export type CollectorKind = (typeof COLLECTORS)[number];

/** Those that a person may choose; the others belong to machines that a source manages. */
export const CHOSEN_COLLECTORS = ['local', 'node_exporter', 'windows_exporter', 'ssh', 'push'] as const;

/** Why a machine is not scanned from here, by its collector; without one it is. */
export const NOT_SCANNED_FROM_HERE: Partial<Record<CollectorKind, string>> = {
  push: 'reports by itself (collector push)',
  prometheus: 'is read with its source, all machines at once,',
  fleet: 'is read with its source, all machines at once,',
};

/**
 * One scan of one endpoint: a value of every signal, or the reason why there is none: no data is not good data.
 * An endpoint that could not be reached is a snapshot too, with `reachable: false`.
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
  readings: Readings;
  /** Signals that an agent of another version reported and this one does not know. */
  ignoredSignals: number;
}

/** What is needed of an endpoint to collect from it; `options` were checked against the collector's schema at registration. */
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
  /** False leaves out what tells something about the person at the machine: programs by use and by crashes. */
  personal?: boolean;
  /** How long one scan may take, in milliseconds. */
  timeoutMs?: number;
  /** The source that manages the machine: it registered it, keeps it up to date, and takes it away. */
  source?: string;
  /** What the source calls the machine, as `job/instance`. */
  sourceTarget?: string;
  /** Since when the source does not list it any more, ISO 8601. */
  goneSince?: string;
}

/** The snapshot that these readings make; what a collector did not read is missing with the reason. */
export function snapshotOf(
  target: ScanTarget,
  collectedAt: Date,
  durationMs: number,
  readings: Partial<Readings>,
): Snapshot {
  return {
    hostname: target.hostname,
    collector: target.collector,
    collectedAt,
    durationMs,
    reachable: true,
    unreachableReason: null,
    readings: completeReadings(readings, (name) => whyNotRead(name, target)),
    ignoredSignals: 0,
  };
}

function whyNotRead(name: SignalName, { osPlatform, collector }: ScanTarget): string {
  return declarationOf(name).platforms.includes(osPlatform)
    ? `collector ${collector} does not measure it`
    : `${osPlatform === 'other' ? 'this system' : osPlatform} has no such figure`;
}

const NOT_REACHABLE = completeReadings({}, () => 'endpoint not reachable');

/** The snapshot of an endpoint that did not answer: every signal is missing for the one reason. */
export function unreachableSnapshot(
  target: ScanTarget,
  collectedAt: Date,
  reason: string,
  durationMs: number,
): Snapshot {
  const { hostname, collector } = target;
  return {
    hostname,
    collector,
    collectedAt,
    durationMs,
    reachable: false,
    unreachableReason: reason,
    readings: NOT_REACHABLE,
    ignoredSignals: 0,
  };
}

const SWITCHED_OFF = missing('it is switched off for this machine');
const PERSONAL = SIGNAL_NAMES.filter((name) => declarationOf(name).personal === true);

/** Readings without those that tell something about the person at the machine. */
export function withoutPersonal<Some extends Partial<Readings>>(readings: Some): Some {
  return { ...readings, ...Object.fromEntries(PERSONAL.map((name) => [name, SWITCHED_OFF])) };
}

/** A start that lies after the scan is not a measurement; clocks of two machines differ by this much at most. */
const CLOCKS_DIFFER_MS = 5 * 60_000;

/** A snapshot in which every value is possible and bounded; what was not is missing with the reason. */
export function sanitised(snapshot: Snapshot): Snapshot {
  const { durationMs, collectedAt } = snapshot;
  const clean = blankReadings();
  for (const name of SIGNAL_NAMES) clean[name] = sanitisedReading(name, snapshot.readings[name]);
  const readings = clean as Readings;
  const { bootedAt } = readings;
  if ('value' in bootedAt && bootedAt.value.getTime() > collectedAt.getTime() + CLOCKS_DIFFER_MS) {
    readings.bootedAt = missing(`a start at ${bootedAt.value.toISOString()}, after the scan, is not possible`);
  }
  return { ...snapshot, durationMs: Number.isFinite(durationMs) ? durationMs : 0, readings };
}
