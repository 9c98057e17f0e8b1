/** Jobs shared in Redis, with one schedule of each name however many processes start at once. */
import { setTimeout as delay } from 'node:timers/promises';
import { RedisBackend, RedisJobRepository } from '@agendajs/redis-backend';
import type { JobStorage } from './jobStorage.ts';

/** A schedule is written in a moment; whoever dies over it keeps others waiting for so long. Milliseconds. */
const WRITING_MS = 5000;
const ASK_AGAIN_MS = 20;

export function redisJobs(connectionString: string, onError: (error: Error) => void): JobStorage {
  const backend = new RedisBackend({ connectionString });
  const { repository } = backend;
  if (!(repository instanceof RedisJobRepository)) throw new Error('Agenda keeps its jobs in Redis another way now');
  const redis = repository.getRedis();
  redis.on('error', onError);
  writeSchedulesInTurn(repository);
  return {
    backend,
    connect: () => backend.connect(),
    async oldestDue() {
      const due = await redis.zrangebyscore('agenda:jobs:by_next_run_at', 0, Date.now(), 'WITHSCORES');
      for (let i = 0; i < due.length; i += 2) {
        const lockedAt = await redis.hget(`agenda:job:${due[i]}`, 'lockedAtMs');
        if (!lockedAt || lockedAt === 'null') return new Date(Number(due[i + 1]));
      }
      return null;
    },
    close: () => backend.disconnect(),
  };
}

/** Agenda looks whether a schedule stands and then writes it: of two at once each would make its own, and each job run twice for ever. */
function writeSchedulesInTurn(repository: RedisJobRepository): void {
  const redis = repository.getRedis();
  const save = repository.saveJob.bind(repository);
  repository.saveJob = async (job, options) => {
    if (job.type !== 'single' || job._id) return save(job, options);
    const turn = `agenda:schedule:${job.name}`;
    while ((await redis.set(turn, '1', 'PX', WRITING_MS, 'NX')) !== 'OK') await delay(ASK_AGAIN_MS);
    try {
      return await save(job, options);
    } finally {
      await redis.del(turn);
    }
  };
}
