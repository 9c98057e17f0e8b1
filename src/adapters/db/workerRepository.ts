/** Which processes are alive, as each says of itself now and then. */
import type { WorkerRepository } from '../../core/ports.ts';
import { WorkerRow } from './entities.ts';
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
