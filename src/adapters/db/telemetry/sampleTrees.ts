/** Rows of snapshots and scores as trees for a block and back, and the figures of them that roll-ups keep. */
import type { InferEntity } from '@mikro-orm/core';
import type { ScorePoint, StoredSnapshot } from '../../../core/ports/endpointPorts.ts';
import type { SCORE_MEASURES } from '../../../domain/scores/rollUp.ts';
import type { Score } from '../../../domain/scores/score.ts';
import { type KeptReadings, type ScoreRow, SnapshotRow } from '../entities/telemetry.ts';
import type { Plain } from '../rows.ts';
import type { TimedSample } from './blockStore.ts';
import type { SampleTree } from './sampleBlock.ts';
import { type SnapshotFields, snapshotFromRow } from './snapshotRows.ts';

type SnapshotPlain = Plain<InferEntity<typeof SnapshotRow>>;
type ScorePlain = Plain<InferEntity<typeof ScoreRow>>;

/** A snapshot's own columns; what is null is left out and read as null again. */
const SNAPSHOT_FIELDS = Object.keys(SnapshotRow.meta.properties).filter(
  (name) => !['id', 'endpointId', 'collectedAt'].includes(name),
) as (keyof SnapshotPlain)[];

export function snapshotTree(row: SnapshotPlain): TimedSample {
  const tree: SampleTree = {};
  for (const name of SNAPSHOT_FIELDS) {
    const value = row[name];
    if (value === null) continue;
    if (name === 'readings') tree[name] = packedReadings(value as KeptReadings);
    else tree[name] = value instanceof Date ? { ms: value.getTime() } : value;
  }
  return { endpointId: row.endpointId, atMs: row.collectedAt.getTime(), tree };
}

export function snapshotOf({ endpointId, atMs, tree }: TimedSample): StoredSnapshot {
  return snapshotFromRow({ ...fieldsOf(tree), endpointId, collectedAt: new Date(atMs) });
}

function fieldsOf(tree: SampleTree): Omit<SnapshotFields, 'endpointId' | 'collectedAt'> {
  const fields = SNAPSHOT_FIELDS.map((name) => {
    const value = readValue(tree[name]);
    return [name, name === 'readings' && value !== null ? unpackedReadings(value as SampleTree) : value];
  });
  return Object.fromEntries(fields) as SnapshotFields;
}

/** A list of items as a branch by item, so that the value of each is a series of its own; `order` is how they stood. */
interface PackedItems {
  order: string[];
  of: Record<string, object>;
}

function packedReadings({ measured, ...rest }: KeptReadings): SampleTree {
  const packed = Object.entries(measured).map(([name, reading]) => {
    if (!('items' in reading)) return [name, reading];
    const order = reading.items.map(({ item }) => item);
    // Two items of one name have no branch each; such a list is kept as it is.
    if (new Set(order).size < order.length || order.includes('__proto__')) return [name, reading];
    const of = Object.fromEntries(reading.items.map(({ item, ...value }) => [item, value]));
    return [name, { order, of }];
  });
  return { ...rest, measured: Object.fromEntries(packed) };
}

function unpackedReadings({ measured = {}, ...rest }: SampleTree): KeptReadings {
  const readings = Object.entries(measured as Record<string, object>).map(([name, reading]) => {
    if (!('order' in reading)) return [name, reading];
    const { order, of = {} } = reading as Partial<PackedItems> & { order: string[] };
    return [name, { items: order.map((item) => ({ item, ...of[item] })) }];
  });
  return { ...rest, measured: Object.fromEntries(readings) } as unknown as KeptReadings;
}

/** A date is the only branch that has one leaf of this name. */
function readValue(value: unknown): unknown {
  if (value === undefined) return null;
  const ms = (value as { ms?: unknown } | null)?.ms;
  return typeof ms === 'number' && Object.keys(value as object).length === 1 ? new Date(ms) : value;
}

/** What a packed score keeps; deductions, caps and advice follow from the snapshot and the rules, and nobody asks for old ones. */
export function scoreTree({ endpointId, scoredAt, score, status, coverage, components }: ScorePlain): TimedSample {
  return { endpointId, atMs: scoredAt.getTime(), tree: { score, status, coverage, components } };
}

export function scorePointOf({ atMs, tree }: TimedSample): ScorePoint {
  const { score, components } = tree as Pick<Score, 'score' | 'components'>;
  return { score, components, scoredAt: new Date(atMs), hourly: null };
}

export function scoreValues(tree: SampleTree): Record<(typeof SCORE_MEASURES)[number], number | null> {
  const { score, components } = tree as unknown as Pick<Score, 'score' | 'components'>;
  return { score, ...components };
}

/** @returns each measure that hourly roll-ups keep of a snapshot, as {@link SNAPSHOT_MEASURES} names them */
export function snapshotValues(tree: SampleTree): Record<string, number | null> {
  const {
    reachable,
    cpuPct,
    memoryPct,
    diskPct,
    latencyMs,
    packetLossPct,
    dnsFailures,
    dnsLookups,
    servicesDown,
    logErrors,
  } = fieldsOf(tree);
  return {
    reachablePct: reachable ? 100 : 0,
    cpuPct,
    memoryPct,
    diskPct,
    latencyMs,
    packetLossPct,
    dnsFailurePct: dnsFailures === null || !dnsLookups ? null : (100 * dnsFailures) / dnsLookups,
    servicesDown: servicesDown?.length ?? null,
    logErrors,
  };
}
