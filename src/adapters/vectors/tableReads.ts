/** Searches of one table of the runbook index, by words and by vector; few vectors are kept in memory. */
import type { Table } from '@lancedb/lancedb';
import type { FindOptions, Found } from '../../core/ports/runbookPorts.ts';
import { docIdOf, forPlatform, isForPlatform } from './rows.ts';
import { nearest, readVectors, type VectorTable } from './vectorTable.ts';

export interface TableReads {
  byText(keys: readonly string[], options: FindOptions): Promise<Found[]>;
  byVector(vector: Float32Array, options: FindOptions): Promise<Found[]>;
}

/** @param inMemoryRows the largest table whose vectors are compared in memory instead of by LanceDB */
export function tableReads(table: Table, key: 'doc_id' | 'id', dimensions: number, inMemoryRows: number): TableReads {
  let vectors: { version: number; table: Promise<VectorTable | null> } | null = null;

  /** Null when the table is too large for that. */
  async function inMemory(): Promise<VectorTable | null> {
    const version = await table.version();
    if (vectors?.version === version) return vectors.table;
    const reading = table
      .countRows()
      .then((rows) => (rows > inMemoryRows ? null : readVectors(table, key, dimensions)));
    vectors = { version, table: reading };
    // What could not be read is read again by the next search.
    reading.catch(() => {
      vectors = null;
    });
    return reading;
  }

  const found = (id: string, score: number): Found =>
    key === 'id' ? { docId: docIdOf(id), sectionId: id, score } : { docId: id, sectionId: null, score };

  return {
    async byText(keys, { limit, platform }) {
      const { MatchQuery } = await import('@lancedb/lancedb');
      const query = table.query().fullTextSearch(new MatchQuery(keys.join(' '), 'words'));
      const narrowed = platform === null ? query : query.where(forPlatform(platform));
      const rows: { [column: string]: unknown; _score: number }[] = await narrowed
        .select([key, '_score'])
        .limit(limit)
        .toArray();
      return rows.map((row) => found(String(row[key]), row._score));
    },

    async byVector(vector, { limit, platform }) {
      const known = await inMemory();
      if (known) {
        const accepts = (platforms: string) => platform === null || isForPlatform(platforms, platform);
        return nearest(known, vector, limit, accepts).map((row) => found(row.key, row.cosine));
      }
      const query = table.query().nearestTo(vector).distanceType('dot');
      const narrowed = platform === null ? query : query.where(forPlatform(platform));
      const rows: { [column: string]: unknown; _distance: number }[] = await narrowed
        .select([key, '_distance'])
        .limit(limit)
        .toArray();
      // For unit vectors LanceDB's dot distance is one minus the cosine.
      return rows.map((row) => found(String(row[key]), 1 - row._distance));
    },
  };
}

type PageWords = ReadonlyMap<string, ReadonlySet<string>>;

/** Reads the search keys of each page, once for each state of the table of pages. */
export function createPageWords(): (pages: Table, name: string) => Promise<PageWords> {
  let read: { key: string; words: Promise<PageWords> } | null = null;
  return async (pages, name) => {
    const key = `${name}@${await pages.version()}`;
    if (read?.key === key) return read.words;
    const words = pages
      .query()
      .select(['doc_id', 'words'])
      .toArray()
      .then(
        (rows: { doc_id: string; words: string }[]): PageWords =>
          new Map(rows.map((row) => [row.doc_id, new Set(row.words.split(' '))])),
      );
    read = { key, words };
    // What could not be read is read again by the next search.
    words.catch(() => {
      read = null;
    });
    return words;
  };
}
