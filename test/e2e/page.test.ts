/** The page in a real browser: every view and action, every role, an empty service, ten thousand machines, and a service that goes away and returns. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { CHROMIUM, type Chromium, openChromium } from '../helpers/chromium.ts';
import { freePort } from '../helpers/freePort.ts';
import { FULL_DISK } from '../helpers/healingWorld.ts';
import { openPage, problems, serious, show, signIn, WAIT } from '../helpers/pageBrowser.ts';
import { addSmallFleet, type PageService, startPageService } from '../helpers/pageService.ts';

if (!CHROMIUM) console.warn('No Chromium is installed, so the page was not tried: apt-get install chromium');

const FLEET_SIZE = 10_000;

describe.skipIf(!CHROMIUM)('the page', { timeout: 240_000 }, () => {
  let browser: Chromium;
  let service: PageService;
  beforeAll(async () => {
    browser = await openChromium();
    service = await startPageService();
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });
  afterEach(() => {
    expect(problems.splice(0)).toEqual([]);
  });

  test('asks for a key, refuses a wrong one in words, and keeps a right one over a reload', async () => {
    const page = await openPage(browser, service.url, null);
    await page.getByLabel('API key').fill('this-is-not-the-key');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('This API key is not known').waitFor(WAIT);
    expect(await serious(page)).toEqual([]);
    await signIn(page, service.keys.admin);
    await page.reload();
    await page.getByRole('navigation', { name: 'Views' }).waitFor(WAIT);
    expect(await page.evaluate('document.cookie')).toBe('');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('API key').waitFor(WAIT);
    await page.close();
  });

  test('of an empty service shows the first step, and each view says that there is nothing yet', async () => {
    const page = await openPage(browser, service.url, service.keys.operator);
    await page.getByRole('heading', { name: 'Welcome' }).waitFor(WAIT);
    for (const [path, text] of [
      ['/alerts', 'Nothing is open'],
      ['/incidents', 'No machine has two open alerts'],
      ['/approvals', 'Nothing waits for you'],
      ['/feedback', 'Too few answers to publish'],
      ['/kpis', 'Too few scans for a line'],
    ] as const) {
      await page.goto(service.url + path);
      await page.getByText(text).first().waitFor(WAIT);
    }
    await show(page, '/', 'Welcome');
    await page.getByRole('link', { name: 'Add a machine', exact: true }).click();
    await page.getByLabel('Name', { exact: true }).fill('eva-laptop');
    service.findings.set('eva-laptop', 'unreachable');
    await page.getByRole('button', { name: 'Test' }).click();
    await page.getByText('eva-laptop does not answer: no answer within 5 s').waitFor(WAIT);
    service.findings.delete('eva-laptop');
    await page.getByRole('button', { name: 'Test' }).click();
    await page.getByText('eva-laptop answers:').waitFor(WAIT);
    expect((await service.call('GET', '/api/v1/dex/endpoints')).body.total).toBe(0);
    await page.getByRole('button', { name: 'Save and scan' }).click();
    await page.getByRole('heading', { level: 1, name: 'eva-laptop' }).waitFor(WAIT);
    await page.getByRole('img', { name: /^Score \d+ of 100/ }).waitFor(WAIT);
    await page.close();
  });

  describe('with a fleet', () => {
    beforeAll(() => addSmallFleet(service), 60_000);

    test('says what stands out, and filters by what is clicked, with the filters in the address', async () => {
      const page = await openPage(browser, service.url, service.keys.viewer);
      await page
        .getByText(/machines? needs? attention|need attention/)
        .first()
        .waitFor(WAIT);
      await page.getByRole('link', { name: /^Not reachable/ }).click();
      await expect.poll(() => page.url(), WAIT).toContain('status=unreachable');
      const rows = page.getByRole('table', { name: 'Machines' }).getByRole('row');
      await expect.poll(() => rows.count(), WAIT).toBe(2);
      await page.reload();
      await page.getByRole('link', { name: 'dan-laptop' }).first().waitFor(WAIT);
      await page.getByRole('button', { name: 'Clear filters' }).click();
      await expect.poll(() => rows.count(), WAIT).toBe(6);
      await page.getByLabel('Search machines').fill('ALICE');
      await expect.poll(() => rows.count(), WAIT).toBe(2);
      await page.getByRole('button', { name: 'dept', exact: true }).click();
      await page.getByText('engineering').first().waitFor(WAIT);
      await page.close();
    });

    test('sorts by a click and is walked through by the keyboard', async () => {
      const page = await openPage(browser, service.url, service.keys.viewer);
      await page.getByRole('button', { name: 'Machine', exact: true }).click();
      const names = () => page.locator('[data-row] a').allTextContents();
      await expect.poll(names, WAIT).toEqual([...(await names())].toSorted());
      await page.getByRole('button', { name: /^Machine/ }).click();
      await expect.poll(async () => (await names())[0], WAIT).toBe('eva-laptop');
      await page.locator('[data-row="0"] a').focus();
      await page.keyboard.press('ArrowDown');
      await expect.poll(() => page.evaluate('document.activeElement.textContent'), WAIT).toBe('dan-laptop');
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { level: 1, name: 'dan-laptop' }).waitFor(WAIT);
      await page.getByText('It did not answer the last scan').waitFor(WAIT);
      await page.goBack();
      await page.getByRole('table', { name: 'Machines' }).waitFor(WAIT);
      await page.close();
    });

    test.each([
      ['viewer', false],
      ['operator', true],
      ['admin', true],
    ] as const)('offers a %s what the role may do, and nothing else', async (role, acts) => {
      const page = await openPage(browser, service.url, service.keys[role]);
      await show(page, '/machines/alice-laptop', 'alice-laptop');
      await page.getByRole('heading', { name: 'Signals' }).waitFor(WAIT);
      for (const name of ['Scan now', 'Change…', 'Remove…'])
        expect(await page.getByRole('button', { name }).count(), name).toBe(acts ? 1 : 0);
      await show(page, '/alerts', 'Alerts');
      await page.getByText('DiskFull').first().waitFor(WAIT);
      expect((await page.getByRole('button', { name: 'Resolve…' }).count()) > 0).toBe(acts);
      await show(page, '/approvals', 'Approvals');
      await page
        .getByText('Dry run')
        .first()
        .waitFor(acts ? WAIT : { timeout: 1000 })
        .catch(() => {});
      expect((await page.getByRole('button', { name: 'Approve…' }).count()) > 0).toBe(acts);
      await show(page, '/settings', 'Settings');
      await page.getByRole('heading', { name: 'Predictions' }).waitFor(WAIT);
      expect(await page.getByRole('heading', { name: 'API keys' }).count()).toBe(role === 'admin' ? 1 : 0);
      await page.close();
    });

    test('snoozes and resolves an alert, repairs after an approval, and denies with a reason', async () => {
      const page = await openPage(browser, service.url, service.keys.operator);
      await show(page, '/alerts?host=carla-laptop', 'Alerts');
      await page.getByLabel('Snooze HighCpu on carla-laptop').selectOption({ label: 'for 4 hours' });
      await page.getByText('HighCpu on carla-laptop is snoozed for 4 hours.').waitFor(WAIT);
      await page.locator('li', { hasText: 'HighCpu' }).getByRole('button', { name: 'Resolve…' }).click();
      await page.getByLabel(/^Reason/).fill('it was a build');
      await page.getByRole('button', { name: 'Resolve', exact: true }).click();
      await page.getByText('HighCpu on carla-laptop is resolved.').waitFor(WAIT);

      await show(page, '/approvals', 'Approvals');
      const card = page.locator('section', { hasText: 'alice-laptop' }).first();
      await card.getByRole('button', { name: 'Deny…' }).click();
      await page.getByLabel(/^Reason/).fill('not during the demo');
      await page.getByRole('button', { name: 'Deny', exact: true }).click();
      await page.getByText('It is denied.').waitFor(WAIT);
      await show(page, '/approvals?status=denied', 'Approvals');
      await page.getByText('(not during the demo)').waitFor(WAIT);

      service.findings.set('bruno-laptop', FULL_DISK);
      await service.scan('bruno-laptop');
      await show(page, '/approvals', 'Approvals');
      const second = page.locator('section', { hasText: 'bruno-laptop' }).first();
      await second.getByRole('button', { name: 'Approve…' }).click();
      await page.getByRole('button', { name: 'Approve', exact: true }).click();
      await page.getByText('It is approved.').waitFor(WAIT);
      await show(page, '/machines/bruno-laptop', 'bruno-laptop');
      // Live: nothing is reloaded until the repair is over.
      await page.locator('#repairs').locator('..').locator('..').getByText('Fixed').waitFor(WAIT);
      await page.close();
    });

    test('changes and removes a machine, and adds a list of them', async () => {
      const page = await openPage(browser, service.url, service.keys.operator);
      await show(page, '/machines/eva-laptop', 'eva-laptop');
      await page.getByRole('button', { name: 'Change…' }).click();
      await page.getByLabel("Owner's mail address").fill('eva@example.com');
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByText('eva@example.com').first().waitFor(WAIT);
      await page.getByRole('button', { name: 'Scan now' }).click();
      await page.getByText('eva-laptop was scanned.').waitFor(WAIT);
      await page.getByRole('button', { name: 'Remove…' }).click();
      await page.getByRole('button', { name: 'Stop watching' }).click();
      await page.getByRole('heading', { level: 1, name: 'Fleet' }).waitFor(WAIT);
      await show(page, '/add?way=list', 'Add machines');
      await page.getByLabel(/Paste it/).fill('hostname,persona\nfred-laptop,tech\nbad name!,tech');
      await page.getByRole('button', { name: 'Add 2 machines' }).click();
      await page.getByText('Added').waitFor(WAIT);
      await page
        .locator('li', { hasText: 'bad name!' })
        .getByText(/hostname/i)
        .waitFor(WAIT);
      await page.close();
    });

    test('makes an enrolment line, keys and a backup', async () => {
      const page = await openPage(browser, service.url, service.keys.admin);
      await show(page, '/add?way=enrol', 'Add machines');
      await page.getByRole('button', { name: 'Make the line' }).click();
      await page
        .getByText(/DEX_ENROLMENT_SECRET/)
        .first()
        .waitFor(WAIT);
      await page.getByRole('button', { name: 'Revoke' }).first().click();
      await page.getByText('No machine joins by it any more.').waitFor(WAIT);
      await show(page, '/settings', 'Settings');
      await page.getByLabel('Name of the key').fill('grafana');
      await page.getByRole('button', { name: 'Create' }).click();
      await page.getByText('Shown only now:').waitFor(WAIT);
      await page.locator('li', { hasText: 'grafana' }).getByRole('button', { name: 'Revoke…' }).click();
      await page.getByRole('button', { name: 'Revoke', exact: true }).click();
      await page.getByText('grafana is revoked.').waitFor(WAIT);
      await page.close();
    });
  });
});

describe.skipIf(!CHROMIUM)('the page of ten thousand machines', { timeout: 300_000 }, () => {
  let browser: Chromium;
  let service: PageService;
  beforeAll(async () => {
    browser = await openChromium();
    service = await startPageService();
    const { store, clock } = service.app.ports;
    await store.transaction(async (inner) => {
      for (let i = 0; i < FLEET_SIZE; i++) {
        const registration = {
          hostname: `host-${String(i).padStart(5, '0')}`,
          ipAddress: null,
          ownerEmail: `user${i}@example.com`,
          persona: 'general',
          criticalityTier: 2,
          osPlatform: 'linux',
          tags: { site: `site-${i % 20}` },
          collector: 'node_exporter',
          options: {},
        } as const;
        await inner.endpoints.register(registration, null, clock.now());
      }
    });
  }, 240_000);
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });

  test('draws the rows in sight alone, wherever one scrolls to', async () => {
    const page = await openPage(browser, service.url, service.keys.viewer);
    await page.getByText('10,000 in all').waitFor(WAIT);
    const body = page.locator('.table-body');
    for (const share of [0.5, 1, 0.2]) {
      await body.evaluate((element, to) => {
        element.scrollTop = element.scrollHeight * to;
      }, share);
      await expect
        .poll(() => page.locator('[data-row]').evaluateAll((rows) => rows.length > 8 && rows.length < 45), WAIT)
        .toBe(true);
    }
    await page.getByLabel('Search machines').fill('host-07777');
    await page.getByRole('link', { name: 'host-07777' }).waitFor(WAIT);
    await page.close();
  });
});

describe.skipIf(!CHROMIUM)('a service that goes away', { timeout: 240_000 }, () => {
  test('is said to be away, and shown again by itself when it returns', async () => {
    const browser = await openChromium();
    const PORT = String(await freePort());
    const env = { PORT, API_KEY: '' };
    let service = await startPageService({ ...env });
    try {
      const page = await openPage(browser, service.url, null);
      await page.getByText('Live', { exact: true }).waitFor(WAIT);
      await service.stop();
      await page.getByText('Connection lost').waitFor(WAIT);
      await delay(500);
      service = await startPageService({ ...env });
      await page.getByText('Live', { exact: true }).waitFor({ timeout: 40_000 });
      await service.call('POST', '/api/v1/dex/endpoints', { hostname: 'back-again' });
      await page.getByRole('link', { name: 'back-again' }).waitFor({ timeout: 40_000 });
      problems.length = 0;
      await page.close();
    } finally {
      await browser.close();
      await service.stop();
    }
  });
});
