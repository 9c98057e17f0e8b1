/** One conversation for a machine's problem: the messages from firing to fixed, counted, and who is reached meanwhile. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { jobActor } from '../../../src/core/actor.ts';
import { runningClock } from '../../helpers/clock.ts';
import { FULL_DISK, MAP } from '../../helpers/healingWorld.ts';
import { type Findings, machines, WELL } from '../../helpers/machines.ts';
import type { TestService } from '../../helpers/service.ts';
import type { TestSlack, Transport } from '../../helpers/slack.ts';
import { buttonOf, buttons, shown } from '../../helpers/slackReading.ts';
import { startSlackService } from '../../helpers/slackService.ts';

let slack: TestSlack;
let service: TestService;
let send: Transport;
let stop: () => Promise<void>;
const clock = runningClock(new Date());
const findings = new Map<string, Findings>();

beforeAll(async () => {
  ({ slack, service, send, stop } = await startSlackService({
    config: ({ users: { otto, nomail } }) => ({
      'dex_remediation_map.yaml': MAP,
      'escalation.yaml': `policies:
  - name: tier 1
    match: { tier: [1] }
    steps: [{ mention: [${otto}] }, { after: 10m, direct: [${nomail}] }]`,
    }),
    env: ({ users: { otto, nomail }, channels }) => ({
      SLACK_ALERT_CHANNEL: channels.alerts!,
      SLACK_OPERATORS: `${otto},${nomail}`,
      WEBHOOK_SECRET: 'webhook-secret',
      DEX_SELF_HEALING_ENABLED: 'true',
    }),
    overrides: {
      clock,
      collector: machines(findings),
      runner: {
        blockingReason: async () => null,
        async run({ endpoint, dryRun }) {
          const tasks = [{ name: 'Empty the cache', status: 'changed', message: '4 GB', durationMs: 1 } as const];
          if (!dryRun) findings.set(endpoint.hostname, WELL);
          return { ok: true, reason: null, tasks: dryRun ? tasks : [], stats: {} };
        },
      },
    },
  }));
}, 60_000);
afterAll(() => stop(), 30_000);
beforeEach(() => {
  slack.calls.length = 0;
  slack.responses.length = 0;
});

const posts = () => slack.calls.filter(({ method, answer }) => method === 'chat.postMessage' && answer.ok);
/** A message as it stands now, by any of its calls. */
const now = (ts: string) =>
  slack.calls.findLast(
    ({ method, body, answer }) => /^chat/.test(method) && answer.ok && (body.ts ?? answer.ts) === ts,
  );
const says = (ts: string, text: RegExp) =>
  slack.until(() => {
    const call = now(ts);
    return call && text.test(shown(call.body)) ? call.body : undefined;
  });
async function fullDisk(hostname: string, more: object): Promise<void> {
  await service.call('POST', '/api/v1/dex/endpoints', { hostname, ...more });
  findings.set(hostname, FULL_DISK);
  const { body } = await service.call('POST', `/api/v1/dex/endpoints/${hostname}/scan`);
  await service.finished(body.run_id);
}

it('from firing to fixed is a card, a timeline that asks, and the question to the owner: three messages', async () => {
  await fullDisk('db-01', { owner_email: 'alice@example.com' });
  const card = await slack.until(() => posts().find(({ body }) => shown(body).includes('DiskFull on db-01')));
  const { ts } = card.answer;
  // The low score that the full disk makes is a line of the same card, without buttons of its own.
  const whole = await says(ts, /DiskFull.*LowDexScore.*follows from the rest/s);
  const asked = await says(ts, /Waiting for approval: Run cleanup_disk on db-01/);
  expect(shown(asked)).toMatch(/alice@example\.com, tier 2/);
  expect(buttons(asked).filter(({ action_id }) => action_id === 'asked:resolve')).toHaveLength(1);
  expect(shown(whole)).not.toMatch(/[0-9A-HJKMNP-TV-Z]{26}|\d{4}-\d\d-\d\dT/);
  const timeline = await slack.until(() => posts().find(({ body }) => body.thread_ts === ts));
  expect(JSON.stringify(timeline.body)).toContain(`"user_id":"${slack.users.otto}"`);
  expect(shown(timeline.body)).toMatch(/Waiting for approval: Run cleanup_disk on db-01 for DiskFull/);

  const message = { channel: slack.channels.alerts!, ts };
  await slack.click(send, 'otto', { actionId: 'run:approve', value: buttonOf(asked, 'run:approve').value, message });
  const end = await says(ts, /All 2 alerts on db-01 are resolved/);
  expect(shown(end)).toMatch(/Approved/);
  expect(buttons(end)).toEqual([]);
  await says(timeline.answer.ts, /resolved/);
  const owner = await slack.until(() => posts().find(({ body }) => body.channel === slack.users.alice));
  expect(shown(owner.body)).toContain('Did that fix it?');
  expect(posts().map(({ body }) => [body.channel, body.thread_ts])).toEqual([
    [slack.channels.alerts, undefined],
    [slack.channels.alerts, ts],
    [slack.users.alice, undefined],
  ]);
}, 60_000);

it('who is reached stands on the card, is written to later, and no more once somebody answers', async () => {
  findings.set('db-02', WELL);
  await service.call('POST', '/api/v1/dex/endpoints', { hostname: 'db-02', criticality_tier: 1, collector: 'push' });
  const alert = { labels: { alertname: 'Strange', hostname: 'db-02', severity: 'warning' }, status: 'firing' };
  const delivery = {
    version: '4',
    status: 'firing',
    alerts: [{ ...alert, annotations: { summary: 'Odd' }, startsAt: clock.now().toISOString(), fingerprint: 'x' }],
  };
  await service.call('POST', '/api/v1/webhooks/alertmanager', delivery, { Authorization: 'Bearer webhook-secret' });
  const card = await slack.until(() => posts().find(({ body }) => shown(body).includes('Strange on db-02')));
  expect(shown(card.body)).toMatch(/Reached: .*Without an answer, next at/s);
  expect(JSON.stringify(card.body)).toContain(`"user_id":"${slack.users.otto}"`);
  clock.advance(11 * 60_000);
  await service.app.invoke('maintain_alerts', {}, jobActor('dex_maintain_alerts'));
  const direct = await slack.until(() => posts().find(({ body }) => body.channel === slack.users.nomail));
  expect(shown(direct.body)).toContain('Strange on db-02');
  // Otto was named on the card itself, so nothing else called him.
  expect(JSON.stringify(posts().filter(({ body }) => body.thread_ts === card.answer.ts))).not.toContain('"user_id"');
  const menu = buttonOf(direct.body, 'thread:acknowledge');
  const { channel, ts } = direct.answer;
  await slack.click(send, 'nomail', {
    actionId: 'thread:acknowledge',
    selected: menu.options[0].value,
    message: { channel, ts },
  });
  const answered = await says(card.answer.ts, /acknowledged by/);
  expect(shown(answered)).not.toContain('Reached:');
}, 60_000);

it('a dry run shows on the card what would change', async () => {
  await fullDisk('db-03', {});
  const card = await slack.until(() => posts().find(({ body }) => shown(body).includes('DiskFull on db-03')));
  const asked = await says(card.answer.ts, /Waiting for approval/);
  const message = { channel: slack.channels.alerts!, ts: card.answer.ts };
  const { value } = buttonOf(asked, 'thread:dry_run');
  await slack.click(send, 'otto', { actionId: 'thread:dry_run', value, message });
  await slack.until(() =>
    posts().find(({ body }) => body.thread_ts === card.answer.ts && /cleanup_disk/.test(shown(body))),
  );
  const [first] = (await service.call('GET', '/api/v1/dex/alerts?hostname=db-03&name=DiskFull')).body.alerts;
  await slack.until(async () => {
    const { body } = await service.call('GET', `/api/v1/dex/alerts/${first.id}`);
    return body.dry_run ?? undefined;
  });
  await service.call('POST', `/api/v1/dex/alerts/${first.id}/acknowledge`, { until: 'tomorrow 9:00' });
  const shows = await says(card.answer.ts, /would change Empty the cache: 4 GB/);
  expect(buttons(shows).some(({ action_id }) => action_id === 'thread:dry_run')).toBe(false);
}, 60_000);
