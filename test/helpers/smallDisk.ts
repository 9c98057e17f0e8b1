/** A disk of its own for a test, which can be filled and freed. */
import { execFile } from 'node:child_process';
import { appendFileSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface SmallDisk {
  dir: string;
  fill(): void;
  free(): void;
  remove(): Promise<void>;
}

const SIZE_MB = 48;

/** A disk of its own for the data. Null, with the reason printed, where none can be made. */
export async function createSmallDisk(dir: string, say: (line: string) => void): Promise<SmallDisk | null> {
  const mount = join(dir, 'disk');
  mkdirSync(mount);
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${SIZE_MB}m`, 'tmpfs', mount]);
  } catch (error) {
    say(`NOT DONE: the full disk. A file system of its own cannot be mounted here: ${(error as Error).message.trim()}`);
    return null;
  }
  const ballast = join(mount, 'ballast');
  return {
    dir: mount,
    fill() {
      const chunk = Buffer.alloc(64 * 1024);
      try {
        for (;;) appendFileSync(ballast, chunk);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    },
    free: () => rmSync(ballast, { force: true }),
    remove: async () => void (await run('umount', ['-l', mount])),
  };
}
