/** Packs one platform's files into the archive that its system unpacks by itself: tar.xz, or zip for Windows. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Zippable, zip } from 'fflate';

const run = promisify(execFile);

/** Everything in an archive has this time, so that the same sources give the same archive. */
const EPOCH = '2026-01-01T00:00:00Z';

/** @param level of xz, 0–9 @throws Error that says what to install where tar or xz is missing */
export async function packTar(dir: string, folder: string, archive: string, level: number): Promise<void> {
  const names = (await readdir(join(dir, folder))).sort().map((name) => `${folder}/${name}`);
  const args = [
    '--owner=0',
    '--group=0',
    '--numeric-owner',
    `--mtime=${EPOCH}`,
    `--use-compress-program=xz -T2 -${level}`,
  ];
  await run('tar', [...args, '-cf', archive, '-C', dir, ...names]).catch((error: Error) => {
    throw new Error(`tar with xz is needed to pack the archive (Debian: xz-utils): ${error.message}`);
  });
}

/** @param level of deflate, 0–9 */
export async function packZip(
  dir: string,
  folder: string,
  archive: string,
  level: 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9,
): Promise<void> {
  const files: Zippable = {};
  for (const name of (await readdir(join(dir, folder))).sort())
    files[`${folder}/${name}`] = [await readFile(join(dir, folder, name)), { level, mtime: EPOCH }];
  const data = await new Promise<Uint8Array>((resolve, reject) =>
    zip(files, (error, packed) => (error ? reject(error) : resolve(packed))),
  );
  await writeFile(archive, data);
}

/** SHA-256, hex. */
export async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
