/** The page in a browser of the tests: opening it, signing in, going to a view, and what axe finds in it. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import type { Chromium } from './chromium.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
export const WAIT = { timeout: 20_000 };

/** What a browser reports while a page is used: errors of scripts, and what its policy refused. */
export const problems: string[] = [];

export async function openPage(browser: Chromium, url: string, key: string | null): Promise<Page> {
  const page = await browser.context.newPage();
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('console', (message) => {
    // The browser itself reports every answer that is not 2xx.
    if (message.type() === 'error' && !/Failed to load resource|net::ERR/.test(message.text()))
      problems.push(message.text());
  });
  await browser.context.clearCookies();
  await page.goto(url);
  if (key !== null) await signIn(page, key);
  return page;
}

export async function signIn(page: Page, key: string): Promise<void> {
  await page.getByLabel('API key').fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('navigation', { name: 'Views' }).waitFor(WAIT);
}

/** Goes to a view as a click on a link does, so that nobody is signed out. */
export async function show(page: Page, path: string, heading: string | RegExp): Promise<void> {
  await page.goto(new URL(path, page.url()).href);
  await page.getByRole('heading', { level: 1, name: heading }).waitFor(WAIT);
}

/** What depends on colours and on the room there is; the rest of a document is the same in every theme and width. */
export const LOOK_RULES = ['color-contrast', 'target-size', 'scrollable-region-focusable'];

/** Violations of WCAG that axe finds and calls serious or worse. @param rules only these */
export async function serious(page: Page, rules?: readonly string[]): Promise<string[]> {
  // Not as a script of the page, whose policy lets in none but its own.
  await page.evaluate(AXE);
  const options = JSON.stringify({ resultTypes: ['violations'], ...(rules && { runOnly: rules }) });
  const found = await page.evaluate(`axe.run(document, ${options})`);
  const { violations } = found as { violations: { id: string; impact: string; nodes: { html: string }[] }[] };
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`);
}
