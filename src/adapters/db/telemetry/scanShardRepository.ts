/** The shards of fleet scans in the database. */
import { SqliteDriver } from '@mikro-orm/sql';
import type { ScanShardRepository, ScanTotals } from '../../../core/ports/storePorts.ts';
import { ScanShardRow } from '../entities/runs.ts';
import { chunked, type DbSession, plain } from '../rows.ts';

export function scanShardRepository(session: DbSession): ScanShardRepository {
  return {
    async add(shards) {
      for (const chunk of chunked(shards)) await session().insertMany(ScanShardRow, chunk);
    },

    async claimNext(runId, workerId) {
      const em = session();
      // SQLite has one writer at a time; in PostgreSQL nobody waits for a shard that another is just taking.
      const lock = em.getDriver() instanceof SqliteDriver ? '' : 'for update skip locked';
      const [taken] = await em.execute<{ id: string }[]>(
        `update scan_shard set status = 'running', worker_id = ?, attempts = attempts + 1
         where id = (select id from scan_shard where run_id = ? and status = 'queued' order by from_id limit 1 ${lock})
         returning id`,
        [workerId, runId],
      );
      const row = taken && (await em.findOne(ScanShardRow, { id: taken.id }));
      return row ? plain(ScanShardRow, row) : null;
    },

    async keep({ id, attempts }, patch) {
      return (await session().nativeUpdate(ScanShardRow, { id, attempts, status: 'running' }, patch)) === 1;
    },

    async open(runId) {
      const where = { runId, status: { $in: ['queued' as const, 'running' as const] } };
      const rows = await session().find(ScanShardRow, where, { orderBy: { fromId: 'asc' } });
      return rows.map((row) => plain(ScanShardRow, row));
    },

    async totals(runId) {
      const [row] = await session().execute<Record<keyof ScanTotals, number | string | null>[]>(
        `select count(*) as "shards", sum(endpoints) as "endpoints", sum(scanned) as "scanned", sum(scored) as "scored",
           sum(unreachable) as "unreachable", sum(skipped_push) as "skippedPush",
           sum(case when status in ('queued', 'running') then 1 else 0 end) as "openShards",
           sum(case when status = 'failed' then 1 else 0 end) as "failedShards",
           sum(case when status = 'failed' then endpoints - scanned - skipped_push else 0 end) as "missed"
         from scan_shard where run_id = ?`,
        [runId],
      );
      const count = (name: keyof ScanTotals) => Number(row?.[name] ?? 0);
      return {
        shards: count('shards'),
        endpoints: count('endpoints'),
        scanned: count('scanned'),
        scored: count('scored'),
        unreachable: count('unreachable'),
        skippedPush: count('skippedPush'),
        openShards: count('openShards'),
        failedShards: count('failedShards'),
        missed: count('missed'),
      };
    },

    async notes(runId) {
      const rows = await session().find(ScanShardRow, { runId }, { fields: ['notes'], orderBy: { fromId: 'asc' } });
      return rows.flatMap(({ notes }) => notes);
    },

    async drop(runId) {
      await session().nativeDelete(ScanShardRow, { runId });
    },
  };
}
