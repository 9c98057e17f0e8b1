/** Frees jobs that this process has taken and lost sight of, because the queue's store failed under it. */
import type { JobParameters, JobRepository } from 'agenda';

interface WatchedLocks {
  /** What Agenda is to work with. */
  repository: JobRepository;
  /** Frees what the store calls taken by this process although it is not: what two calls in a row found so. Asks nothing while all is well. */
  freeForgotten(): Promise<void>;
}

/**
 * Agenda drops a job whose state it could not store, begun or not, and leaves it taken until its lock ends: a schedule then stands
 * still for so long, and a run is not begun.
 * @param name under which this process takes jobs
 */
export function watchLocks(repository: JobRepository, name: string): WatchedLocks {
  const held = new Set<string>();
  /** A call failed, and what it did is unknown. */
  let inDoubt = false;
  let suspected = new Set<string>();

  const watched = async <T>(call: Promise<T>): Promise<T> => {
    try {
      return await call;
    } catch (error) {
      inDoubt = true;
      throw error;
    }
  };
  const taken = (job: JobParameters | undefined) => {
    if (job) held.add(String(job._id));
    return job;
  };
  const methods: Partial<JobRepository> = {
    getNextJobToRun: async (...query) => taken(await watched(repository.getNextJobToRun(...query))),
    lockJob: async (...query) => taken(await watched(repository.lockJob(...query))),
    async saveJobState(job, options) {
      try {
        await watched(repository.saveJobState(job, options));
        if (!job.lockedAt) held.delete(String(job._id));
      } catch (error) {
        held.delete(String(job._id));
        throw error;
      }
    },
    // Agenda awaits neither, and what nobody awaits ends the process.
    async unlockJob(job) {
      held.delete(String(job._id));
      await watched(repository.unlockJob(job)).catch(() => {});
    },
  };

  return {
    repository: Object.assign(Object.create(repository), methods),
    async freeForgotten() {
      if (!inDoubt) return;
      inDoubt = false;
      const { jobs } = await watched(repository.queryJobs({ state: 'running' }));
      const idle = jobs.filter(({ _id, lastModifiedBy }) => lastModifiedBy === name && !held.has(String(_id)));
      const forgotten = idle.filter(({ _id }) => suspected.has(String(_id)));
      suspected = new Set(idle.map(({ _id }) => String(_id)));
      if (suspected.size > 0) inDoubt = true;
      await watched(repository.unlockJobs(forgotten.map(({ _id }) => _id)));
    },
  };
}
