/** What was measured of one machine, measure by measure and program by program, ready to be compared. */
import { declarationOf } from '../signals/catalogue.ts';
import { type Measure, type MeasuredNumber, numbersOf, signalOf, worstOf } from '../signals/measures.ts';
import type { Snapshot } from '../signals/telemetry.ts';
import { JUDGED_MEASURES } from './levels.ts';

/** What a diagnosis reads of a snapshot. */
export type ScanRecord = Pick<Snapshot, 'collectedAt' | 'reachable' | 'unreachableReason' | 'readings'>;

export interface Point {
  atMs: number;
  value: number;
  item: string | null;
}

export interface MachineHistory {
  /** By measure, oldest first; measures that were never measured are absent. */
  series: ReadonlyMap<Measure, readonly Point[]>;
  /** Scans that the machine answered, oldest first. */
  scans: readonly ScanRecord[];
  /** The last scan, answered or not. */
  last: ScanRecord | null;
  /** Scans dated later than now, which nothing is read from. */
  fromTheFuture: number;
}

/** Clocks of two machines differ by this much at most before a date is not believed. */
const CLOCKS_DIFFER_MS = 5 * 60_000;

/** @param records in any order */
export function historyOf(records: readonly ScanRecord[], nowMs: number): MachineHistory {
  const believed = records
    .filter(({ collectedAt }) => collectedAt.getTime() <= nowMs + CLOCKS_DIFFER_MS)
    .toSorted((a, b) => a.collectedAt.getTime() - b.collectedAt.getTime());
  const scans = believed.filter(({ reachable }) => reachable);
  const series = new Map<Measure, Point[]>();
  for (const measure of JUDGED_MEASURES) {
    const points = scans.flatMap((scan): Point[] => {
      const worst = worstNow(scan, measure);
      return worst === null ? [] : [{ atMs: scan.collectedAt.getTime(), ...worst }];
    });
    if (points.length > 0) series.set(measure, points);
  }
  return { series, scans, last: believed.at(-1) ?? null, fromTheFuture: records.length - believed.length };
}

/** The worst that a scan says of a measure; of programs none is as good as zero. Null when nothing was measured. */
export function worstNow(scan: ScanRecord, measure: Measure): MeasuredNumber | null {
  const worst = worstOf(scan, measure);
  if (worst !== null) return worst;
  const name = signalOf(measure);
  const isListOfNone = declarationOf(name).per === 'program' && !('missing' in scan.readings[name]);
  return isListOfNone ? { value: 0, item: null } : null;
}

/** Mean share of each program over some scans that named programs; a program that a scan does not name had next to nothing. */
export function programShares(scans: readonly ScanRecord[], measure: Measure): Map<string, number> | null {
  const named = scans.flatMap((scan) => numbersOf(scan, measure) ?? []);
  const read = scans.filter((scan) => numbersOf(scan, measure) !== null).length;
  if (read === 0) return null;
  const sums = new Map<string, number>();
  for (const { item, value } of named) if (item !== null) sums.set(item, (sums.get(item) ?? 0) + value);
  return new Map([...sums].map(([program, sum]) => [program, sum / read]));
}
