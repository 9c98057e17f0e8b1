/** Makes folders; Node's own recursive mkdir tries for ever where a file system, as /proc, takes none. */
import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { AppError } from '../../core/errors.ts';

/**
 * Makes a folder and those above it that are missing.
 *
 * @param path absolute
 * @throws AppError `unavailable` with the reason when there can be no such folder
 */
export function makeFolder(path: string, mode = 0o777): void {
  if (isFolder(path)) return;
  const parent = dirname(path);
  if (parent !== path) makeFolder(parent, mode);
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (isFolder(path)) return; // another process was faster
    const { code, message } = error as NodeJS.ErrnoException;
    throw new AppError(
      'unavailable',
      `The folder ${path} cannot be made: ${code === 'ENOENT' ? `${parent} takes no folders` : message}. Choose another, or make it for this user.`,
      undefined,
      { cause: error },
    );
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
