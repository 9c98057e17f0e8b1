/** Moves hourly roll-ups out of the tables of wide rows that earlier versions kept, into blocks; a migration's work. */
import type { SampleBlockKind } from '../entities/telemetry.ts';
import { type DbTimestamp, msOf } from '../rows.ts';
import { BLOCK_TIME, dayOf } from './blockStore.ts';
import { encodeBlock, type SampleTree } from './sampleBlock.ts';

/** Endpoints whose rows are read together: each has at most thirteen months of hours. */
const ENDPOINTS = 20;

type HourRow = { endpoint_id: number; hour: DbTimestamp; samples: number } & Record<string, unknown>;
type Execute = (sql: string, parameters?: unknown[]) => Promise<unknown>;

/** The name of a measure's four columns, up to what they are of: `cpu_pct_mean`. */
const COLUMN = /^(.+)_(mean|min|max|count)$/;

export async function hoursToBlocks(execute: Execute, table: string, kind: SampleBlockKind): Promise<void> {
  for (let after = 0; ; ) {
    const ids = (await execute(
      `select distinct endpoint_id from ${table} where endpoint_id > ${after} order by endpoint_id limit ${ENDPOINTS}`,
    )) as { endpoint_id: number }[];
    const last = ids.at(-1)?.endpoint_id;
    if (last === undefined) return;
    const rows = (await execute(
      `select * from ${table} where endpoint_id > ${after} and endpoint_id <= ${last} order by endpoint_id, hour`,
    )) as HourRow[];
    const days = Map.groupBy(rows, ({ endpoint_id, hour }) => `${endpoint_id} ${dayOf(msOf(hour)).getTime()}`);
    for (const hours of days.values()) {
      const [first] = hours as [HourRow];
      const day = dayOf(msOf(first.hour));
      const trees = hours.map((row) => ({ [BLOCK_TIME]: msOf(row.hour) - day.getTime(), ...treeOf(row) }));
      await execute('insert into sample_block (endpoint_id, kind, day, samples, data) values (?, ?, ?, ?, ?)', [
        first.endpoint_id,
        kind,
        day,
        trees.length,
        encodeBlock(trees),
      ]);
    }
    after = last;
  }
}

function treeOf(row: HourRow): SampleTree {
  const aggregates: Record<string, Record<string, number>> = {};
  for (const [column, value] of Object.entries(row)) {
    const [, name, part] = COLUMN.exec(column) ?? [];
    if (name === undefined || part === undefined || typeof value !== 'number') continue;
    const measure = name.replace(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());
    aggregates[measure] = { ...aggregates[measure], [part]: Number(value.toPrecision(6)) };
  }
  return { samples: row.samples, aggregates };
}
