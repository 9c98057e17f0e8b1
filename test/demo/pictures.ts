/** Takes README's pictures of the page: `node test/demo/pictures.ts http://127.0.0.1:PORT` beside a demo that keeps serving. */
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { findBinary } from '../helpers/findBinary.ts';

const [base] = process.argv.slice(2);
const executablePath = findBinary('chromium');
if (!base || !executablePath)
  throw new Error('It needs the address of a service without a key, and chromium on the PATH.');

const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  for (const [path, name] of [
    ['/', 'fleet'],
    ['/machines/alice-laptop', 'machine'],
  ] as const) {
    await page.goto(base + path, { waitUntil: 'load' });
    await page.locator('h1').waitFor();
    // Charts are drawn once their figures are there.
    await page.waitForLoadState('networkidle', { timeout: 5000 }).catch(() => {});
    await page.screenshot({ path: fileURLToPath(new URL(`${name}.png`, import.meta.url)) });
  }
} finally {
  await browser.close();
}
