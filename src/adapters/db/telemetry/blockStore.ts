/** The blocks of samples in the database: one row a kind, an endpoint and a day (UTC), so that what is old leaves by the row. */
import type { SampleBlockKind } from '../entities/telemetry.ts';
import { chunked, type DbSession, type DbTimestamp, msOf, placeholders } from '../rows.ts';
import { decodeBlock, decodeColumns, encodeBlock, type SampleSeries, type SampleTree } from './sampleBlock.ts';

const DAY_MS = 86_400_000;

/** Blocks that one statement carries: some hundred KiB. */
const BLOCKS_A_STATEMENT = 50;

/** A sample as a block keeps it: by the time that orders the samples of its day. */
export interface TimedSample {
  endpointId: number;
  atMs: number;
  tree: SampleTree;
}

/** A block as series; the times of its samples are milliseconds since the day began. */
export interface BlockSeries {
  endpointId: number;
  dayMs: number;
  samples: SampleSeries;
}

/** Newest first or oldest first, and how many blocks at most. */
interface Reading {
  since?: Date;
  before?: Date;
  newestFirst?: boolean;
  limit?: number;
  wanted?: (key: string) => boolean;
}

export interface BlockStore {
  /** Samples by endpoint and time; of the newest blocks first where asked so. Days at the edges come whole. */
  read(endpointIds: readonly number[], reading?: Reading): Promise<TimedSample[]>;
  /** The blocks from the day of a timestamp on as series, by endpoint and day; `wanted` chooses among their paths. */
  series(endpointIds: readonly number[], since: Date, wanted: (path: string) => boolean): Promise<BlockSeries[]>;
  /** Puts samples into the blocks of their days; one of the same endpoint and time is replaced. */
  put(samples: readonly TimedSample[]): Promise<void>;
  /** Removes and returns the samples of whole days that ended before a timestamp, of at most so many blocks. */
  take(endpointIds: readonly number[], before: Date, blocks: number): Promise<TimedSample[]>;
  /** Removes whole days that ended before a timestamp; returns how many blocks went. */
  forget(endpointIds: readonly number[], before: Date, blocks: number): Promise<number>;
}

interface BlockRow {
  endpoint_id: number;
  day: DbTimestamp;
  data: Uint8Array;
}

/** The key under which a block keeps the time of each sample, in milliseconds since the day began. */
export const BLOCK_TIME = '@';

export function dayOf(atMs: number): Date {
  return new Date(Math.floor(atMs / DAY_MS) * DAY_MS);
}

export function blockStore(session: DbSession, kind: SampleBlockKind): BlockStore {
  const samplesIn = (row: BlockRow, wanted?: (key: string) => boolean): TimedSample[] =>
    decodeBlock(row.data, wanted && ((key) => key === BLOCK_TIME || wanted(key))).map(
      ({ [BLOCK_TIME]: at, ...tree }) => ({
        endpointId: row.endpoint_id,
        atMs: msOf(row.day) + (at as number),
        tree,
      }),
    );

  const rowsOf = async (endpointIds: readonly number[], reading: Reading): Promise<BlockRow[]> => {
    const { since, before, newestFirst, limit } = reading;
    const rows: BlockRow[] = [];
    for (const ids of chunked([...endpointIds])) {
      const found = await session().execute<BlockRow[]>(
        `select endpoint_id, day, data from sample_block
         where kind = ${kind} and endpoint_id in (${placeholders(ids)})
           ${since ? 'and day >= ?' : ''} ${before ? 'and day <= ?' : ''}
         order by endpoint_id, day ${newestFirst ? 'desc' : ''} ${limit ? `limit ${limit}` : ''}`,
        [...ids, ...(since ? [dayOf(since.getTime())] : []), ...(before ? [dayOf(before.getTime())] : [])],
      );
      rows.push(...found);
    }
    return rows;
  };

  const removed = async <Row>(
    ids: readonly number[],
    before: Date,
    blocks: number,
    returning: string,
  ): Promise<Row[]> =>
    session().execute<Row[]>(
      `delete from sample_block where (endpoint_id, kind, day) in (
         select endpoint_id, kind, day from sample_block
         where kind = ${kind} and endpoint_id in (${placeholders(ids)}) and day < ? order by endpoint_id, day limit ${blocks})
       returning ${returning}`,
      [...ids, dayOf(before.getTime())],
    );

  return {
    async read(endpointIds, reading = {}) {
      return (await rowsOf(endpointIds, reading)).flatMap((row) => samplesIn(row, reading.wanted));
    },

    async series(endpointIds, since, wanted) {
      return (await rowsOf(endpointIds, { since })).map((row) => ({
        endpointId: row.endpoint_id,
        dayMs: msOf(row.day),
        samples: decodeColumns(row.data, (path) => path === BLOCK_TIME || wanted(path)),
      }));
    },

    async put(samples) {
      const byDay = Map.groupBy(samples, ({ endpointId, atMs }) => `${endpointId} ${dayOf(atMs).getTime()}`);
      const groups = [...byDay.values()].map((group) => {
        const [{ endpointId, atMs }] = group as [TimedSample];
        return { endpointId, day: dayOf(atMs), group };
      });
      for (const chunk of chunked(groups, BLOCKS_A_STATEMENT)) {
        const known = await session().execute<BlockRow[]>(
          `select endpoint_id, day, data from sample_block where kind = ${kind}
             and (endpoint_id, day) in (${chunk.map(() => '(?, ?)').join(', ')})`,
          chunk.flatMap(({ endpointId, day }) => [endpointId, day]),
        );
        const blocks = new Map(known.map((row) => [`${row.endpoint_id} ${msOf(row.day)}`, samplesIn(row)]));
        const rows = chunk.flatMap(({ endpointId, day, group }) => {
          const earlier = blocks.get(`${endpointId} ${day.getTime()}`) ?? [];
          const merged = new Map([...earlier, ...group].map((sample) => [sample.atMs, sample]));
          const sorted = [...merged.values()].sort((a, b) => a.atMs - b.atMs);
          const data = encodeBlock(sorted.map(({ atMs, tree }) => ({ [BLOCK_TIME]: atMs - day.getTime(), ...tree })));
          return [endpointId, kind, day, sorted.length, data];
        });
        await session().execute(
          `insert into sample_block (endpoint_id, kind, day, samples, data)
           values ${chunk.map(() => '(?, ?, ?, ?, ?)').join(', ')}
           on conflict (endpoint_id, kind, day) do update set samples = excluded.samples, data = excluded.data`,
          rows,
        );
      }
    },

    async take(endpointIds, before, blocks) {
      const rows = await removed<BlockRow>(endpointIds, before, blocks, 'endpoint_id, day, data');
      return rows.flatMap((row) => samplesIn(row)).sort((a, b) => a.endpointId - b.endpointId || a.atMs - b.atMs);
    },

    async forget(endpointIds, before, blocks) {
      return (await removed<unknown>(endpointIds, before, blocks, '1 as forgotten')).length;
    },
  };
}
