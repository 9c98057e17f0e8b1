/** Where jobs lie: in this process, or shared in PostgreSQL, MongoDB or Redis through Agenda's backends. */
import { AppError } from '../../core/errors.ts';
import type { JobStorage, OpenPostgresPool } from './jobStorage.ts';
import { memoryJobs } from './memoryJobs.ts';

/**
 * Opens the storage that RUN_QUEUE_URL names.
 * @param onError called for connections that broke; they are made again by themselves
 * @throws AppError `unavailable` when it does not answer
 */
export async function openJobs(
  url: string,
  openPostgres: OpenPostgresPool,
  onError: (error: Error) => void,
): Promise<JobStorage> {
  let storage: JobStorage | null = null;
  try {
    storage = await storageOf(url, openPostgres, onError);
    storage.backend.notificationChannel?.on('error', onError);
    await storage.connect();
  } catch (error) {
    await storage?.close().catch(() => {});
    if (error instanceof AppError) throw error;
    const text = `The queue of RUN_QUEUE_URL (${storage?.backend.name ?? 'PostgreSQL'}) does not answer: ${(error as Error).message}`;
    throw new AppError('unavailable', text, undefined, { cause: error });
  }
  const { name, repository, notificationChannel } = storage.backend;
  // Agenda would connect on its own and leave a failure to nobody.
  return {
    ...storage,
    backend: { name, repository, notificationChannel, connect: async () => {}, disconnect: async () => {} },
  };
}

/** Only what is used is loaded: the MongoDB driver alone costs a fifth of a second. */
async function storageOf(
  url: string,
  openPostgres: OpenPostgresPool,
  onError: (error: Error) => void,
): Promise<JobStorage> {
  switch (url.split(':')[0]) {
    case '':
      return memoryJobs();
    case 'mongodb':
    case 'mongodb+srv':
      return (await import('./mongoJobs.ts')).mongoJobs(url);
    case 'redis':
    case 'rediss':
      return (await import('./redisJobs.ts')).redisJobs(url, onError);
    default:
      return (await import('./postgresJobs.ts')).postgresJobs(url, openPostgres, onError);
  }
}
