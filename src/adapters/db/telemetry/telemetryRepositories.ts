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
import { FLEET_MEASURES, type HourlyRollUp, SCORE_MEASURES, type ScoreMeasure } from '../../../domain/scores/rollUp.ts';
import { round1 } from '../../../domain/scores/score.ts';
import { insertRows } from '../bulk.ts';
import { FleetScoreRow, ScoreRow, SnapshotRow } from '../entities/telemetry.ts';
import { chunked, type DbSession, type DbTimestamp, msOf, placeholders, plain } from '../rows.ts';
import { type RollUpRow, toRollUp } from './rollUpRows.ts';

export function snapshotRepository(session: DbSession): SnapshotRepository {
  return {
    async add(rows) {
      await insertRows(session(), SnapshotRow, rows);
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
      const rows = await session().find(
        SnapshotRow,
        { endpointId: { $in: endpointIds }, collectedAt: { $gte: since } },
        { orderBy: { endpointId: 'asc', collectedAt: 'asc' } },
      );
      return rows.map(toSnapshot);
    },

    async histories(endpointIds, since) {
      if (endpointIds.length === 0) return new Map();
      const these = `endpoint_id in (${placeholders(endpointIds)})`;
      // Past the ORM's query builder, which would take twice as long over the fleet's millions of rows.
      const read = (sql: string) => session().execute<MetricRow[]>(sql, [...endpointIds, since]);
      const hours = await read(
        `select endpoint_id, hour as at, cpu_pct_mean as cpu_pct, memory_pct_mean as memory_pct, disk_pct_mean as disk_pct
         from snapshot_hour where ${these} and hour >= ? order by endpoint_id, hour`,
      );
      const rows = await read(
        `select endpoint_id, collected_at as at, cpu_pct, memory_pct, disk_pct
         from snapshot where ${these} and collected_at >= ? order by endpoint_id, collected_at`,
      );
      const found = new Map<number, MetricPoint[]>();
      // Roll-ups are of an endpoint's oldest samples, so its hours come before what is kept sample by sample.
      for (const row of [...hours, ...rows]) {
        const point = {
          atMs: msOf(row.at),
          cpuPct: row.cpu_pct,
          memoryPct: row.memory_pct,
          diskPct: row.disk_pct,
        };
        const history = found.get(row.endpoint_id);
        if (history) history.push(point);
        else found.set(row.endpoint_id, [point]);
      }
      return found;
    },
  };
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
      const points: ScorePoint[] = scores.map(({ score, components, scoredAt }) => ({
        score,
        components,
        scoredAt,
        hourly: null,
      }));
      if (points.length === limit) return points;
      const hours = await session().execute<RollUpRow[]>(
        `select * from score_hour where endpoint_id = ? ${before ? 'and hour < ?' : ''} order by hour desc limit ?`,
        [endpointId, ...(before ? [before] : []), limit - points.length],
      );
      return [...points, ...hours.map((row) => toScorePoint(toRollUp(SCORE_MEASURES, row)))];
    },
  };
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
          const { hour, aggregates } = toRollUp(FLEET_MEASURES, row);
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
  return snapshot;
}
