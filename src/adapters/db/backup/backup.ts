/** Takes a backup of the database and the uploaded runbooks while the service goes on. */
import { readdir, readFile, rm } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { AppError } from '../../../core/errors.ts';
import type { Backups } from '../../../core/ports/ports.ts';
import { makeFolder } from '../makeFolder.ts';
import { type Database, lastMigration, parseDatabaseUrl } from '../open.ts';
import { type BackupContent, backupPath, type UploadedFile, writeBackup } from './backupFile.ts';
import { eraseFromBackups } from './erasure.ts';
import { dumpPostgres } from './postgresSql.ts';
import { dumpSqlite } from './sqliteSql.ts';

interface BackupPlaces {
  databaseUrl: string;
  backupDir: string;
  /** Where uploaded runbooks lie; it need not exist. */
  uploadsDir: string;
  version: string;
  /** Seals what is written; null leaves it readable. */
  key?: Buffer | null;
}

export function createBackups(database: Database, places: BackupPlaces): Backups {
  return {
    async create(now) {
      makeFolder(places.backupDir, 0o700);
      const target = parseDatabaseUrl(places.databaseUrl);
      const header: BackupContent['header'] = {
        store: target.kind,
        schema: await lastMigration(database),
        version: places.version,
        created_at: now.toISOString(),
      };
      if (target.kind === 'sqlite' && target.path === ':memory:') {
        throw new AppError('refused', 'A database in memory cannot be backed up.');
      }
      const sql = target.kind === 'postgresql' ? dumpPostgres(target.target) : dumpSqlite(target.path);
      return writeBackup(backupPath(places.backupDir, now), { header, sql, files: uploads(places.uploadsDir) }, places);
    },
    async erase(names) {
      const target = parseDatabaseUrl(places.databaseUrl);
      // The database as it was before the last restore.
      if (target.kind === 'sqlite') await rm(`${target.path}.before-restore`, { force: true });
      return eraseFromBackups(places.backupDir, names, places.key ?? null);
    },
  };
}

async function* uploads(dir: string): AsyncGenerator<UploadedFile> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const path = file
      .slice(dir.length + 1)
      .split(sep)
      .join('/');
    if (/[\r\n]/.test(path)) continue; // no name that we gave
    yield { path, content: await readFile(file) };
  }
}
