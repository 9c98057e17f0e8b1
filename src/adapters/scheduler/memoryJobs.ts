/** Agenda's storage inside one process. What must survive is in our own store; here lie only reminders to look at it. */
import {
  computeJobState,
  InMemoryNotificationChannel,
  type JobId,
  type JobParameters,
  type JobRepository,
  type JobsOverview,
  type JobWithState,
  type RemoveJobsOptions,
  toJobId,
} from 'agenda';
import type { JobStorage } from './jobStorage.ts';

/** Since one process has one event loop, finding and locking a job in one synchronous step is atomic. */
export function memoryJobs(): JobStorage {
  const jobs = new Map<string, JobParameters>();
  let nextId = 1;

  const chosen = (options: RemoveJobsOptions): JobParameters[] => {
    const ids = options.ids?.map(String) ?? (options.id === undefined ? null : [String(options.id)]);
    return [...jobs.values()].filter(
      (job) =>
        (!ids || ids.includes(String(job._id))) &&
        (!options.name || job.name === options.name) &&
        (!options.names || options.names.includes(job.name)) &&
        !options.notNames?.includes(job.name) &&
        (options.data === undefined || JSON.stringify(job.data) === JSON.stringify(options.data)),
    );
  };
  const setDisabled = (options: RemoveJobsOptions, disabled: boolean): number => {
    const found = chosen(options);
    for (const job of found) job.disabled = disabled;
    return found.length;
  };
  const copy = <T>(job: JobParameters<T>): JobParameters<T> => ({ ...job });
  const lock = (job: JobParameters | undefined, at: Date): JobParameters | undefined => {
    if (!job) return undefined;
    job.lockedAt = at;
    return copy(job);
  };
  const insert = (job: JobParameters): JobParameters => {
    const stored = { ...job, _id: toJobId(String(nextId++)) };
    jobs.set(stored._id, stored);
    return stored;
  };
  const states = (now = new Date()): JobWithState[] =>
    [...jobs.values()].map((job) => ({ ...job, _id: job._id as JobId, state: computeJobState(job, now) }));

  const repository: JobRepository = {
    connect: async () => {},
    async queryJobs(options = {}) {
      const wanted = states().filter(
        (job) =>
          (!options.name || job.name === options.name) &&
          (!options.names || options.names.includes(job.name)) &&
          (!options.state || job.state === options.state) &&
          (!options.id || job._id === options.id),
      );
      const skip = options.skip ?? 0;
      return { jobs: wanted.slice(skip, options.limit ? skip + options.limit : undefined), total: wanted.length };
    },
    async getJobsOverview() {
      const overview = new Map<string, JobsOverview>();
      for (const { name, state } of states()) {
        const counts = overview.get(name) ?? {
          name,
          total: 0,
          running: 0,
          scheduled: 0,
          queued: 0,
          completed: 0,
          failed: 0,
          repeating: 0,
          paused: 0,
        };
        counts.total++;
        counts[state]++;
        overview.set(name, counts);
      }
      return [...overview.values()];
    },
    getDistinctJobNames: async () => [...new Set([...jobs.values()].map(({ name }) => name))],
    async getJobById(id) {
      const job = jobs.get(id);
      return job ? copy(job) : null;
    },
    getQueueSize: async () => [...jobs.values()].filter(({ nextRunAt }) => nextRunAt && nextRunAt <= new Date()).length,
    async removeJobs(options) {
      const found = chosen(options);
      for (const job of found) jobs.delete(String(job._id));
      return found.length;
    },
    async saveJob<DATA>({ unique: _unique, uniqueOpts: _options, ...job }: JobParameters<DATA>) {
      const plain = job as JobParameters;
      const known = plain._id
        ? jobs.get(plain._id)
        : plain.type === 'single'
          ? [...jobs.values()].find(({ name, type }) => name === plain.name && type === 'single')
          : undefined;
      if (known) Object.assign(known, plain, { _id: known._id, lockedAt: known.lockedAt });
      return copy(known ?? insert(plain)) as JobParameters<DATA>;
    },
    async saveJobState(job) {
      const known = jobs.get(String(job._id));
      if (!known) throw new Error(`job ${job._id} (${job.name}) is not stored any more`);
      const { lockedAt, nextRunAt, lastRunAt, progress, failReason, failCount, failedAt, lastFinishedAt } = job;
      Object.assign(known, {
        lockedAt,
        nextRunAt,
        lastRunAt,
        progress,
        failReason,
        failCount,
        failedAt,
        lastFinishedAt,
      });
    },
    async lockJob(job) {
      const known = jobs.get(String(job._id));
      const free =
        known && !known.lockedAt && !known.disabled && known.nextRunAt?.getTime() === job.nextRunAt?.getTime();
      return lock(free ? known : undefined, new Date());
    },
    async unlockJob(job) {
      const known = jobs.get(String(job._id));
      if (known?.nextRunAt) known.lockedAt = undefined;
    },
    async unlockJobs(ids) {
      for (const id of ids) {
        const known = jobs.get(String(id));
        if (known) known.lockedAt = undefined;
      }
    },
    async getNextJobToRun(jobName, nextScanAt, lockDeadline, now) {
      const [due] = [...jobs.values()]
        .filter(
          (job) =>
            job.name === jobName &&
            !job.disabled &&
            (job.lockedAt ? job.lockedAt <= lockDeadline : job.nextRunAt !== null && job.nextRunAt <= nextScanAt),
        )
        .sort((a, b) => (a.nextRunAt?.getTime() ?? 0) - (b.nextRunAt?.getTime() ?? 0) || b.priority - a.priority);
      return lock(due, now ?? new Date());
    },
    disableJobs: async (options) => setDisabled(options, true),
    enableJobs: async (options) => setDisabled(options, false),
    async purgeAllJobs() {
      const count = jobs.size;
      jobs.clear();
      return count;
    },
  };
  return {
    backend: {
      name: 'memory',
      repository,
      notificationChannel: new InMemoryNotificationChannel(),
      connect: async () => {},
      disconnect: async () => {},
    },
    connect: async () => {},
    async oldestDue() {
      const due = [...jobs.values()].flatMap(({ nextRunAt, lockedAt, disabled }) =>
        nextRunAt && nextRunAt <= new Date() && !lockedAt && !disabled ? [nextRunAt.getTime()] : [],
      );
      return due.length === 0 ? null : new Date(Math.min(...due));
    },
    close: async () => {},
  };
}
