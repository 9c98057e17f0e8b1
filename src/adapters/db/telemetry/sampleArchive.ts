/** Where an endpoint's samples go: from rows into the blocks of their days, and from those into hourly roll-ups. */
import type { EndpointArchive } from '../../../core/ports/retentionPorts.ts';
import {
  type Aggregate,
  type HourlyRollUp,
  hourOf,
  type Sample,
  SCORE_MEASURES,
  SNAPSHOT_MEASURES,
} from '../../../domain/scores/rollUp.ts';
import { readRows } from '../bulk.ts';
import { SAMPLE_BLOCK_KINDS, ScoreRow, SnapshotRow } from '../entities/telemetry.ts';
import { type DbSession, placeholders } from '../rows.ts';
import { type BlockStore, blockStore, type TimedSample } from './blockStore.ts';
import type { SampleTree } from './sampleBlock.ts';
import { scoreTree, scoreValues, snapshotTree, snapshotValues } from './sampleTrees.ts';

/** Samples of a day at the usual interval; a step that may take so many samples takes a block for each of these. */
const SAMPLES_A_DAY = 96;

interface Kind<Row extends { id: number; endpointId: number }> {
  table: string;
  /** The column of a row that says when it was taken. */
  at: string;
  read(session: DbSession, tail: string, parameters: readonly unknown[]): Promise<Row[]>;
  tree(row: Row): TimedSample;
  values(tree: SampleTree): Record<string, number | null>;
  measures: readonly string[];
  blocks(session: DbSession): BlockStore;
  hours(session: DbSession): BlockStore;
}

export const snapshotArchive = (session: DbSession): EndpointArchive =>
  archive(session, {
    table: 'snapshot',
    at: 'collected_at',
    read: (session, tail, parameters) => readRows(session(), SnapshotRow, tail, parameters),
    tree: snapshotTree,
    values: snapshotValues,
    measures: SNAPSHOT_MEASURES,
    blocks: (session) => blockStore(session, SAMPLE_BLOCK_KINDS.snapshot),
    hours: (session) => blockStore(session, SAMPLE_BLOCK_KINDS.snapshotHour),
  });

export const scoreArchive = (session: DbSession): EndpointArchive =>
  archive(session, {
    table: 'score',
    at: 'scored_at',
    read: (session, tail, parameters) => readRows(session(), ScoreRow, tail, parameters),
    tree: scoreTree,
    values: scoreValues,
    measures: SCORE_MEASURES,
    blocks: (session) => blockStore(session, SAMPLE_BLOCK_KINDS.score),
    hours: (session) => blockStore(session, SAMPLE_BLOCK_KINDS.scoreHour),
  });

function archive<Row extends { id: number; endpointId: number }>(session: DbSession, kind: Kind<Row>): EndpointArchive {
  const { table, at, measures } = kind;
  const blocks = kind.blocks(session);
  const hours = kind.hours(session);

  return {
    async pack(endpointIds, { before, due }, limit, keep) {
      const newer = `exists (select 1 from ${table} n where n.endpoint_id = s.endpoint_id and n.${at} > s.${at})`;
      const rows = await kind.read(
        session,
        `where id in (
           select id from ${table} s where endpoint_id in (${placeholders(endpointIds)}) and ${at} < ?
             and exists (select 1 from ${table} d where d.endpoint_id = s.endpoint_id and d.${at} < ?)
             ${keep === 'latest' ? `and ${newer}` : ''}
           order by endpoint_id, ${at} limit ?)`,
        [...endpointIds, before, due, limit],
      );
      if (rows.length === 0) return 0;
      await blocks.put(rows.map(kind.tree));
      const ids = rows.map(({ id }) => id);
      await session().execute(`delete from ${table} where id in (${placeholders(ids)})`, ids);
      return rows.length;
    },

    async take(endpointIds, before, limit) {
      const samples = await blocks.take(endpointIds, before, Math.max(1, Math.floor(limit / SAMPLES_A_DAY)));
      return samples.map(
        ({ endpointId, atMs, tree }): Sample<string> => ({
          subjectId: endpointId,
          at: new Date(atMs),
          values: kind.values(tree),
        }),
      );
    },

    async find(keys) {
      const found: HourlyRollUp<string>[] = [];
      for (const [subjectId, wanted] of Map.groupBy(keys, ({ subjectId }) => subjectId)) {
        const times = wanted.map(({ hour }) => hour.getTime());
        const reading = { since: new Date(Math.min(...times)), before: new Date(Math.max(...times)) };
        const samples = await hours.read([subjectId], reading);
        found.push(...samples.filter(({ atMs }) => times.includes(atMs)).map((sample) => toRollUp(sample, measures)));
      }
      return found;
    },

    save: (rollUps) => hours.put(rollUps.map(fromRollUp)),

    forget: (endpointIds, before, limit) =>
      hours.forget(endpointIds, before, Math.max(1, Math.floor(limit / SAMPLES_A_DAY))),
  };
}

/** Six digits of a mean are more than anybody reads, and fit where sixteen would cost eight bytes. */
function rounded({ mean, ...rest }: Aggregate): Aggregate {
  return { ...rest, mean: Number(mean.toPrecision(6)) };
}

function fromRollUp({ subjectId, hour, samples, aggregates }: HourlyRollUp<string>): TimedSample {
  const measured = Object.entries(aggregates).flatMap(([measure, aggregate]) =>
    aggregate === null ? [] : [[measure, rounded(aggregate)] as const],
  );
  return { endpointId: subjectId, atMs: hour.getTime(), tree: { samples, aggregates: Object.fromEntries(measured) } };
}

/** @param measures those that are null where the hour did not measure them */
export function toRollUp({ endpointId, atMs, tree }: TimedSample, measures: readonly string[]): HourlyRollUp<string> {
  const kept = (tree.aggregates ?? {}) as Record<string, Aggregate>;
  const nothing = Object.fromEntries(measures.map((measure) => [measure, null]));
  return {
    subjectId: endpointId,
    hour: hourOf(new Date(atMs)),
    samples: tree.samples as number,
    aggregates: { ...nothing, ...kept },
  };
}
