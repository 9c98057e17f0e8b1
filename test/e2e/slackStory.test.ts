/** One employee's story in Slack, from "why is my laptop slow?" to "fixed": every message in order, counted and printed. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PROJECT_DIR } from '../../src/projectDir.ts';
import { runningClock } from '../helpers/clock.ts';
import { FULL_DISK } from '../helpers/healingWorld.ts';
import { type Findings, machines, WELL } from '../helpers/machines.ts';
import { startTestService, type TestService } from '../helpers/service.ts';
import {
  type ApiCall,
  BOT_TOKEN,
  httpTransport,
  SIGNING_SECRET,
  startSlack,
  type TestSlack,
  type Transport,
} from '../helpers/slack.ts';
import { buttonOf, buttons, shown } from '../helpers/slackReading.ts';

/** A person reads this many words before they look away. */
const MOST_WORDS = 120;
/** Ids, variable names and times as machines write them. */
const MACHINE_TEXT = /[0-9A-HJKMNP-TV-Z]{26}|\b[A-Z]{3,}_[A-Z_]+\b|\d{4}-\d\d-\d\dT/;

const clock = runningClock(new Date('2026-03-02T10:00:00Z')); // a Monday
const findings = new Map<string, Findings>([['alice-laptop', FULL_DISK]]);
const configDir = mkdtempSync(join(tmpdir(), 'dexops-config-'));
let slack: TestSlack;
let service: TestService;
let send: Transport;
let beganAt: number;

interface Line {
  atMs: number;
  by: string;
  kind: 'writes' | 'clicks' | 'posts' | 'edits';
  text: string;
}
/** What Alice wrote and clicked; what she was shown is among the calls. */
const deeds: Line[] = [];
const seenAtMs = new Map<ApiCall, number>();

beforeAll(async () => {
  cpSync(join(PROJECT_DIR, 'config'), configDir, { recursive: true });
  slack = await startSlack();
  // A disk that no machine may clean without being asked, as on most laptops.
  slack.overrides.set('users.lookupByEmail', () => ({
    json: { ok: true, user: { id: slack.users.alice, tz: 'Europe/London' } },
  }));
  service = await startTestService(
    {
      SLACK_BOT_TOKEN: BOT_TOKEN,
      SLACK_SIGNING_SECRET: SIGNING_SECRET,
      SLACK_API_URL: slack.apiUrl,
      SLACK_OPERATORS: slack.users.otto ?? '',
      DEX_SELF_HEALING_ENABLED: 'true',
      DEX_HEALING_ALWAYS_ASKS: 'true',
      CONFIG_DIR: configDir,
    },
    {
      clock,
      collector: machines(findings),
      runner: {
        blockingReason: async () => null,
        async run(job) {
          if (!job.dryRun) findings.set(job.endpoint.hostname, WELL);
          return { ok: true, reason: null, tasks: [], stats: { files: 812, listed_bytes: 1_234_000_000 } };
        },
      },
    },
  );
  send = httpTransport(service.url);
  await service.call('POST', '/api/v1/dex/endpoints', { hostname: 'alice-laptop', owner_email: 'alice@example.com' });
  const { body } = await service.call('POST', '/api/v1/dex/endpoints/alice-laptop/scan');
  await service.finished(body.run_id);
}, 60_000);
afterAll(async () => {
  await service.stop();
  await slack.close();
  rmSync(configDir, { recursive: true });
});

const toAlice = () => {
  const calls = slack.calls.filter(({ method, answer }) => /^chat\.(postMessage|update)$/.test(method) && answer.ok);
  for (const call of calls) if (!seenAtMs.has(call)) seenAtMs.set(call, performance.now() - beganAt);
  return calls;
};
const shows = (text: RegExp) => slack.until(() => toAlice().findLast(({ body }) => text.test(shown(body))));
const click = async ({ body, answer }: ApiCall, label: string) => {
  const found = buttons(body).find(({ text }) => text?.text === label);
  deeds.push({ atMs: performance.now() - beganAt, by: 'Alice', kind: 'clicks', text: label });
  await slack.click(send, 'alice', {
    actionId: found?.action_id ?? label,
    value: buttonOf(body, found?.action_id).value,
    message: { channel: answer.channel, ts: answer.ts },
  });
};
const words = (text: string) => text.split(/\s+/).filter((word) => /\w/.test(word)).length;

test('from "why is my laptop slow?" to "fixed"', { timeout: 120_000 }, async () => {
  beganAt = performance.now();
  deeds.push({ atMs: 0, by: 'Alice', kind: 'writes', text: 'why is my laptop slow?' });
  await slack.write(send, 'alice', 'message', 'why is my laptop slow?');
  await shows(/alice-laptop/);
  await click(await shows(/What helps/), 'What can I do myself?');
  await click(await shows(/Your disk is nearly full/), 'Clean temporary files now');
  await click(await shows(/Did that fix it\?/), 'Yes');
  await shows(/Good to hear/);
  const { body } = await service.call('GET', '/api/v1/dex/owner-remedies');
  expect(body.remedies[0]).toMatchObject({ status: 'fixed', alert_name: 'DiskFull', hostname: 'alice-laptop' });
  const [alert] = (await service.call('GET', '/api/v1/dex/alerts?status=all&name=DiskFull')).body.alerts;
  expect(alert.status).toBe('resolved');

  const shownLines = toAlice().map(
    (call): Line => ({
      atMs: seenAtMs.get(call) ?? 0,
      by: 'DexOps',
      kind: call.method === 'chat.update' ? 'edits' : 'posts',
      text: shown(call.body),
    }),
  );
  const lines = [...deeds, ...shownLines].sort((a, b) => a.atMs - b.atMs);
  const posted = shownLines.filter(({ kind }) => kind === 'posts');
  const story = lines.map(({ atMs, by, kind, text }) => {
    const indented = text.replaceAll('\n', '\n        ');
    return `${(atMs / 1000).toFixed(1).padStart(5)} s ${by} ${kind} (${words(text)} words)\n        ${indented}`;
  });
  const seconds = (Math.max(...lines.map(({ atMs }) => atMs)) / 1000).toFixed(1);
  const read = words(shownLines.map(({ text }) => text).join(' '));
  process.stdout.write(
    `${story.join('\n')}\n${posted.length} messages, ${shownLines.length - posted.length} edits, ${deeds.length} deeds, ${seconds} s, ${read} words to read\n`,
  );
  expect(posted.length).toBeLessThanOrEqual(4);
  for (const { text } of shownLines) {
    expect(words(text), text).toBeLessThanOrEqual(MOST_WORDS);
    expect(text).not.toMatch(MACHINE_TEXT);
  }
});
