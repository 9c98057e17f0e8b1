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

const ZSTD = { params: { [constants.ZSTD_c_compressionLevel]: 6, [constants.ZSTD_c_checksumFlag]: 1 } };

export function encodeBlock(samples: readonly SampleTree[]): Buffer {
  const columns = new Map<string, Leaf[]>();
  for (const [place, sample] of samples.entries()) {
    for (const [path, leaf] of leavesOf(sample)) {
      const column = columns.get(path) ?? new Array<Leaf>(samples.length).fill(undefined);
      column[place] = leaf;
      columns.set(path, column);
    }
  }
  const writer = new ByteWriter().uint(VERSION).uint(samples.length).uint(columns.size);
  // Series of the same kind lie side by side, which compresses better than the order in which they came.
  const sorted = [...columns].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [path] of sorted) writer.text(path);
  for (const [, leaves] of sorted) writer.block(encodeColumn(leaves));
  return zstdCompressSync(writer.done(), ZSTD);
}

/**
 * @param wanted only the series whose first key it accepts; all by default
 * @throws RangeError, or zlib's error, where the bytes are no block of a version that is known
 */
export function decodeBlock(block: Uint8Array, wanted: (key: string) => boolean = () => true): SampleTree[] {
  const reader = new ByteReader(zstdDecompressSync(block, { maxOutputLength: MOST_BYTES }));
  const version = reader.uint();
  if (version !== VERSION) throw new RangeError(`This version does not read blocks of version ${version}.`);
  const count = reader.uint();
  const paths = Array.from({ length: reader.uint() }, () => reader.text());
  const samples: SampleTree[] = Array.from({ length: count }, () => ({}));
  for (const path of paths) {
    const bytes = reader.block();
    const isJson = path.endsWith(AS_JSON);
    const keys = (isJson ? path.slice(0, -1) : path).split(SEPARATOR);
    if (!wanted(keys[0] as string)) continue;
    for (const [place, leaf] of decodeColumn(bytes, count).entries()) {
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
