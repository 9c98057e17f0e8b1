/** Pictures of pages as people see them, by a headless Chromium where one is installed. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findBinary } from './findBinary.ts';

const run = promisify(execFile);
const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'chrome'];

export const BROWSER_MISSING = `none of ${NAMES.join(', ')} is on the PATH: apt-get install chromium`;

export interface Browser {
  /** The page's text once its scripts ran; with SCREENSHOT_DIR set its picture is left there as NAME.png. */
  see(url: string, name: string): Promise<string>;
  close(): Promise<void>;
}

/** Null without a browser. */
export async function openBrowser(): Promise<Browser | null> {
  const binary = findBinary(...NAMES);
  if (!binary) return null;
  const dir = await mkdtemp(join(tmpdir(), 'dexops-browser-'));
  const shots = process.env.SCREENSHOT_DIR ?? dir;
  await mkdir(shots, { recursive: true });
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${join(dir, 'profile')}`];
  return {
    async see(url, name) {
      const picture = join(shots, `${name}.png`);
      await run(binary, [...flags, '--window-size=1280,1600', `--screenshot=${picture}`, url], { timeout: 60_000 });
      if ((await readFile(picture)).subarray(1, 4).toString() !== 'PNG') throw new Error(`no picture of ${url}`);
      return (await run(binary, [...flags, '--dump-dom', url], { timeout: 60_000 })).stdout;
    },
    close: () => rm(dir, { recursive: true, force: true }),
  };
}
