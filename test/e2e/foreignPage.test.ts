/** What a page of another origin gets done on a keyless service through a real browser: nothing. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CHROMIUM, type Chromium, openChromium } from '../helpers/chromium.ts';
import { startHttpServer } from '../helpers/httpServer.ts';
import { machines } from '../helpers/machines.ts';
import { startTestService, type TestService } from '../helpers/service.ts';

if (!CHROMIUM)
  console.warn('No Chromium is installed, so no page of another origin was tried: apt-get install chromium');

describe.skipIf(!CHROMIUM)('a page of another origin', () => {
  let service: TestService;
  let browser: Chromium;
  let stranger: Awaited<ReturnType<typeof startHttpServer>>;
  let strangersPage: string;

  beforeAll(async () => {
    service = await startTestService({ API_KEY: '' }, { collector: machines(new Map()) });
    await service.call('POST', '/api/v1/dex/endpoints', { hostname: 'pc-1' });
    // The form and the script are what an attacker's page would hold.
    stranger = await startHttpServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end(`<!doctype html><title>Kittens</title>
        <form id="link" method="post" action="${service.url}/api/v1/dex/endpoints?hostname=by-form"></form>
        <form id="scan" method="post" action="${service.url}/api/v1/dex/endpoints/pc-1/scan"></form>
        <form id="text" method="post" enctype="text/plain" action="${service.url}/api/v1/dex/endpoints">
          <input name='{"hostname":"by-text","x":"' value='"}'></form>`);
    });
    strangersPage = `http://127.0.0.1:${stranger.port}/`;
    browser = await openChromium();
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await stranger?.stop();
    await service?.stop();
  });

  test.each(['link', 'scan', 'text'])('posts the form %s and is refused', async (form) => {
    const page = await browser.context.newPage();
    await page.goto(strangersPage);
    const [answer] = await Promise.all([
      page.waitForResponse((response) => response.url().startsWith(service.url)),
      page.evaluate(`document.getElementById('${form}').submit()`),
    ]);
    expect(answer.status()).toBe(403);
    expect(await page.textContent('body')).toContain('A page of another site');
    await page.close();
  });

  test.each([
    ['a simple request', { mode: 'no-cors' }],
    [
      'a simple request with text',
      { mode: 'no-cors', headers: { 'content-type': 'text/plain' }, body: '{"hostname":"by-fetch"}' },
    ],
    [
      'a request that asks beforehand',
      { headers: { 'content-type': 'application/json' }, body: '{"hostname":"by-fetch"}' },
    ],
    ['a beacon', null],
  ])('fetches by %s, and nothing is done', async (_, options) => {
    const page = await browser.context.newPage();
    await page.goto(strangersPage);
    const url = `${service.url}/api/v1/dex/endpoints${options && 'body' in options ? '' : '?hostname=by-fetch'}`;
    const script = options
      ? `fetch('${url}', ${JSON.stringify({ method: 'POST', ...options })}).then((r) => r.type, () => 'blocked')`
      : `navigator.sendBeacon('${url}', new Blob(['{"hostname":"by-beacon"}']))`;
    expect([true, 'opaque', 'blocked']).toContain(await page.evaluate(script));
    await page.close();
  });

  test('has changed nothing, and the page of the service itself still may', async () => {
    const { body } = await service.call('GET', '/api/v1/dex/endpoints');
    expect(body.endpoints.map(({ hostname }: { hostname: string }) => hostname)).toEqual(['pc-1']);
    expect((await service.call('GET', '/api/v1/runs')).body.total).toBe(0);
    const page = await browser.context.newPage();
    await page.goto(`${service.url}/docs`);
    const status = await page.evaluate(
      `fetch('/api/v1/dex/endpoints', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"hostname":"by-own-page"}' }).then((r) => r.status)`,
    );
    expect(status).toBe(201);
    await page.close();
  });
});
