/** Debian's faketime: programs whose wall clock a test sets while they run. Their monotonic clock, and this machine's, stay as they are. */
import { existsSync } from 'node:fs';
import { readdir, rename, writeFile } from 'node:fs/promises';

/** The library to preload; null where it is not installed (Debian: faketime). */
export async function findFaketime(): Promise<string | null> {
  for (const triple of await readdir('/usr/lib').catch(() => [])) {
    const library = `/usr/lib/${triple}/faketime/libfaketime.so.1`;
    if (existsSync(library)) return library;
  }
  return null;
}

export interface SetClock {
  /** For the program's environment. */
  env: Record<string, string>;
  /** How far the clock is off from now on; negative is behind. */
  set(offsetS: number): Promise<void>;
}

/** @param file to be written; the program follows it */
export async function setClock(library: string, file: string): Promise<SetClock> {
  const set = async (offsetS: number) => {
    // In one step: a program that reads half of it would end.
    await writeFile(`${file}.new`, `${offsetS < 0 ? '' : '+'}${offsetS}\n`);
    await rename(`${file}.new`, file);
  };
  await set(0);
  const env = {
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_CACHE_DURATION: '1',
    DONT_FAKE_MONOTONIC: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    FAKETIME_DONT_RESET: '1',
  };
  return { env, set };
}
