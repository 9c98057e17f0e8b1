/** Snapshots as series for a replay: read from blocks as they lie there, and from the rows that are not packed yet. */
import type { SampleStretch, StoredSeries } from '../../../domain/plan/sampleStretch.ts';
import { type SignalName, signalOfWireName, wireName } from '../../../domain/signals/catalogue.ts';
import { BLOCK_TIME, type BlockSeries, type TimedSample } from './blockStore.ts';
import { columnsOf, readPath, type SampleSeries, sampleIn } from './sampleBlock.ts';
import { snapshotOf } from './sampleTrees.ts';

/** A path of a series, as far as a replay is concerned. */
interface Place {
  isRead: boolean;
  /** What of it is watched for changes; what is only needed of a sample that is judged is not. */
  isWatched: boolean;
  signal: SignalName | null;
}

/** Which paths hold what these signals need; the answer for a path is remembered, because every block has the same ones. */
export function stretchReader(signals: ReadonlySet<SignalName>) {
  const wireNames = new Set([...signals].map(wireName));
  const known = new Map<string, Place>();
  const placeOf = (path: string): Place => {
    const found = known.get(path) ?? readPlace(path, wireNames);
    known.set(path, found);
    return found;
  };
  const stretch = (endpointId: number, dayMs: number, samples: SampleSeries): SampleStretch => {
    const timesMs = (samples.columns.get(BLOCK_TIME) as number[]).map((atMs) => dayMs + atMs);
    return {
      timesMs,
      durationsMs: (samples.columns.get('durationMs') ?? []) as number[],
      series: [...samples.columns].flatMap(([key, leaves]): StoredSeries[] => {
        const { isWatched, signal } = placeOf(key);
        return isWatched ? [{ key, signal, leaves }] : [];
      }),
      at(place) {
        const { [BLOCK_TIME]: _at, ...tree } = sampleIn(samples, place);
        // Why something was not measured no rule asks.
        const readings = { missing: [], ...(tree.readings as object | undefined) };
        return snapshotOf({ endpointId, atMs: timesMs[place] as number, tree: { ...tree, readings } });
      },
    };
  };
  /** @param samples of one endpoint, by time */
  const ofSamples = (samples: readonly TimedSample[]): SampleStretch => {
    const [{ endpointId }] = samples as readonly [TimedSample];
    const trees = samples.map(({ atMs, tree }) => ({ [BLOCK_TIME]: atMs, ...tree }));
    return stretch(
      endpointId,
      0,
      columnsOf(trees, (path) => path === BLOCK_TIME || placeOf(path).isRead),
    );
  };
  return {
    wanted: (path: string) => placeOf(path).isRead,
    /** @param days blocks of one endpoint by day @param young its samples that are not packed, by time */
    inOrder(days: readonly BlockSeries[], young: readonly TimedSample[]): SampleStretch[] {
      const packed = days.map(({ endpointId, dayMs, samples }) => stretch(endpointId, dayMs, samples));
      const [first] = young;
      if (first === undefined) return packed;
      const lastMs = packed.at(-1)?.timesMs.at(-1) ?? Number.NEGATIVE_INFINITY;
      if (first.atMs > lastMs) return [...packed, ofSamples(young)];
      // Some came late, when younger ones were packed already.
      const all = [...days.flatMap(samplesIn), ...young].sort((a, b) => a.atMs - b.atMs);
      return [ofSamples(all)];
    },
  };
}

function samplesIn({ endpointId, dayMs, samples }: BlockSeries): TimedSample[] {
  return Array.from({ length: samples.count }, (_, place) => {
    const { [BLOCK_TIME]: at, ...tree } = sampleIn(samples, place);
    return { endpointId, atMs: dayMs + (at as number), tree };
  });
}

const NOT_READ: Place = { isRead: false, isWatched: false, signal: null };
const BESIDE: Place = { isRead: true, isWatched: false, signal: null };
const WATCHED: Place = { isRead: true, isWatched: true, signal: null };

function readPlace(path: string, wireNames: ReadonlySet<string>): Place {
  const { keys, isJson } = readPath(path);
  const [first, second, name, ...rest] = keys;
  if (first === 'reachable') return WATCHED;
  if (first === 'durationMs' || first === 'unreachableReason') return BESIDE;
  if (first !== 'readings') return NOT_READ;
  if (second === 'ignored') return BESIDE;
  if (second !== 'measured' || name === undefined || !wireNames.has(name)) return NOT_READ;
  const isValue = !isJson && rest.at(-1) === 'value' && (rest.length === 1 || rest.length === 3);
  return isValue ? { ...WATCHED, signal: signalOfWireName(name) ?? null } : WATCHED;
}
