/** A block: samples of one endpoint, taken apart into series by the path of each leaf, and compressed together. */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { ByteReader, ByteWriter, decodeColumn, encodeColumn, type Leaf } from './columnCodec.ts';

/** A sample as JSON has it; lists and empty objects are one leaf each, kept as their JSON text. */
export type SampleTree = { [key: string]: unknown };

const VERSION = 1;

/** Separates the keys of a path; no key of ours has it, and one of a machine's that does is kept within its parent's JSON. */
const SEPARATOR = '\u001f';

/** Marks the path of a leaf that is JSON text. */
const AS_JSON = '\u001e';

/** No honest block is larger; what claims to be is refused before it fills the memory. */
const MOST_BYTES = 64 * 1024 * 1024;

/** Most blocks fit into one chunk; a larger one costs more to make than it saves. */
const UNZSTD = { maxOutputLength: MOST_BYTES, chunkSize: 32 * 1024 };

const ZSTD = { params: { [constants.ZSTD_c_compressionLevel]: 6, [constants.ZSTD_c_checksumFlag]: 1 } };

export function encodeBlock(samples: readonly SampleTree[]): Buffer {
  const { count, columns } = columnsOf(samples, () => true);
  const writer = new ByteWriter().uint(VERSION).uint(count).uint(columns.size);
  // Series of the same kind lie side by side, which compresses better than the order in which they came.
  const sorted = [...columns].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [path] of sorted) writer.text(path);
  for (const [, leaves] of sorted) writer.block(encodeColumn(leaves));
  return zstdCompressSync(writer.done(), ZSTD);
}

/** Samples as series: the leaves of each path, with `undefined` where a sample has none. */
export interface SampleSeries {
  count: number;
  columns: Map<string, Leaf[]>;
}

/** The keys of a path, and whether its leaves are JSON text. */
export function readPath(path: string): { keys: string[]; isJson: boolean } {
  const isJson = path.endsWith(AS_JSON);
  return { keys: (isJson ? path.slice(0, -1) : path).split(SEPARATOR), isJson };
}

/** @param wanted says of a path's keys whether its series is of interest */
export function columnsOf(samples: readonly SampleTree[], wanted: (path: string) => boolean): SampleSeries {
  const columns = new Map<string, Leaf[]>();
  for (const [place, sample] of samples.entries()) {
    for (const [path, leaf] of leavesOf(sample)) {
      let column = columns.get(path);
      if (column === undefined) {
        if (!wanted(path)) continue;
        column = new Array<Leaf>(samples.length).fill(undefined);
        columns.set(path, column);
      }
      column[place] = leaf;
    }
  }
  return { count: samples.length, columns };
}

/**
 * @param wanted only the series whose path it accepts
 * @throws RangeError, or zlib's error, where the bytes are no block of a version that is known
 */
export function decodeColumns(block: Uint8Array, wanted: (path: string) => boolean): SampleSeries {
  const bytes = zstdDecompressSync(block, UNZSTD);
  const reader = new ByteReader(bytes);
  const version = reader.uint();
  if (version !== VERSION) throw new RangeError(`This version does not read blocks of version ${version}.`);
  const count = reader.uint();
  const paths = pathsIn(bytes, reader);
  const columns = new Map<string, Leaf[]>();
  for (const path of paths) {
    if (wanted(path)) columns.set(path, decodeColumn(reader.block(), count));
    else reader.skip();
  }
  return { count, columns };
}

/** Heads that are remembered: a machine's blocks have the same one day after day, and machines of one kind share it. */
const MOST_HEADS = 200;
const heads = new Map<string, string[]>();

function pathsIn(bytes: Buffer, reader: ByteReader): string[] {
  const count = reader.uint();
  const from = reader.position;
  for (let left = count; left > 0; left--) reader.skip();
  const head = bytes.toString('latin1', from, reader.position);
  const known = heads.get(head);
  if (known) return known;
  const texts = new ByteReader(bytes.subarray(from, reader.position));
  const paths = Array.from({ length: count }, () => texts.text());
  if (heads.size >= MOST_HEADS) heads.clear();
  heads.set(head, paths);
  return paths;
}

/** One sample of series. */
export function sampleIn({ columns }: SampleSeries, place: number): SampleTree {
  const sample: SampleTree = {};
  for (const [path, leaves] of columns) {
    const leaf = leaves[place];
    if (leaf === undefined) continue;
    const { keys, isJson } = readPath(path);
    plant(sample, keys, isJson ? JSON.parse(leaf as string) : leaf);
  }
  return sample;
}

/**
 * @param wanted only the series whose first key it accepts; all by default
 * @throws RangeError, or zlib's error, where the bytes are no block of a version that is known
 */
export function decodeBlock(block: Uint8Array, wanted: (key: string) => boolean = () => true): SampleTree[] {
  const { count, columns } = decodeColumns(block, (path) => wanted(readPath(path).keys[0] as string));
  const samples: SampleTree[] = Array.from({ length: count }, () => ({}));
  for (const [path, leaves] of columns) {
    const { keys, isJson } = readPath(path);
    for (const [place, leaf] of leaves.entries()) {
      if (leaf !== undefined) plant(samples[place] as SampleTree, keys, isJson ? JSON.parse(leaf as string) : leaf);
    }
  }
  return samples;
}

function* leavesOf(tree: SampleTree, prefix = ''): Generator<[path: string, leaf: Leaf]> {
  for (const [key, value] of Object.entries(tree)) {
    if (value === undefined) continue;
    const path = prefix + key;
    if (value === null || typeof value !== 'object') yield [path, value as Leaf];
    else if (isBranch(value)) yield* leavesOf(value, path + SEPARATOR);
    else yield [path + AS_JSON, JSON.stringify(value)];
  }
}

function isBranch(value: object): value is SampleTree {
  if (Array.isArray(value)) return false;
  const keys = Object.keys(value);
  return (
    keys.length > 0 && keys.every((key) => !key.includes(SEPARATOR) && !key.includes(AS_JSON) && key !== '__proto__')
  );
}

function plant(tree: SampleTree, keys: readonly string[], leaf: unknown): void {
  let branch = tree;
  for (const key of keys.slice(0, -1)) {
    // A machine may name an item as an object's own methods are named.
    if (!Object.hasOwn(branch, key)) branch[key] = {};
    branch = branch[key] as SampleTree;
  }
  branch[keys.at(-1) as string] = leaf;
}
