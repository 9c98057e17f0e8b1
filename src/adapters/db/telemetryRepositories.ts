/** Snapshots and scores in the database: written in batches, read by endpoint and time. */
import type { InferEntity } from '@mikro-orm/core';
import type {
  CoursePoint,
  FleetScoreRepository,
  ScoreRepository,
  SnapshotRepository,
  StoredScore,
  StoredSnapshot,
} from '../../core/endpointPorts.ts';
import { FleetScoreRow, ScoreRow, SnapshotRow } from './entities/telemetry.ts';
import { chunked, plain, type Session } from './rows.ts';

export function snapshotRepository(session: Session): SnapshotRepository {
  return {
    async add(rows) {
      for (const chunk of chunked(rows)) {
        await session().insertMany(SnapshotRow, chunk);
      }
    },

    async latest(endpointIds) {
      const found = new Map<number, StoredSnapshot>();
      for (const ids of chunked(endpointIds)) {
        // One index seek per endpoint inside a single statement; max(id) would read each endpoint's whole history.
        const marks = ids.map(() => '?').join(', ');
        const rows = await session().find(SnapshotRow, {
          id: {
            $in: await session()
              .execute<{ id: number | null }[]>(
                `select (select s.id from snapshot s where s.endpoint_id = e.id order by s.collected_at desc limit 1) as id from endpoint e where e.id in (${marks})`,
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

    async courses(endpointIds, since) {
      if (endpointIds.length === 0) return new Map();
      // Past the ORM's query builder, which would take twice as long over the fleet's millions of rows.
      const marks = endpointIds.map(() => '?').join(', ');
      const rows = await session().execute<CourseRow[]>(
        `select endpoint_id, collected_at, cpu_pct, memory_pct, disk_pct from snapshot
         where endpoint_id in (${marks}) and collected_at >= ? order by endpoint_id, collected_at`,
        [...endpointIds, since],
      );
      const found = new Map<number, CoursePoint[]>();
      for (const row of rows) {
        const point = {
          atMs: typeof row.collected_at === 'number' ? row.collected_at : new Date(row.collected_at).getTime(),
          cpuPct: row.cpu_pct,
          memoryPct: row.memory_pct,
          diskPct: row.disk_pct,
        };
        const course = found.get(row.endpoint_id);
        if (course) course.push(point);
        else found.set(row.endpoint_id, [point]);
      }
      return found;
    },
  };
}

interface CourseRow {
  endpoint_id: number;
  /** Milliseconds from SQLite, text or a Date from PostgreSQL. */
  collected_at: number | string | Date;
  cpu_pct: number | null;
  memory_pct: number | null;
  disk_pct: number | null;
}

export function scoreRepository(session: Session): ScoreRepository {
  const newest = (endpointId: number, limit: number) =>
    session().find(ScoreRow, { endpointId }, { orderBy: { scoredAt: 'desc', id: 'desc' }, limit });

  return {
    async add(rows) {
      for (const chunk of chunked(rows)) await session().insertMany(ScoreRow, chunk);
    },
    async latest(endpointId) {
      const [row] = await newest(endpointId, 1);
      return row ? toScore(row) : null;
    },
    async history(endpointId, limit) {
      return (await newest(endpointId, limit)).map(toScore);
    },
  };
}

export function fleetScoreRepository(session: Session): FleetScoreRepository {
  return {
    async add(score) {
      await session().insert(FleetScoreRow, score);
    },
    async since(since) {
      const rows = await session().find(FleetScoreRow, { at: { $gte: since } }, { orderBy: { at: 'asc' } });
      return rows.map(({ at, average, endpoints }) => ({ at, average, endpoints }));
    },
  };
}

function toScore(row: InferEntity<typeof ScoreRow>): StoredScore {
  return plain(ScoreRow, row);
}

function toSnapshot(row: InferEntity<typeof SnapshotRow>): StoredSnapshot {
  const { id: _id, ...snapshot } = plain(SnapshotRow, row);
  return snapshot;
}
