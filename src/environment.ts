/** The environment that a program was started in; the only reader of process.env. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';

/** The environment of this process, over what `.env` in the working directory says. */
export function processEnv(): Record<string, string | undefined> {
  const file = resolve('.env');
  const fromFile = existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {};
  return { ...fromFile, ...process.env };
}

/** What programs that the service starts may know of its environment: no key, no token. */
export function programEnv(env = process.env): Record<string, string> {
  const given = ['PATH', 'HOME', 'TZ'].flatMap((name) => {
    const value = env[name];
    return value === undefined ? [] : [[name, value]];
  });
  // The service's own locale may not be installed, and then every program that asks for one fails; this one always is.
  return { ...Object.fromEntries(given), LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8' };
}

/** A secret that a configuration file names by its variable; null when it is not set. */
export function namedSecret(name: string, env = process.env): string | null {
  return env[name]?.trim() || null;
}

/** Whether a terminal is to be written to without colours (https://no-color.org: set to anything but nothing). */
export function isWithoutColours(env = process.env): boolean {
  return (env.NO_COLOR ?? '') !== '' || env.TERM === 'dumb';
}
