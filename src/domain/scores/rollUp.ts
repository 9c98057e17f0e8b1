/** Roll-ups: what is left of an hour's samples once they are too old to be kept one by one. */
import { COMPONENTS } from './score.ts';

const HOUR_MS = 3_600_000;

/** What is kept of snapshots: their metrics; `reachablePct` is 100 for a scan that was answered, 0 for one that was not. */
export const SNAPSHOT_MEASURES = [
  'reachablePct',
  'cpuPct',
  'memoryPct',
  'diskPct',
  'latencyMs',
  'packetLossPct',
  'dnsFailurePct',
  'servicesDown',
  'logErrors',
] as const;

export const SCORE_MEASURES = ['score', ...COMPONENTS] as const;
export type ScoreMeasure = (typeof SCORE_MEASURES)[number];

/** What is kept of the fleet's averages. */
export const FLEET_MEASURES = ['average', 'endpoints'] as const;
export type FleetMeasure = (typeof FLEET_MEASURES)[number];

/** What one sample or one scan gave; null where it measured nothing. */
export interface Sample<Measure extends string> {
  /** Endpoint id; 0 for the fleet as a whole. */
  subjectId: number;
  at: Date;
  values: Record<Measure, number | null>;
}

/** How a measure ran within an hour. */
export interface Aggregate {
  /** Arithmetic mean of the samples that measured it, each with the same weight. */
  mean: number;
  min: number;
  max: number;
  /** How many samples measured it, at least 1. */
  count: number;
}

/** An hour of samples; an aggregate is null where none of them measured anything. */
export interface HourlyRollUp<Measure extends string> {
  subjectId: number;
  /** Its beginning. */
  hour: Date;
  samples: number;
  aggregates: Record<Measure, Aggregate | null>;
}

/** The beginning of the hour (UTC) that a timestamp lies in. */
export function hourOf(at: Date): Date {
  return new Date(Math.floor(at.getTime() / HOUR_MS) * HOUR_MS);
}

/** What identifies a roll-up among those of its kind. */
export function rollUpKey({ subjectId, hour }: Pick<HourlyRollUp<string>, 'subjectId' | 'hour'>): string {
  return `${subjectId} ${hour.getTime()}`;
}

/** One roll-up for each subject and hour that has samples, in the order in which they first appear. */
export function rollUp<Measure extends string>(samples: readonly Sample<Measure>[]): HourlyRollUp<Measure>[] {
  const groups = Map.groupBy(samples, ({ subjectId, at }) => rollUpKey({ subjectId, hour: hourOf(at) }));
  return [...groups.values()].map((group) => {
    const [{ subjectId, at }] = group as [Sample<Measure>];
    const measures = [...new Set(group.flatMap(({ values }) => Object.keys(values)))] as Measure[];
    const aggregates = measures.map(
      (measure) => [measure, aggregateOf(group.map(({ values }) => values[measure] ?? null))] as const,
    );
    return { subjectId, hour: hourOf(at), samples: group.length, aggregates: recordOf(aggregates) };
  });
}

/** The roll-up of all samples behind two roll-ups of the same subject and hour; a measure that one lacks comes from the other. */
export function joinRollUps<Measure extends string>(
  a: HourlyRollUp<Measure>,
  b: HourlyRollUp<Measure>,
): HourlyRollUp<Measure> {
  const measures = [...new Set([...Object.keys(a.aggregates), ...Object.keys(b.aggregates)])] as Measure[];
  const aggregates = measures.map(
    (measure) => [measure, joinAggregates(a.aggregates[measure] ?? null, b.aggregates[measure] ?? null)] as const,
  );
  return { ...a, samples: a.samples + b.samples, aggregates: recordOf(aggregates) };
}

function aggregateOf(values: readonly (number | null)[]): Aggregate | null {
  const measured = values.filter((value) => value !== null);
  if (measured.length === 0) return null;
  return {
    mean: measured.reduce((sum, value) => sum + value, 0) / measured.length,
    min: Math.min(...measured),
    max: Math.max(...measured),
    count: measured.length,
  };
}

function joinAggregates(a: Aggregate | null, b: Aggregate | null): Aggregate | null {
  if (a === null || b === null) return a ?? b;
  const count = a.count + b.count;
  return {
    mean: (a.mean * a.count + b.mean * b.count) / count,
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
    count,
  };
}

function recordOf<Key extends string, Value>(entries: readonly (readonly [Key, Value])[]): Record<Key, Value> {
  return Object.fromEntries(entries) as Record<Key, Value>;
}
