/** SQLite as SQL: one statement a line of what a moment looked like, while others write; and a file made of such lines. */
import { rmSync } from 'node:fs';
import { constants, DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import { AppError } from '../../../core/errors.ts';

/** Waits for writers of other processes, milliseconds. */
const BUSY_MS = 10_000;

/**
 * The database as it is now, however long the reading takes: one read transaction sees none of what others write meanwhile
 * and holds up nobody (sqlite.org/isolation.html, write-ahead log).
 */
export async function* dumpSqlite(path: string): AsyncGenerator<string> {
  const database = new DatabaseSync(path, { readOnly: true, timeout: BUSY_MS });
  try {
    database.exec('begin');
    yield* statements(database);
  } finally {
    database.close();
  }
}

/** Tables with their rows first, then indexes, so that a row is indexed once. */
function* statements(database: DatabaseSync): Generator<string> {
  const objects = database
    .prepare(
      "select type, name, sql from sqlite_master where sql is not null and name not like 'sqlite_%' order by rowid",
    )
    .all() as { type: string; name: string; sql: string }[];
  const oneLine = (sql: string) => `${sql.replace(/\s*\n\s*/g, ' ')};`;
  for (const { type, name, sql } of objects) {
    if (type !== 'table') continue;
    yield oneLine(sql);
    const rows = database.prepare(`select * from ${quoted(name)}`);
    rows.setReadBigInts(true); // whole numbers beyond 2^53 survive, and 1.0 stays a real
    for (const row of rows.iterate()) {
      yield `insert into ${quoted(name)} values (${Object.values(row).map(literal).join(',')});`;
    }
  }
  for (const { type, sql } of objects) if (type !== 'table') yield oneLine(sql);
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function literal(value: SQLOutputValue): string {
  if (value === null) return 'null';
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return real(value);
  if (typeof value !== 'string') return `x'${Buffer.from(value).toString('hex')}'`;
  // Line ends would break the one statement a line; a zero would end the statement for SQLite.
  if (/[\0\n\r\u2028\u2029]/.test(value)) return `cast(x'${Buffer.from(value).toString('hex')}' as text)`;
  return `'${value.replaceAll("'", "''")}'`;
}

/** SQLite keeps infinity as a real out of range; a whole number needs its point to stay a real. */
function real(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? '9e999' : '-9e999';
  const text = String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** What the lines of a backup do: make tables and indexes, and fill them. */
const ACTIONS_OF_BACKUP: ReadonlySet<number> = new Set([
  constants.SQLITE_CREATE_TABLE,
  constants.SQLITE_CREATE_INDEX,
  constants.SQLITE_INSERT,
  constants.SQLITE_READ,
  constants.SQLITE_REINDEX,
  constants.SQLITE_SELECT,
]);

/**
 * A backup may come from anywhere, so nothing else is allowed: no other file is attached, no library loaded, no setting
 * changed, and no trigger or view left behind. SQLite itself updates its schema table when a table is made.
 */
function isOfBackup(action: number, object: string | null): boolean {
  return ACTIONS_OF_BACKUP.has(action) || (action === constants.SQLITE_UPDATE && object === 'sqlite_master');
}

/** Makes a new database of the lines. @throws AppError `invalid` when they do not make a sound one */
export async function loadSqlite(path: string, lines: AsyncIterable<string>): Promise<void> {
  const database = new DatabaseSync(path);
  try {
    database.exec('pragma foreign_keys = off; pragma synchronous = off; begin');
    database.setAuthorizer((action, object) =>
      isOfBackup(action, object) ? constants.SQLITE_OK : constants.SQLITE_DENY,
    );
    for await (const line of lines) database.exec(line);
    database.setAuthorizer(null);
    database.exec('commit; pragma synchronous = full; pragma user_version = 0');
    const check = database.prepare('pragma integrity_check').get() as { integrity_check: string };
    if (check.integrity_check !== 'ok') throw new Error(check.integrity_check);
  } catch (error) {
    throw new AppError('invalid', `The backup's SQL does not make a sound database: ${(error as Error).message}`);
  } finally {
    database.close();
  }
}

/**
 * Folds the write-ahead log into the file and keeps everybody else out until released. Only possible while nobody has the
 * database open: SQLite asks the operating system, so a killed process counts as gone at once.
 * @throws AppError `conflict` when somebody has it open
 */
export function takeSqlite(path: string): { release(): void } {
  const database = new DatabaseSync(path);
  try {
    database.exec('pragma journal_mode = delete; pragma locking_mode = exclusive; begin exclusive');
  } catch (error) {
    database.close();
    throw new AppError(
      'conflict',
      `${path} is in use (${(error as Error).message}). Stop the service, its workers and other commands first.`,
    );
  }
  return {
    release() {
      database.close();
      for (const rest of ['-wal', '-shm', '-journal']) rmSync(path + rest, { force: true });
    },
  };
}
