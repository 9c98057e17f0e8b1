/** Signing in to the page by an identity provider, in a real browser: in, who is signed in, out, and what is said when it fails. */
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CHROMIUM, type Chromium, openChromium } from '../helpers/chromium.ts';
import { type SignInWorld, startSignInWorld } from '../helpers/signInWorld.ts';

if (!CHROMIUM) console.warn('No Chromium is installed, so signing in was not tried: apt-get install chromium');

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const WAIT = { timeout: 20_000 };
/** Where pictures go, for whoever wants to look. */
const PICTURES = process.env.DEXOPS_TEST_PICTURES ?? '';

describe.skipIf(!CHROMIUM)('signing in by the provider', { timeout: 120_000 }, () => {
  let browser: Chromium;
  let world: SignInWorld;
  beforeAll(async () => {
    [browser, world] = [await openChromium(), await startSignInWorld()];
    if (PICTURES) mkdirSync(PICTURES, { recursive: true });
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await world?.stop();
  });

  const button = (page: Page) => page.getByRole('link', { name: /^Sign in with 127\.0\.0\.1/ });
  async function openPage(path = '/'): Promise<Page> {
    const page = await browser.context.newPage();
    await browser.context.clearCookies();
    await page.goto(world.url + path);
    await button(page).waitFor(WAIT);
    return page;
  }
  /** Wide and light, narrow and dark: nothing that axe calls serious, nothing wider than the window. */
  async function looksRight(page: Page, name: string): Promise<void> {
    for (const [colorScheme, width] of [
      ['light', 1200],
      ['dark', 380],
    ] as const) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 800 });
      await page.evaluate(AXE);
      const { violations } = (await page.evaluate(`axe.run(document, { resultTypes: ['violations'] })`)) as {
        violations: { id: string; impact: string }[];
      };
      expect(violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
      if (PICTURES) await page.screenshot({ path: join(PICTURES, `${name}-${width}-${colorScheme}.png`) });
    }
    await page.setViewportSize({ width: 1200, height: 800 });
  }

  test('brings a person to the view they wanted, shows who is signed in, and lets them out', async () => {
    const page = await openPage('/settings?from=mail');
    await looksRight(page, 'sign-in');
    world.provider.atTheBrowser = 'eve';
    await button(page).click();
    await page.getByText('Eve Evans (admin)').waitFor(WAIT);
    expect(new URL(page.url()).pathname).toBe('/settings');
    expect(await page.evaluate('document.cookie')).toBe('');
    await page.getByRole('heading', { name: 'Who is signed in' }).waitFor(WAIT);
    await page.getByText('Chrome on Linux').waitFor(WAIT);
    await looksRight(page, 'settings');
    await page.reload();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await button(page).waitFor(WAIT);
    expect((await world.service.call('GET', '/api/v1/sessions')).body.sessions).toEqual([]);
    await page.close();
  });

  test('ends at once when an administrator ends the session', async () => {
    const page = await openPage();
    await button(page).click();
    await page.getByText('Eve Evans (admin)').waitFor(WAIT);
    await page.goto(`${world.url}/settings`);
    await page.getByRole('button', { name: 'End the session of Eve Evans' }).click();
    await page.getByRole('button', { name: 'End', exact: true }).click();
    await button(page).waitFor(WAIT);
    await page.close();
  });

  test('an employee without a role sees a page of their own', async () => {
    world.provider.atTheBrowser = 'bob';
    const page = await openPage();
    await button(page).click();
    await page.getByText('Bob Brown (employee)').waitFor(WAIT);
    await page.getByRole('link', { name: 'bob-01' }).waitFor(WAIT);
    expect(await page.getByRole('alert').count()).toBe(0);
    expect(await page.getByRole('link', { name: 'Approvals' }).count()).toBe(0);
    await looksRight(page, 'employee');
    await page.getByRole('link', { name: 'bob-01' }).click();
    await page.getByRole('heading', { level: 1, name: 'bob-01' }).waitFor(WAIT);
    await expect.poll(() => page.locator('[aria-busy]').count(), WAIT).toBe(0);
    await looksRight(page, 'employee-machine');
    await page.close();
  });

  test('says in words why it did not come to a session', async () => {
    world.provider.atTheBrowser = null;
    const page = await openPage('/alerts');
    await button(page).click();
    await page.getByText('did not let you in').waitFor(WAIT);
    expect(new URL(page.url()).search).toBe('');
    await looksRight(page, 'denied');
    await world.provider.stop();
    // That it was there is believed for a second.
    await delay(1100);
    await button(page).click();
    await page.getByText('does not answer').waitFor(WAIT);
    await page.getByText('With an API key', { exact: true }).click();
    await page.getByLabel('API key').fill('not-a-key');
    await page.getByRole('button', { name: 'Sign in with the key' }).click();
    await page.getByText('This API key is not known').waitFor(WAIT);
    await looksRight(page, 'key');
    await page.close();
  });
});
