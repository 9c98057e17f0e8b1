/** What a person sees: an alert's life in a channel, as the local Slack shows it in a real browser. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { findBinary } from '../helpers/findBinary.ts';
import { machines, WELL } from '../helpers/machines.ts';
import { startTestService } from '../helpers/service.ts';
import { BOT_TOKEN, httpTransport, SIGNING_SECRET, startSlack } from '../helpers/slack.ts';

const run = promisify(execFile);
const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome', 'chrome'];

it('an alert from card to resolved, seen in a browser', async (ctx) => {
  const browser = findBinary(...BROWSERS);
  if (!browser) return ctx.skip(`none of ${BROWSERS.join(', ')} is on the PATH: apt-get install chromium`);
  const slack = await startSlack();
  const collector = machines(new Map([['alice-laptop', { ...WELL, diskPct: 99 }]]));
  const service = await startTestService(
    {
      SLACK_BOT_TOKEN: BOT_TOKEN,
      SLACK_SIGNING_SECRET: SIGNING_SECRET,
      SLACK_API_URL: slack.apiUrl,
      SLACK_ALERT_CHANNEL: slack.channels.alerts!,
      SLACK_OPERATORS: slack.users.otto!,
    },
    { collector },
  );
  const dir = await mkdtemp(join(tmpdir(), 'dexops-browser-'));
  try {
    const send = httpTransport(service.url);
    await service.call('POST', '/api/v1/dex/endpoints', { hostname: 'alice-laptop', owner_email: 'alice@example.com' });
    const scan = await service.call('POST', '/api/v1/dex/endpoints/alice-laptop/scan');
    await service.finished(scan.body.run_id);
    const { body } = await service.call('GET', '/api/v1/dex/alerts');
    expect(body.total).toBeGreaterThan(0);
    const cards = await slack.until(async () => {
      const { messages } = await slack.api('conversations.history', { channel: slack.channels.alerts });
      return messages.length === body.total ? messages : undefined;
    });
    for (const card of cards) {
      const resolve = card.blocks.at(-1).elements.find(({ action_id }: any) => action_id === 'alert_resolve');
      const message = { channel: slack.channels.alerts!, ts: card.ts };
      await slack.click(send, 'otto', { actionId: 'alert_resolve', value: resolve.value, message });
    }
    await slack.until(async () => {
      const { messages } = await slack.api('conversations.history', { channel: slack.channels.alerts });
      return messages.every(({ text }: any) => text.includes('resolved')) || undefined;
    });

    const shots = process.env.SCREENSHOT_DIR ?? dir;
    await mkdir(shots, { recursive: true });
    const picture = join(shots, 'slack.png');
    const common = ['--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${join(dir, 'profile')}`];
    await run(
      browser,
      [...common, '--window-size=1280,1600', `--screenshot=${picture}`, `${slack.inspectorUrl}/?tab=messages`],
      { timeout: 60_000 },
    );
    expect((await readFile(picture)).subarray(1, 4).toString()).toBe('PNG');
    const page = await run(browser, [...common, '--dump-dom', `${slack.inspectorUrl}/?tab=messages`], {
      timeout: 60_000,
    });
    expect(page.stdout).toContain('alice-laptop');
    expect(page.stdout).toContain('resolved');
  } finally {
    await service.stop();
    await slack.close();
    await rm(dir, { recursive: true, force: true });
  }
});
