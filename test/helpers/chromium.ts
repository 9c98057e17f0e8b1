/** A real Chromium that tests drive, where Debian's is installed. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium } from 'playwright-core';
import { findBinary } from './findBinary.ts';

/** What keeps it on this machine: no look-ups of its maker's hosts, no updates. */
const FLAGS = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const CHROMIUM = findBinary('chromium', 'chromium-browser', 'google-chrome', 'chrome');

export interface Chromium {
  context: BrowserContext;
  close(): Promise<void>;
}

/** @throws Error when `CHROMIUM` is null */
export async function openChromium(): Promise<Chromium> {
  if (!CHROMIUM) throw new Error('no Chromium is installed: apt-get install chromium');
  const profile = await mkdtemp(join(tmpdir(), 'dexops-chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    headless: true,
    // Its sandbox does not work for root.
    chromiumSandbox: process.getuid?.() !== 0,
    args: FLAGS,
  });
  return {
    context,
    async close() {
      await context.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}
