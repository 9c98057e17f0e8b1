/** Which processes are alive, as each says of itself now and then, and how their scheduled jobs fared. */
import type { JobRecordRepository, WorkerRepository } from '../../core/storePorts.ts';
import { JobRow, WorkerRow } from './entities/work.ts';
import { plain, type Session } from './rows.ts';

export function workerRepository(session: Session): WorkerRepository {
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

export function jobRecordRepository(session: Session): JobRecordRepository {
  return {
    async ended(job, startedAt, endedAt, error) {
      const outcome = error === null ? { lastSucceededAt: endedAt } : { lastFailedAt: endedAt, lastError: error };
      await session().upsert(
        JobRow,
        { job, lastStartedAt: startedAt, ...outcome },
        { onConflictFields: ['job'], disableIdentityMap: true },
      );
    },
    async list() {
      return (await session().find(JobRow, {}, { orderBy: { job: 'asc' } })).map((row) => plain(JobRow, row));
    },
  };
}
