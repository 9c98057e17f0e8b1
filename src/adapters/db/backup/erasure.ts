/** Takes names out of backups that were written before: each is written anew, whole or not at all. */
import { readdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { openBackup, writeBackup } from './backupFile.ts';

const BACKUP_FILE = /^orchestrator_\d{8}_\d{6}\.sql\.gz$/;

/** Text that would break a line of SQL is written in hexadecimal. */
const HEX_TEXT = /cast\(x'([0-9a-f]+)' as text\)/g;

/** @returns how many files were written anew */
export async function eraseFromBackups(
  dir: string,
  { words, replacement }: { words: readonly string[]; replacement: string },
  key: Buffer | null,
): Promise<number> {
  const names = (await readdir(dir).catch(() => [])).filter((name) => BACKUP_FILE.test(name));
  const pattern = new RegExp(words.map((word) => word.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|'), 'gi');
  const clean = (text: string) => text.replace(pattern, replacement);
  const cleanLine = (line: string) =>
    clean(line).replace(HEX_TEXT, (_all, hex: string) => {
      const text = clean(Buffer.from(hex, 'hex').toString('utf8'));
      return `cast(x'${Buffer.from(text).toString('hex')}' as text)`;
    });
  for (const name of names) {
    const file = join(dir, name);
    const backup = await openBackup(file, { unverified: true, key });
    const { format: _format, mark: _mark, ...header } = backup.header;
    const fresh = `${file}.erasing`;
    await rm(fresh, { force: true });
    const sql = async function* () {
      for await (const line of backup.sql()) yield cleanLine(line);
    };
    await writeBackup(fresh, { header, sql: sql(), files: backup.files() }, { key, called: basename(file) });
    // The checksum last: a file without a fitting one is refused, never restored by mistake.
    await rename(fresh, file);
    await rename(`${fresh}.sha256`, `${file}.sha256`);
  }
  return names.length;
}
