/** Which processes are alive, as each says of itself now and then, and how their scheduled jobs fared. */
import { SqliteDriver } from '@mikro-orm/sql';
import type { JobRecordRepository, WorkerRepository } from '../../../core/ports/storePorts.ts';
import { JobRow, WorkerRow } from '../entities/runs.ts';
import { type DbSession, type DbTimestamp, msOf, plain } from '../rows.ts';

export function workerRepository(session: DbSession): WorkerRepository {
  /** By how much the database's clock is ahead of this process's, but for the moment that asking takes. */
  const clockAheadMs = async (): Promise<number> => {
    const em = session();
    // SQLite is on this machine and has its clock.
    if (em.getDriver() instanceof SqliteDriver) return 0;
    const [row] = await em.execute<{ now: DbTimestamp }[]>('select clock_timestamp() as now');
    return row ? msOf(row.now) - Date.now() : 0;
  };
  const later = (time: Date, byMs: number) => new Date(time.getTime() + byMs);
  return {
    async beat(worker) {
      const kept = { ...worker, seenAt: later(worker.seenAt, await clockAheadMs()) };
      await session().upsert(WorkerRow, kept, { onConflictFields: ['id'], disableIdentityMap: true });
    },
    async seenSince(since) {
      const aheadMs = await clockAheadMs();
      const isSeen = { seenAt: { $gte: later(since, aheadMs) } };
      const rows = await session().find(WorkerRow, isSeen, { orderBy: { startedAt: 'asc' } });
      return rows.map((row) => ({ ...plain(WorkerRow, row), seenAt: later(row.seenAt, -aheadMs) }));
    },
    async leave(id, forgetBefore) {
      const before = later(forgetBefore, await clockAheadMs());
      await session().nativeDelete(WorkerRow, { $or: [{ id }, { seenAt: { $lt: before } }] });
    },
  };
}

export function jobRecordRepository(session: DbSession): JobRecordRepository {
  return {
    async ended(job, startedAt, endedAt, error) {
      const failed = error !== null;
      const [when, also] = failed
        ? ['last_failed_at', ', last_error = excluded.last_error, failures = job.failures + 1']
        : ['last_succeeded_at', ''];
      await session().execute(
        `insert into job (job, last_started_at, ${when}, last_error, failures) values (?, ?, ?, ?, ?)
         on conflict (job) do update set last_started_at = excluded.last_started_at, ${when} = excluded.${when}${also}`,
        [job, startedAt, endedAt, error, failed ? 1 : 0],
      );
    },
    async list() {
      return (await session().find(JobRow, {}, { orderBy: { job: 'asc' } })).map((row) => plain(JobRow, row));
    },
  };
}
