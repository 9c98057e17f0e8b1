/** Jobs shared in MongoDB, with one schedule of each name however many processes start at once. */
import { MongoBackend, MongoJobRepository } from '@agendajs/mongo-backend';
import { toJobId } from 'agenda';
import type { JobStorage } from './jobStorage.ts';

/** How long a statement waits for a server unless the address says so; the driver's own half a minute keeps a health page waiting. */
const PATIENCE_MS = 10_000;

/** MongoDB's error of what a unique index refuses. */
const DUPLICATE_KEY = 11000;

export function mongoJobs(address: string): JobStorage {
  const patience = /[?&]serverSelectionTimeoutMS=/i.test(address) ? {} : { serverSelectionTimeoutMS: PATIENCE_MS };
  const backend = new MongoBackend({ address, options: { appName: 'dexops-queue', ...patience } });
  const { repository } = backend;
  if (!(repository instanceof MongoJobRepository)) throw new Error('Agenda keeps its jobs in MongoDB another way now');
  keepTakenSchedules(repository);
  return {
    backend,
    async connect() {
      await backend.connect();
      // Without it two upserts of one schedule make two of it, and each job would run twice for ever.
      await repository.collection.createIndex(
        { name: 1 },
        { name: 'oneScheduleOfAName', unique: true, partialFilterExpression: { type: 'single' } },
      );
    },
    async oldestDue() {
      const due = { nextRunAt: { $lte: new Date() }, lockedAt: null, disabled: { $ne: true } };
      return (await repository.collection.findOne(due, { sort: { nextRunAt: 1 } }))?.nextRunAt ?? null;
    },
    close: () => backend.disconnect(),
  };
}

/**
 * Agenda's own way to write a schedule that stands also takes the lock from whoever works on it, and others would begin the same
 * job; and where two make one at once, one of them is refused.
 */
function keepTakenSchedules(repository: MongoJobRepository): void {
  const save = repository.saveJob.bind(repository);
  repository.saveJob = async (job, options) => {
    if (job.type !== 'single' || job._id) return save(job, options);
    const { name, type, priority, nextRunAt, repeatInterval, repeatTimezone, data } = job;
    const $set = { priority, nextRunAt, repeatInterval, repeatTimezone, data };
    for (;;) {
      const known = await repository.collection.findOneAndUpdate({ name, type }, { $set });
      if (known) return { ...job, _id: toJobId(known._id.toHexString()) };
      try {
        return await save(job, options);
      } catch (error) {
        if ((error as { code?: unknown }).code !== DUPLICATE_KEY) throw error;
      }
    }
  };
}
