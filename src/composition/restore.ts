/** Restoring: the counterpart of the service's backups, for a service that is stopped. */
import { restoreBackup } from '../adapters/db/backup/restore.ts';
import { existingBackupKey } from '../adapters/privacyKey.ts';
import type { Config } from '../config.ts';
import { uploadsDir } from './parts.ts';

/** Puts a backup in the place of the configured database; refuses while the service runs. */
export async function restore(config: Config, file: string, options: { unverified: boolean }): Promise<string> {
  const places = {
    databaseUrl: config.DATABASE_URL,
    uploadsDir: uploadsDir(config),
    key: existingBackupKey(config.DATA_DIR),
  };
  const { created_at } = await restoreBackup(file, places, new Date(), options);
  return `Restored ${file} of ${created_at}. Start the service again.`;
}
