/** Which processes are alive, as each says of itself now and then, and how their scheduled jobs fared. */
import type { JobRecordRepository, WorkerRepository } from '../../../core/ports/storePorts.ts';
import { JobRow, WorkerRow } from '../entities/runs.ts';
import { type DbSession, plain } from '../rows.ts';

export function workerRepository(session: DbSession): WorkerRepository {
  return {
    async beat(worker) {
      await session().upsert(WorkerRow, worker, { onConflictFields: ['id'], disableIdentityMap: true });
    },
    async seenSince(since) {
      const rows = await session().find(WorkerRow, { seenAt: { $gte: since } }, { orderBy: { startedAt: 'asc' } });
      return rows.map((row) => plain(WorkerRow, row));
    },
    async leave(id, forgetBefore) {
      await session().nativeDelete(WorkerRow, { $or: [{ id }, { seenAt: { $lt: forgetBefore } }] });
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
