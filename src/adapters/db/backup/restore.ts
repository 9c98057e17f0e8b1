/** Puts a backup in the place of the database, wholly or not at all. */
import { existsSync } from 'node:fs';
import { link, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { AppError } from '../../../core/errors.ts';
import type { PostgresTarget } from '../../../core/processes/postgresUrl.ts';
import { makeFolder } from '../makeFolder.ts';
import { knownMigrations, openDatabase, parseDatabaseUrl } from '../open.ts';
import { createStore } from '../store.ts';
import { type BackupHeader, type OpenedBackup, openBackup } from './backupFile.ts';
import { loadPostgres } from './postgresSql.ts';
import { loadSqlite, takeSqlite } from './sqliteSql.ts';

interface RestorePlaces {
  databaseUrl: string;
  uploadsDir: string;
  /** Opens a sealed backup. */
  key?: Buffer | null;
}

/** A process that stopped without an answer counts as running for so long. */
const SILENCE_MS = 60_000;

/**
 * @param options `unverified`: a backup without its checksum file is restored too
 * @throws AppError `invalid` for a broken file, `refused` for one of a newer schema or another kind of database, `conflict`
 * while the service runs; nothing has changed then
 */
export async function restoreBackup(
  file: string,
  places: RestorePlaces,
  now: Date,
  { unverified = false } = {},
): Promise<BackupHeader> {
  const target = parseDatabaseUrl(places.databaseUrl);
  const backup = await openBackup(file, { unverified, key: places.key ?? null });
  await requireSuitable(backup.header, target.kind);
  if (target.kind === 'postgresql') await restorePostgres(places.databaseUrl, target.target, backup, now);
  else if (target.path === ':memory:') throw new AppError('refused', 'A database in memory cannot be restored.');
  else await restoreSqlite(target.path, backup);
  await restoreUploads(places.uploadsDir, backup);
  return backup.header;
}

async function requireSuitable(header: BackupHeader, kind: 'sqlite' | 'postgresql'): Promise<void> {
  if (header.store !== kind) {
    throw new AppError('refused', `The backup is of ${header.store}, and DATABASE_URL names ${kind}.`);
  }
  if ((await knownMigrations(kind)).includes(header.schema)) return;
  throw new AppError(
    'refused',
    `The backup has the schema ${header.schema}, which this version does not know: it was made by DexOps ${header.version}. Restore it with that version or a newer one.`,
  );
}

/** Beside the database, so that it becomes the database by a rename. What it replaces is kept until the next restore. */
async function restoreSqlite(path: string, backup: OpenedBackup): Promise<void> {
  makeFolder(dirname(path), 0o700);
  const held = existsSync(path) ? takeSqlite(path) : null;
  const dir = await mkdtemp(join(dirname(path), '.restore-'));
  const fresh = join(dir, 'restored.db');
  try {
    await loadSqlite(fresh, backup.sql());
    await (await openDatabase(`sqlite:///${fresh}`)).close(); // brings an older schema up to date
    takeSqlite(fresh).release();
    if (held) {
      await rm(`${path}.before-restore`, { force: true });
      await link(path, `${path}.before-restore`);
    }
    await rename(fresh, path);
  } finally {
    held?.release();
    await rm(dir, { recursive: true, force: true });
  }
}

async function restorePostgres(url: string, target: PostgresTarget, backup: OpenedBackup, now: Date): Promise<void> {
  const database = await openDatabase(url);
  try {
    const [running] = await createStore(database.em).workers.seenSince(new Date(now.getTime() - SILENCE_MS));
    if (running) {
      throw new AppError(
        'conflict',
        `The service runs on ${running.host} (seen ${running.seenAt.toISOString()}). Stop it and its workers first; one that was killed counts as gone after a minute.`,
      );
    }
  } finally {
    await database.close();
  }
  await loadPostgres(target, backup.sql());
  await (await openDatabase(url)).close(); // brings an older schema up to date
}

async function restoreUploads(dir: string, backup: OpenedBackup): Promise<void> {
  const fresh = `${dir}.restoring`;
  await rm(fresh, { recursive: true, force: true });
  let files = 0;
  for await (const { path, content } of backup.files()) {
    const inside = normalize(path);
    if (inside.startsWith('..') || inside.startsWith('/')) throw new AppError('invalid', `${path} leaves its folder.`);
    makeFolder(dirname(join(fresh, inside)), 0o700);
    await writeFile(join(fresh, inside), content);
    files++;
  }
  await rm(dir, { recursive: true, force: true });
  if (files > 0) await rename(fresh, dir);
}
