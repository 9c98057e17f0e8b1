/** Where the session of somebody who is signed in to a service elsewhere is kept. */
import { homedir } from 'node:os';
import { join } from 'node:path';

/** XDG Base Directory, and what Windows has for it. */
export function loginFile(
  env: Record<string, string | undefined>,
  platform: NodeJS.Platform = process.platform,
): string {
  const folder =
    platform === 'win32'
      ? env.APPDATA || join(homedir(), 'AppData', 'Roaming')
      : env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config');
  return join(folder, 'dexops', 'login.json');
}
