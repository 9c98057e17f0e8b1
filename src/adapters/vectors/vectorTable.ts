/** All vectors of a table in memory: comparing some thousand there is several times faster than asking the table. */
import type { Table } from '@lancedb/lancedb';

export interface VectorTable {
  /** Key of each row. */
  keys: readonly string[];
  platforms: readonly string[];
  /** Row after row. */
  values: Float32Array;
}

export async function readVectors(table: Table, key: string, dimensions: number): Promise<VectorTable> {
  const rows: { [column: string]: unknown; platforms: string; vector: { toArray(): ArrayLike<number> } }[] = await table
    .query()
    .select([key, 'platforms', 'vector'])
    .toArray();
  const values = new Float32Array(rows.length * dimensions);
  for (const [index, row] of rows.entries()) values.set(row.vector.toArray(), index * dimensions);
  return { keys: rows.map((row) => String(row[key])), platforms: rows.map((row) => row.platforms), values };
}

/** The `limit` rows nearest to a unit vector, nearest first, with their cosines; `accepts` judges a row's platforms. */
export function nearest(
  { keys, platforms, values }: VectorTable,
  vector: Float32Array,
  limit: number,
  accepts: (platforms: string) => boolean,
): { key: string; cosine: number }[] {
  const cosines = new Float32Array(keys.length);
  for (let row = 0, at = 0; row < keys.length; row += 1) {
    let sum = 0;
    for (let place = 0; place < vector.length; place += 1, at += 1) sum += values[at]! * vector[place]!;
    cosines[row] = accepts(platforms[row]!) ? sum : Number.NEGATIVE_INFINITY;
  }
  const least = cosines.toSorted()[Math.max(0, keys.length - limit)] ?? Number.NEGATIVE_INFINITY;
  return keys
    .flatMap((key, row) => {
      const cosine = cosines[row]!;
      return cosine >= least && cosine > Number.NEGATIVE_INFINITY ? [{ key, cosine }] : [];
    })
    .sort((a, b) => b.cosine - a.cosine)
    .slice(0, limit);
}
