/** Where shared jobs lie: PostgreSQL, MongoDB or Redis through Agenda's backends, so that none of them takes the process down when it restarts. */
import { AppError } from '../../core/errors.ts';
import type { JobStorage } from './jobStorage.ts';
import { memoryJobs } from './memoryJobs.ts';

/** Connections of a process to a queue in PostgreSQL; one of them listens. */
const POOL_SIZE = 5;

/** Statements on a queue are short; one that is not is stuck, and must not hold a connection for ever. Milliseconds. */
const POSTGRES_LIMITS = { connectionTimeoutMillis: 10_000, statement_timeout: 60_000, keepAlive: true };

/**
 * Opens the storage that RUN_QUEUE_URL names. Only what is used is loaded: the MongoDB driver alone costs a fifth of a second.
 * @param onError told of connections that broke; they are made again by themselves
 * @throws AppError `unavailable` when it does not answer
 */
export async function openJobs(url: string, onError: (error: Error) => void): Promise<JobStorage> {
  const storage = await storageOf(url, onError);
  const { backend } = storage;
  backend.notificationChannel?.on('error', onError);
  try {
    await backend.connect();
  } catch (error) {
    await storage.close().catch(() => {});
    const text = `The queue of RUN_QUEUE_URL (${backend.name}) does not answer: ${(error as Error).message}`;
    throw new AppError('unavailable', text, undefined, { cause: error });
  }
  const { name, repository, notificationChannel } = backend;
  // Agenda would connect on its own and leave a failure to nobody.
  return {
    ...storage,
    backend: { name, repository, notificationChannel, connect: async () => {}, disconnect: async () => {} },
  };
}

async function storageOf(url: string, onError: (error: Error) => void): Promise<JobStorage> {
  switch (url.split(':')[0]) {
    case '':
      return memoryJobs();
    case 'mongodb':
    case 'mongodb+srv':
      return mongoJobs(url);
    case 'redis':
    case 'rediss':
      return redisJobs(url, onError);
    default:
      return postgresJobs(url, onError);
  }
}

async function postgresJobs(connectionString: string, onError: (error: Error) => void): Promise<JobStorage> {
  const [{ PostgresBackend }, { Pool }] = await Promise.all([import('@agendajs/postgres-backend'), import('pg')]);
  // A pool without a listener throws what happens to its idle connections, and with it ends the process.
  const pool = new Pool({ connectionString, max: POOL_SIZE, application_name: 'dexops-queue', ...POSTGRES_LIMITS });
  pool.on('error', onError);
  return {
    backend: new PostgresBackend({ pool }),
    async oldestDue() {
      const { rows } = await pool.query<{ due: Date | null }>(
        'select min(next_run_at) as due from agenda_jobs where next_run_at <= now() and locked_at is null and not disabled',
      );
      return rows[0]?.due ?? null;
    },
    close: () => pool.end(),
  };
}

async function mongoJobs(address: string): Promise<JobStorage> {
  const { MongoBackend, MongoJobRepository } = await import('@agendajs/mongo-backend');
  const backend = new MongoBackend({ address });
  return {
    backend,
    async oldestDue() {
      const { repository } = backend;
      if (!(repository instanceof MongoJobRepository)) return null;
      const due = { nextRunAt: { $lte: new Date() }, lockedAt: null, disabled: { $ne: true } };
      return (await repository.collection.findOne(due, { sort: { nextRunAt: 1 } }))?.nextRunAt ?? null;
    },
    close: () => backend.disconnect(),
  };
}

async function redisJobs(connectionString: string, onError: (error: Error) => void): Promise<JobStorage> {
  const { RedisBackend, RedisJobRepository } = await import('@agendajs/redis-backend');
  const backend = new RedisBackend({ connectionString });
  const { repository } = backend;
  const redis = repository instanceof RedisJobRepository ? repository.getRedis() : null;
  redis?.on('error', onError);
  return {
    backend,
    async oldestDue() {
      const due = (await redis?.zrangebyscore('agenda:jobs:by_next_run_at', 0, Date.now(), 'WITHSCORES')) ?? [];
      for (let i = 0; i < due.length; i += 2) {
        const lockedAt = await redis?.hget(`agenda:job:${due[i]}`, 'lockedAtMs');
        if (!lockedAt || lockedAt === 'null') return new Date(Number(due[i + 1]));
      }
      return null;
    },
    close: () => backend.disconnect(),
  };
}
