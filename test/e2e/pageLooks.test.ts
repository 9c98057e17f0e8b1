/** How the page looks in a real browser: every view, light and wide, dark and narrow, with nothing that axe calls serious. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CHROMIUM, type Chromium, openChromium } from '../helpers/chromium.ts';
import { LOOK_RULES, openPage, problems, serious, show, WAIT } from '../helpers/pageBrowser.ts';
import { addSmallFleet, type PageService, startPageService } from '../helpers/pageService.ts';

if (!CHROMIUM) console.warn('No Chromium is installed, so nobody looked at the page: apt-get install chromium');

describe.skipIf(!CHROMIUM)('the page', { timeout: 240_000 }, () => {
  let browser: Chromium;
  let service: PageService;
  beforeAll(async () => {
    browser = await openChromium();
    service = await startPageService();
    await addSmallFleet(service);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });

  test('shows each view without anything that axe calls serious, dark and light, wide and narrow', async () => {
    const { body } = await service.call('GET', '/api/v1/dex/alerts');
    const alert = body.alerts.find(({ alert_name }: { alert_name: string }) => alert_name === 'DiskFull').id;
    const views: [string, string | RegExp][] = [
      ['/', 'Fleet'],
      ['/machines/alice-laptop', 'alice-laptop'],
      ['/alerts', 'Alerts'],
      [`/alerts/${alert}`, 'DiskFull'],
      ['/incidents', 'Incidents'],
      ['/approvals', 'Approvals'],
      ['/kpis', 'KPIs'],
      ['/feedback', 'Feedback'],
      ['/runbooks', 'Runbooks'],
      ['/runbooks/disk_full_linux', /Disk/],
      ['/add', 'Add machines'],
      ['/add?way=enrol', 'Add machines'],
      ['/add?way=list', 'Add machines'],
      ['/settings', 'Settings'],
    ];
    const page = await openPage(browser, service.url, service.keys.admin);
    for (const [path, heading] of views) {
      await show(page, path, heading);
      for (const [colorScheme, width] of [
        ['light', 1280],
        ['dark', 380],
      ] as const) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 850 });
        await expect.poll(() => page.locator('[aria-busy]').count(), WAIT).toBe(0);
        const rules = colorScheme === 'light' ? undefined : LOOK_RULES;
        expect(await serious(page, rules), `${path} ${colorScheme}`).toEqual([]);
        const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
        expect(overflow, `${path} is wider than ${width} px`).toBeLessThanOrEqual(0);
      }
    }
    await page.close();
    expect(problems.splice(0)).toEqual([]);
  });
});
