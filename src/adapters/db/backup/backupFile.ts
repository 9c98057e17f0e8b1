/** The backup's file: gzipped SQL between marked lines that say what it is, carry uploaded runbooks, and prove its end. */
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { link, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { AppError } from '../../../core/errors.ts';
import { sealing, unsealed } from './sealed.ts';

export interface BackupHeader {
  format: 1;
  store: 'sqlite' | 'postgresql';
  /** The last migration that the database had seen. */
  schema: string;
  version: string;
  /** ISO 8601, UTC. */
  created_at: string;
  /** Begins every marked line, so that no row of a table can pass for one. */
  mark: string;
}

export interface UploadedFile {
  /** Relative, with slashes. */
  path: string;
  content: Buffer;
}

export interface BackupContent {
  header: Omit<BackupHeader, 'format' | 'mark'>;
  sql: AsyncIterable<string>;
  files: AsyncIterable<UploadedFile>;
}

interface WrittenBackup {
  file: string;
  bytes: number;
  /** Of the file as it lies on disk, hex. */
  sha256: string;
}

/** Anything longer is no row that we ever wrote. */
const FIRST_LINE = /^-- dexops-backup (\{.*\})$/;

/**
 * Writes to a temporary name first, so that a file with the right name is always whole, and a checksum beside it that
 * `sha256sum -c` understands.
 * @param how `key` seals it; `called`: the name in the checksum, where it is not the file's own
 * @throws AppError `conflict` when the file exists
 */
export async function writeBackup(
  file: string,
  content: BackupContent,
  how: { key?: Buffer | null; called?: string } = {},
): Promise<WrittenBackup> {
  const unfinished = `${file}.part`;
  const hash = createHash('sha256');
  const tap = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  try {
    const target = createWriteStream(unfinished, { flags: 'wx', mode: 0o600, flush: true });
    await pipeline(Readable.from(batched(lines(content))), createGzip(), sealing(how.key ?? null), tap, target);
    const sha256 = hash.digest('hex');
    await link(unfinished, file); // unlike a rename it never replaces
    await writeFile(`${file}.sha256`, `${sha256}  ${how.called ?? basename(file)}\n`, { mode: 0o600 });
    await syncFolder(dirname(file));
    return { file, bytes: (await stat(file)).size, sha256 };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new AppError(
      'conflict',
      `${file} exists already, or another backup is being written. Try again in a second.`,
    );
  } finally {
    await rm(unfinished, { force: true });
  }
}

async function* lines({ header, sql, files }: BackupContent): AsyncGenerator<string> {
  const mark = randomBytes(8).toString('hex');
  yield `-- dexops-backup ${JSON.stringify({ format: 1, ...header, mark } satisfies BackupHeader)}`;
  yield* sql;
  for await (const { path, content } of files) yield `-- ${mark} file ${path} ${content.toString('base64')}`;
  yield `-- ${mark} end`;
}

/** Lines joined into pieces of some size: compressing each by itself would take most of the time. */
async function* batched(source: AsyncIterable<string>): AsyncGenerator<string> {
  let piece = '';
  for await (const line of source) {
    piece += `${line}\n`;
    if (piece.length < 64 * 1024) continue;
    yield piece;
    piece = '';
  }
  yield piece;
}

/** A new name is durable once its folder is. */
async function syncFolder(dir: string): Promise<void> {
  const handle = await open(dir, 'r');
  await handle.sync().catch(() => {}); // not every file system can
  await handle.close();
}

export interface OpenedBackup {
  header: BackupHeader;
  /** The SQL, line by line. */
  sql(): AsyncGenerator<string>;
  files(): AsyncGenerator<UploadedFile>;
}

/**
 * Reads the whole file once, and only then lets anyone use it.
 *
 * @param how `unverified`: a missing checksum file is accepted; a wrong one never is. `key` opens a sealed one
 * @throws AppError `not_found` when there is no such file, `invalid` when it is broken or no backup of ours, `refused`
 * without its checksum file
 */
export async function openBackup(
  file: string,
  { unverified = false, key = null }: { unverified?: boolean; key?: Buffer | null } = {},
): Promise<OpenedBackup> {
  await checkSum(file, unverified);
  let header: BackupHeader | null = null;
  let ended = false;
  try {
    for await (const line of readLines(file, key)) {
      header ??= readHeader(file, line);
      ended = line === `-- ${header.mark} end`;
    }
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw broken(file, (error as Error).message);
  }
  if (!header || !ended) throw broken(file, 'it ends too early');
  const { mark } = header;
  const isMarked = (line: string) => line.startsWith(`-- ${mark} `) || FIRST_LINE.test(line);
  return {
    header,
    async *sql() {
      for await (const line of readLines(file, key)) if (!isMarked(line)) yield line;
    },
    async *files() {
      for await (const line of readLines(file, key)) {
        const [, path, content] = line.startsWith(`-- ${mark} file `) ? /^-- \S+ file (.+) (\S*)$/.exec(line)! : [];
        if (path !== undefined && content !== undefined) yield { path, content: Buffer.from(content, 'base64') };
      }
    },
  };
}

async function* readLines(file: string, key: Buffer | null): AsyncGenerator<string> {
  const text = createGunzip();
  const reading = pipeline([...(await unsealed(file, key)), text]);
  reading.catch(() => text.destroy()); // awaited below; until then the lines tell
  yield* createInterface({ input: text, crlfDelay: Number.POSITIVE_INFINITY });
  await reading;
}

function readHeader(file: string, line: string): BackupHeader {
  const [, json] = FIRST_LINE.exec(line) ?? [];
  if (!json) throw broken(file, 'its first line is not one of ours');
  const header = JSON.parse(json) as BackupHeader;
  if (header.format === 1) return header;
  throw new AppError(
    'refused',
    `${file} was made by a newer DexOps (${header.version}). Restore it with that version.`,
  );
}

async function checkSum(file: string, unverified: boolean): Promise<void> {
  const expected = await readFile(`${file}.sha256`, 'utf8').catch(() => null);
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw new AppError('not_found', `There is no backup ${file}.`);
    throw error;
  });
  if (expected === null && !unverified) {
    throw new AppError(
      'refused',
      `${file}.sha256 is missing, so nobody knows whether this is what was backed up. Put it beside the backup, or restore with --unverified. Nothing was changed.`,
    );
  }
  if (expected !== null && expected.split(/\s/)[0] !== hash.digest('hex')) {
    throw broken(file, `it does not have the checksum in ${basename(file)}.sha256`);
  }
}

function broken(file: string, why: string): AppError {
  return new AppError('invalid', `${file} cannot be restored: ${why}. Nothing was changed; use another backup.`);
}

/** `orchestrator_YYYYMMDD_HHMMSS.sql.gz`, UTC. */
export function backupPath(dir: string, now: Date): string {
  const [day, time] = now.toISOString().replace(/[-:]/g, '').split(/[T.]/);
  return join(dir, `orchestrator_${day}_${time}.sql.gz`);
}
