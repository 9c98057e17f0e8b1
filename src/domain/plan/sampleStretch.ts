/** Stored samples of one machine as series, a day at a time: what a replay reads instead of ten million snapshots. */
import type { SignalName } from '../signals/catalogue.ts';
import type { Snapshot } from '../signals/telemetry.ts';

/** A number, a text or a flag as it is stored; `undefined` where the sample has none. */
export type StoredLeaf = number | string | boolean | null | undefined;

/** One series: everything that samples hold under one key. */
export interface StoredSeries {
  /** The same in every stretch of the machine. */
  key: string;
  /** The signal whose value it is; null where it is something else that a rule may read, as the items' order. */
  signal: SignalName | null;
  leaves: readonly StoredLeaf[];
}

/** What of a snapshot rules judge. */
type ReplayedSnapshot = Pick<Snapshot, 'collectedAt' | 'durationMs' | 'reachable' | 'unreachableReason' | 'readings'>;

/** Samples that follow one another, oldest first. */
export interface SampleStretch {
  timesMs: readonly number[];
  /** How long each scan took. */
  durationsMs: readonly number[];
  series: readonly StoredSeries[];
  /** One of them whole, as far as rules read it. */
  at(place: number): ReplayedSnapshot;
}
