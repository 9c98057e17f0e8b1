/** Where the project lies. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder with config/, runbooks/ and package.json: of a checkout, or of the installed package, whose code is a folder deeper. */
export const PROJECT_DIR = folderWithManifest(import.meta.dirname);

function folderWithManifest(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : folderWithManifest(dirname(folder));
}
