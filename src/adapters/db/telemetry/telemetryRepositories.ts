/** Snapshots and scores in the database: written in batches, read by endpoint and time. */
import type { InferEntity } from '@mikro-orm/core';
import type {
  FleetScoreRepository,
  MetricPoint,
  ScorePoint,
  ScoreRepository,
  SnapshotRepository,
  StoredScore,
  StoredSnapshot,
} from '../../../core/ports/endpointPorts.ts';
import { TREND_METRICS } from '../../../domain/forecasts/trendRules.ts';
import { FLEET_MEASURES, type HourlyRollUp, SCORE_MEASURES, type ScoreMeasure } from '../../../domain/scores/rollUp.ts';
import { round1 } from '../../../domain/scores/score.ts';
import { insertRows, readRows } from '../bulk.ts';
import { FleetScoreRow, SAMPLE_BLOCK_KINDS, ScoreRow, SnapshotRow } from '../entities/telemetry.ts';
import { chunked, type DbSession, type DbTimestamp, msOf, placeholders, plain } from '../rows.ts';
import { type BlockStore, blockStore, dayOf, type TimedSample } from './blockStore.ts';
import { type RollUpRow, toRollUp as toFleetRollUp } from './fleetArchive.ts';
import { toRollUp } from './sampleArchive.ts';
import { scorePointOf, snapshotOf, snapshotTree } from './sampleTrees.ts';
import { snapshotFromRow, snapshotToRow } from './snapshotRows.ts';
import { stretchReader } from './stretches.ts';

export function snapshotRepository(session: DbSession): SnapshotRepository {
  return {
    async add(rows) {
      await insertRows(session(), SnapshotRow, rows.map(snapshotToRow));
    },

    async latest(endpointIds) {
      const found = new Map<number, StoredSnapshot>();
      for (const ids of chunked(endpointIds)) {
        // One index seek per endpoint inside a single statement; max(id) would read each endpoint's whole history.
        const rows = await session().find(SnapshotRow, {
          id: {
            $in: await session()
              .execute<{ id: number | null }[]>(
                `select (select s.id from snapshot s where s.endpoint_id = e.id order by s.collected_at desc limit 1) as id from endpoint e where e.id in (${placeholders(ids)})`,
                ids,
              )
              .then((seeks) => seeks.flatMap(({ id }) => (id === null ? [] : [id]))),
          },
        });
        for (const row of rows) found.set(row.endpointId, toSnapshot(row));
      }
      return found;
    },

    async since(endpointIds, since) {
      const rows = await readRows(
        session(),
        SnapshotRow,
        `where endpoint_id in (${placeholders(endpointIds)}) and collected_at >= ? order by endpoint_id, collected_at`,
        [...endpointIds, since],
      );
      const packed = await blockStore(session, SAMPLE_BLOCK_KINDS.snapshot).read(endpointIds, { since });
      const young = packed.filter(({ atMs }) => atMs >= since.getTime()).map(snapshotOf);
      // What came late is still a row when younger samples are packed already.
      return [...young, ...rows.map(toSnapshot)].sort(
        (a, b) => a.endpointId - b.endpointId || a.collectedAt.getTime() - b.collectedAt.getTime(),
      );
    },

    async histories(endpointIds, since) {
      if (endpointIds.length === 0) return new Map();
      // Past the ORM's query builder, which would take twice as long over the fleet's millions of rows.
      const rows = await session().execute<MetricRow[]>(
        `select endpoint_id, collected_at as at, cpu_pct, memory_pct, disk_pct
         from snapshot where endpoint_id in (${placeholders(endpointIds)}) and collected_at >= ?
         order by endpoint_id, collected_at`,
        [...endpointIds, since],
      );
      const hours = await blockStore(session, SAMPLE_BLOCK_KINDS.snapshotHour).read(endpointIds, { since });
      const packed = await blockStore(session, SAMPLE_BLOCK_KINDS.snapshot).read(endpointIds, {
        since,
        wanted: (key) => isTrendMetric(key),
      });
      const sinceMs = since.getTime();
      const points = [
        ...hours.map(meanPoint),
        ...packed.map(({ endpointId, atMs, tree }) => ({ endpointId, point: coursePoint(atMs, tree) })),
        ...rows.map(({ endpoint_id, at, cpu_pct: cpuPct, memory_pct: memoryPct, disk_pct: diskPct }) => ({
          endpointId: endpoint_id,
          point: { atMs: msOf(at), cpuPct, memoryPct, diskPct },
        })),
      ].filter(({ point }) => point.atMs >= sinceMs);
      const found = new Map<number, MetricPoint[]>();
      for (const { endpointId, point } of points) {
        const history = found.get(endpointId);
        if (history) history.push(point);
        else found.set(endpointId, [point]);
      }
      for (const history of found.values()) history.sort((a, b) => a.atMs - b.atMs);
      return found;
    },

    async stretches(endpointIds, since, signals) {
      const reader = stretchReader(signals);
      const blocks = blockStore(session, SAMPLE_BLOCK_KINDS.snapshot);
      const packed = await blocks.series(endpointIds, since, reader.wanted);
      const rows = await readRows(
        session(),
        SnapshotRow,
        `where endpoint_id in (${placeholders(endpointIds)}) and collected_at >= ? order by endpoint_id, collected_at`,
        [...endpointIds, dayOf(since.getTime())],
      );
      const daysOf = Map.groupBy(packed, ({ endpointId }) => endpointId);
      const rowsOf = Map.groupBy(rows, ({ endpointId }) => endpointId);
      return new Map(
        endpointIds.map((id) => {
          const days = daysOf.get(id) ?? [];
          const young = (rowsOf.get(id) ?? []).map((row) => snapshotTree(plain(SnapshotRow, row)));
          return [id, reader.inOrder(days, young)];
        }),
      );
    },
  };
}

function isTrendMetric(key: string): boolean {
  return (TREND_METRICS as readonly string[]).includes(key);
}

function coursePoint(atMs: number, values: Record<string, unknown>): MetricPoint {
  const read = TREND_METRICS.map((metric) => [metric, (values[metric] as number | undefined) ?? null]);
  return { atMs, ...Object.fromEntries(read) } as MetricPoint;
}

function meanPoint(hour: TimedSample): { endpointId: number; point: MetricPoint } {
  const { aggregates } = toRollUp(hour, TREND_METRICS);
  const means = TREND_METRICS.map((metric) => [metric, aggregates[metric]?.mean]);
  return { endpointId: hour.endpointId, point: coursePoint(hour.atMs, Object.fromEntries(means)) };
}

interface MetricRow {
  endpoint_id: number;
  at: DbTimestamp;
  cpu_pct: number | null;
  memory_pct: number | null;
  disk_pct: number | null;
}

export function scoreRepository(session: DbSession): ScoreRepository {
  return {
    async add(rows) {
      await insertRows(session(), ScoreRow, rows);
    },
    async latest(endpointId) {
      const newest = { orderBy: { scoredAt: 'desc', id: 'desc' }, limit: 1 } as const;
      const [row] = await session().find(ScoreRow, { endpointId }, newest);
      return row ? toScore(row) : null;
    },
    async history(endpointId, limit, before) {
      const earlier = before && { scoredAt: { $lt: before } };
      const scores = await session().find(
        ScoreRow,
        { endpointId, ...earlier },
        { fields: ['score', 'components', 'scoredAt'], orderBy: { scoredAt: 'desc', id: 'desc' }, limit },
      );
      const rows: ScorePoint[] = scores.map(({ score, components, scoredAt }) => ({
        score,
        components,
        scoredAt,
        hourly: null,
      }));
      // Each older place is asked only for what the younger ones do not fill, a few days at a time. What came late may be a
      // row although younger samples are packed, so that a place is asked for all that its neighbour could hide.
      const packed = await newest(
        blockStore(session, SAMPLE_BLOCK_KINDS.score),
        endpointId,
        limit,
        before,
        scorePointOf,
      );
      const young = byTime([...rows, ...packed]).slice(0, limit);
      if (young.length === limit) return young;
      const left = limit - young.length;
      const hours = blockStore(session, SAMPLE_BLOCK_KINDS.scoreHour);
      const old = await newest(hours, endpointId, left, before, (hour) => toScorePoint(toRollUp(hour, SCORE_MEASURES)));
      return [...young, ...byTime(old).slice(0, left)];
    },
  };
}

/** Blocks read at a time while so many points are wanted: a day has some twenty hours or a hundred scans. */
const DAYS_A_READ = 4;

/** At least `limit` points of an endpoint from before a timestamp, the newest of all, or all there are. */
async function newest(
  blocks: BlockStore,
  endpointId: number,
  limit: number,
  before: Date | undefined,
  toPoint: (sample: TimedSample) => ScorePoint,
): Promise<ScorePoint[]> {
  const found: TimedSample[] = [];
  let until = before;
  for (;;) {
    const days = await blocks.read([endpointId], {
      ...(until && { before: until }),
      newestFirst: true,
      limit: DAYS_A_READ,
    });
    const fresh = days.filter(({ atMs }) => before === undefined || atMs < before.getTime());
    found.push(...fresh);
    if (days.length === 0 || found.length >= limit) return found.map(toPoint);
    // The last moment of the day before the oldest that was read.
    until = new Date(dayOf(Math.min(...days.map(({ atMs }) => atMs))).getTime() - 1);
  }
}

function byTime(points: readonly ScorePoint[]): ScorePoint[] {
  return points.toSorted((a, b) => b.scoredAt.getTime() - a.scoredAt.getTime());
}

export function fleetScoreRepository(session: DbSession): FleetScoreRepository {
  return {
    async add(score) {
      await session().insert(FleetScoreRow, score);
    },
    async since(since) {
      const hours = await session().execute<RollUpRow[]>(
        'select * from fleet_score_hour where hour >= ? order by hour',
        [since],
      );
      const rows = await session().find(FleetScoreRow, { at: { $gte: since } }, { orderBy: { at: 'asc' } });
      return [
        ...hours.flatMap((row) => {
          const { hour, aggregates } = toFleetRollUp(FLEET_MEASURES, row);
          const { average, endpoints } = aggregates;
          return average && endpoints
            ? [{ at: hour, average: round1(average.mean), endpoints: Math.round(endpoints.mean), hourly: true }]
            : [];
        }),
        ...rows.map(({ at, average, endpoints }) => ({ at, average, endpoints, hourly: false })),
      ];
    },
  };
}

function toScorePoint({ hour, samples, aggregates }: HourlyRollUp<ScoreMeasure>): ScorePoint {
  const mean = (measure: ScoreMeasure) => {
    const aggregate = aggregates[measure];
    return aggregate && round1(aggregate.mean);
  };
  return {
    // Every score has a value, so every hour of scores has a mean.
    score: mean('score') as number,
    components: {
      device: mean('device'),
      network: mean('network'),
      app: mean('app'),
      remediation: mean('remediation'),
    },
    scoredAt: hour,
    hourly: { lowest: aggregates.score?.min as number, highest: aggregates.score?.max as number, scans: samples },
  };
}

function toScore(row: InferEntity<typeof ScoreRow>): StoredScore {
  return plain(ScoreRow, row);
}

function toSnapshot(row: InferEntity<typeof SnapshotRow>): StoredSnapshot {
  const { id: _id, ...snapshot } = plain(SnapshotRow, row);
  return snapshotFromRow(snapshot);
}
