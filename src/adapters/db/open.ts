/** Opens the database that DATABASE_URL names, brings its schema up to date, and closes it. */
import { chmodSync, closeSync, existsSync, openSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname, extname, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type MigrateOptions, MikroORM, type Options } from '@mikro-orm/core';
import { Migrator } from '@mikro-orm/migrations';
import { type SqlEntityManager, SqliteDriver } from '@mikro-orm/sql';
import type { Pool } from 'pg';
import { AppError } from '../../core/errors.ts';
import type { PostgresTarget } from '../../core/processes/postgresUrl.ts';
import { readStoreUrl } from '../../core/processes/storeUrl.ts';
import { narrowedStatement } from './dataScope.ts';
import { ENTITIES } from './entities.ts';
import { makeFolder } from './makeFolder.ts';
import { withPostgresLock, withSqliteLock } from './migrationLock.ts';
import { withoutNuls } from './nuls.ts';
import { connectPostgres, placeOf } from './postgresConnection.ts';
import { guardConnections } from './postgresPool.ts';
import { ImmediateSqliteDialect } from './sqliteDialect.ts';

/** How long closing may wait for connections to end. */
const CLOSE_MS = 5_000;

export type DatabaseKind = 'sqlite' | 'postgresql';

export interface Database {
  kind: DatabaseKind;
  orm: MikroORM;
  em: SqlEntityManager;
  close(): Promise<void>;
}

/** Where migrations of a store live; they differ because the dialects do. */
export function migrationsPath(kind: DatabaseKind): string {
  return fileURLToPath(new URL(`./migrations/${kind}`, import.meta.url));
}

/** @throws AppError `invalid` that names what is wrong with the URL */
export function parseDatabaseUrl(
  url: string,
): { kind: 'sqlite'; path: string } | { kind: 'postgresql'; target: PostgresTarget } {
  const { store, mistakes } = readStoreUrl(url);
  if (!store || mistakes.length > 0)
    throw new AppError('invalid', `DATABASE_URL is not understood: ${mistakes.join('; ')}.`);
  if (store.kind === 'postgresql') return store;
  return { kind: 'sqlite', path: store.path === null ? ':memory:' : resolve(store.path) };
}

export async function ormOptions(url: string, poolSize = 10): Promise<Partial<Options>> {
  const target = parseDatabaseUrl(url);
  const shared: Partial<Options> = {
    entities: ENTITIES,
    extensions: [Migrator],
    migrations: {
      path: migrationsPath(target.kind),
      tableName: 'schema_migration',
      snapshotName: 'schema',
      snapshotOnMigrate: false,
      emit: 'ts',
      silent: true,
      transactional: true,
      allOrNothing: true,
      disableForeignKeys: false,
    },
    forceUtcTimezone: true,
    onQuery: narrowedStatement(target.kind),
    // Rows are read as plain values and never tracked across requests; a shared identity map would only grow.
    allowGlobalContext: false,
  };
  if (target.kind === 'postgresql') {
    const { PostgreSqlDriver } = await import('@mikro-orm/postgresql');
    const { options, pooled } = await connectPostgres(target.target, 'dexops');
    return {
      ...shared,
      driver: PostgreSqlDriver,
      dbName: options.database,
      pool: { min: 0, max: poolSize },
      driverOptions: { ...options, onPoolCreated: (pool: Pool) => guardConnections(pool, { pooled }) },
    };
  }
  return {
    ...shared,
    driver: SqliteDriver,
    dbName: target.path,
    driverOptions: new ImmediateSqliteDialect(target.path),
  };
}

/** `.ts` in a checkout, `.js` where DexOps is installed as a package. */
const OWN_EXTENSION = extname(import.meta.filename);

/** Names of the migrations that this version brings, oldest first. */
export async function knownMigrations(kind: DatabaseKind): Promise<string[]> {
  const files = await readdir(migrationsPath(kind));
  return files.flatMap((file) => (extname(file) === OWN_EXTENSION ? [basename(file, OWN_EXTENSION)] : [])).sort();
}

/** The newest migration that a database has seen. */
export async function lastMigration({ orm }: Database): Promise<string> {
  const executed = await orm.migrator.getExecuted();
  return (
    executed
      .map(({ name }) => name)
      .sort()
      .at(-1) ?? ''
  );
}

/** Opens and migrates. Fails with kind `unavailable` when the database cannot be reached or written. */
export async function openDatabase(url: string, poolSize?: number): Promise<Database> {
  const target = parseDatabaseUrl(url);
  try {
    if (target.kind === 'sqlite' && target.path !== ':memory:') makePrivateFile(target.path);
    const orm = await MikroORM.init(await ormOptions(url, poolSize));
    const em = orm.em as SqlEntityManager;
    dropNuls(em);
    if (target.kind === 'postgresql') await withPostgresLock(em, (transaction) => migrate(orm, { transaction }));
    else {
      const prepare = async () => {
        await configureSqlite(em);
        await migrate(orm);
      };
      if (target.path === ':memory:') await prepare();
      else await withSqliteLock(target.path, prepare);
    }
    return { kind: target.kind, orm, em, close: () => closeOrm(orm) };
  } catch (error) {
    const where = target.kind === 'sqlite' ? target.path : placeOf(target.target);
    if (error instanceof AppError) throw error;
    throw new AppError(
      'unavailable',
      `The ${target.kind} database at ${where} cannot be opened: ${(error as Error).message}`,
      undefined,
      { cause: error },
    );
  }
}

/** The file and its folder for this user alone; SQLite gives the log and the index beside the file the same permissions. */
function makePrivateFile(path: string): void {
  makeFolder(dirname(path), 0o700);
  closeSync(openSync(path, 'a', 0o600));
  for (const file of [path, `${path}-wal`, `${path}-shm`]) if (existsSync(file)) chmodSync(file, 0o600);
}

/** A connection that was cut off at a bad moment never says that it has ended, and its pool would wait for it for ever. */
async function closeOrm(orm: MikroORM): Promise<void> {
  const waited = new AbortController();
  const patience = delay(CLOSE_MS, undefined, { signal: waited.signal }).catch(() => {});
  await Promise.race([orm.close(true).finally(() => waited.abort()), patience]);
}

/**
 * No database takes a NUL in a text, and a statement or JSON that holds one fails as a whole: what a playbook, an exporter or a
 * model printed must not cost the row that it is part of.
 */
function dropNuls(em: SqlEntityManager): void {
  const platform = em.getPlatform();
  const formatQuery = platform.formatQuery.bind(platform);
  platform.formatQuery = (sql, params) => formatQuery(sql, params).replaceAll('\0', '');
  const toJson = platform.convertJsonToDatabaseValue.bind(platform);
  platform.convertJsonToDatabaseValue = (value, context) => {
    const json = toJson(value, context);
    return typeof json === 'string' ? withoutNuls(json) : json;
  };
}

async function configureSqlite(em: SqlEntityManager): Promise<void> {
  // WAL lets the command line and MCP over stdio read while the service writes; NORMAL is durable with WAL against a
  // killed process, and loses at most the last commits when the power goes.
  await em.execute('pragma journal_mode = wal');
  await em.execute('pragma synchronous = normal');
}

async function migrate(orm: MikroORM, options: MigrateOptions = {}): Promise<void> {
  if ((await orm.migrator.getPending()).length > 0) await orm.migrator.up(options);
}
