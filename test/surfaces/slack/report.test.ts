/** The weekly report in the channel: one message with one picture, what got better by whom, what waits for whom. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { jobActor } from '../../../src/core/actor.ts';
import { testClock } from '../../helpers/clock.ts';
import { machines, WELL } from '../../helpers/machines.ts';
import type { TestService } from '../../helpers/service.ts';
import type { TestSlack, Transport } from '../../helpers/slack.ts';
import { buttonOf, shown } from '../../helpers/slackReading.ts';
import { knowPeople, startSlackService } from '../../helpers/slackService.ts';

const DAY_MS = 86_400_000;
const clock = testClock(new Date('2026-03-02T09:00:00Z'));
let slack: TestSlack;
let service: TestService;
let send: Transport;
let stop: () => Promise<void>;

beforeAll(async () => {
  ({ slack, service, send, stop } = await startSlackService({
    prepare: knowPeople,
    env: ({ channels }) => ({ SLACK_ALERT_CHANNEL: channels.alerts!, WEBHOOK_REQUIRE_AUTH: 'false' }),
    overrides: {
      clock,
      healing: null,
      collector: machines(
        new Map([
          ['db-01', WELL],
          ['alice-laptop', { ...WELL, diskPct: 85 }],
        ]),
      ),
    },
  }));
  await service.call('POST', '/api/v1/dex/endpoints', { hostname: 'db-01' });
  const { body } = await service.call('POST', '/api/v1/dex/fleet/scan');
  await service.finished(body.run_id);
}, 60_000);
afterAll(() => stop(), 30_000);

async function fire(alertname: string): Promise<number> {
  const labels = { alertname, hostname: 'db-01' };
  const startsAt = clock.now().toISOString();
  const sent = { status: 'firing', alerts: [{ status: 'firing', labels, startsAt }] };
  expect((await service.call('POST', '/api/v1/webhooks/alertmanager', sent)).status).toBe(200);
  return (await service.call('GET', `/api/v1/dex/alerts?name=${alertname}`)).body.alerts[0].id;
}
const otto = () => ({
  id: `slack:${slack.users.otto}`,
  name: 'Otto',
  kind: 'human' as const,
  via: 'slack' as const,
  role: 'operator' as const,
});
const report = () =>
  slack.until(() => slack.calls.find(({ method, body }) => method === 'chat.postMessage' && /beside/.test(body.text)));

it('posts once a day: figures beside those before, one picture, and names instead of ids', async () => {
  for (const name of ['Old1', 'Old2'])
    await service.app.invoke('resolve_alert', { alert_id: await fire(name) }, otto());
  clock.advance(8 * DAY_MS);
  await service.app.invoke('resolve_alert', { alert_id: await fire('Odd') }, otto());
  await service.app.invoke('acknowledge_alert', { alert_id: await fire('Late') }, otto());
  const post = () => service.app.invoke('post_report', {}, jobActor('dex_channel_report'));
  await Promise.all([post(), post()]);
  const { body, answer } = await report();
  expect(body.channel).toBe(slack.channels.alerts);
  expect(shown(body)).toMatch(/Alerts: 2 \(before: 2\).*Better: Old1 0 \(before: 1\), Old2 0 \(before: 1\)/s);
  expect(shown(body)).toMatch(/Resolved by: 1 \n?.*Waiting: 1 /s);
  const users = JSON.stringify(body.blocks).match(new RegExp(`"user_id":"${slack.users.otto}"`, 'g'));
  expect(users).toHaveLength(2);
  expect(body.blocks.filter(({ type }: any) => type === 'image')).toHaveLength(1);
  expect(shown(body)).not.toMatch(/slack:U|Noisy/);
  // What an agent writes about the same week stands below it.
  const note = { messenger: 'slack', kind: 'changed' as const, subject: 'agent:dex_report', idempotencyKey: 'n1' };
  await service.app.ports.store.outbox.add([{ ...note, payload: { note: 'A quiet week.' } }], clock.now());
  const below = await slack.until(() => slack.calls.find(({ body }) => body.text === 'A quiet week.'));
  expect(below.body.thread_ts).toBe(answer.ts);
  expect(slack.calls.filter(({ body }) => /beside/.test(body.text ?? ''))).toHaveLength(1);
});

it('is shown to operators who ask, and to nobody else', async () => {
  await slack.command(send, 'otto', 'weekly');
  expect(shown(await slack.until(() => slack.responses[0]))).toContain('The last 7 days beside the 7 before');
  await slack.command(send, 'alice', 'weekly');
  expect(shown(await slack.until(() => slack.responses[1]))).toContain('needs the role');
});

it('owners who want it get a monthly one, in their working hours, and can end it by its button', async () => {
  const laptop = { hostname: 'alice-laptop', owner_email: 'alice@example.com' };
  await service.call('POST', '/api/v1/dex/endpoints', laptop);
  const scan = async () => {
    const { body } = await service.call('POST', '/api/v1/dex/endpoints/alice-laptop/scan');
    await service.finished(body.run_id);
  };
  await scan();
  clock.advance(31 * DAY_MS);
  await scan();
  await scan();
  const tend = async () => (await service.app.invoke('send_owner_reports', {}, jobActor('dex_owner_reports'))).output;
  expect(await tend()).toEqual({ sent: 0 });
  await slack.command(send, 'alice', 'monthly on');
  await slack.until(() => slack.responses.find((it) => /every month/.test(shown(it))));
  clock.advance(12 * 3_600_000); // night in London
  expect(await tend()).toEqual({ sent: 0 });
  clock.advance(60 * 3_600_000); // after the weekend
  expect((await Promise.all([tend(), tend()])).map(({ sent }) => sent).toSorted()).toEqual([0, 1]);
  const { body, answer } = await slack.until(() =>
    slack.calls.find(({ method, body }) => method === 'chat.postMessage' && body.channel === slack.users.alice),
  );
  expect(shown(body)).toMatch(
    /Your computer this month.*alice-laptop: \d+(\.\d)? of 100 on average \(the month before: \d+/s,
  );
  expect(body.blocks.filter(({ type }: any) => type === 'image')).toHaveLength(1);
  const { action_id: actionId, value } = buttonOf(body, 'replace:no_report');
  await slack.click(send, 'alice', { actionId, value, message: { channel: answer.channel, ts: answer.ts } });
  await slack.until(() =>
    slack.calls.find(({ method, body }) => method === 'chat.update' && /No more/.test(shown(body))),
  );
  clock.advance(31 * DAY_MS);
  expect(await tend()).toEqual({ sent: 0 });
});
