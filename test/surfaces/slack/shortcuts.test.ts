/** Ways in besides commands: shortcuts, the Home tab, and links that somebody posts. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { FULL_DISK } from '../../helpers/healingWorld.ts';
import { machines, WELL } from '../../helpers/machines.ts';
import type { TestService } from '../../helpers/service.ts';
import type { TestSlack, Transport } from '../../helpers/slack.ts';
import { shown } from '../../helpers/slackReading.ts';
import { startSlackService } from '../../helpers/slackService.ts';

const PAGE = 'https://dexops.example.com';
let slack: TestSlack;
let service: TestService;
let send: Transport;
let stop: () => Promise<void>;

beforeAll(async () => {
  ({ slack, service, send, stop } = await startSlackService({
    env: () => ({ PUBLIC_URL: PAGE }),
    overrides: {
      healing: null,
      collector: machines(
        new Map([
          ['alice-laptop', FULL_DISK],
          ['db-01', { ...WELL, diskPct: 97 }],
        ]),
      ),
    },
  }));
  for (const [hostname, owner_email] of [
    ['alice-laptop', 'alice@example.com'],
    ['db-01', null],
  ]) {
    await service.call('POST', '/api/v1/dex/endpoints', { hostname, owner_email });
    const { body } = await service.call('POST', `/api/v1/dex/endpoints/${hostname}/scan`);
    await service.finished(body.run_id);
  }
}, 60_000);
afterAll(() => stop(), 30_000);
beforeEach(() => {
  slack.calls.length = 0;
});

const called = (method: string) => slack.until(() => slack.calls.find((call) => call.method === method));
const openedForm = async () => {
  const { body, answer } = await called('views.open');
  return { ...body.view, id: answer.view.id };
};

it('"Report a problem" opens a form of one’s own machines: what, since when, how bad', async () => {
  await slack.shortcut(send, 'alice', 'my_computer_has_a_problem');
  const form = await openedForm();
  expect(form.blocks.map(({ block_id }: any) => block_id)).toEqual([
    'hostname',
    'comment',
    'since',
    'impact',
    'category',
  ]);
  expect(form.blocks[0].element.options.map(({ value }: any) => value)).toEqual(['alice-laptop']);
  await slack.shortcut(send, 'nomail', 'my_computer_has_a_problem');
  expect(shown((await called('chat.postMessage')).body)).toMatch(/None is registered in your name/);
});

it('"Create alert" makes a case of a message: for staff about any machine', async () => {
  await slack.shortcut(send, 'otto', 'create_alert', { text: 'The backup of <http://db-01|db-01> fails' });
  const form = await openedForm();
  expect(form.blocks[1].element.initial_value).toBe('The backup of db-01 fails');
  const values = { hostname: 'db-01', comment: 'The backup fails', impact: 'stopped', category: 'other' };
  const { json } = await slack.submit(send, 'otto', form, values);
  expect(shown(json.view)).toContain('IT has it');
  const { body } = await service.call('GET', '/api/v1/dex/alerts?name=ReportedProblem');
  expect(body.alerts[0]).toMatchObject({ hostname: 'db-01', severity: 'critical' });
});

it('"Ask DexOps about this" answers in direct messages', async () => {
  await slack.shortcut(send, 'otto', 'ask_about_message', { text: 'db-01 is slow today' });
  const { body } = await called('chat.postMessage');
  expect(body.channel).toBe(slack.users.otto);
  await slack.until(() =>
    slack.calls.find(({ method, body }) => method === 'chat.update' && /db-01/.test(shown(body))),
  );
});

it('a link to a machine or an alert is shown as a card, to who may read it and without buttons', async () => {
  const { body } = await service.call('GET', '/api/v1/dex/alerts?hostname=db-01');
  const { id } = body.alerts[0];
  const links = [`${PAGE}/machines/db-01?tab=1`, `${PAGE}/alerts/${id}`, `${PAGE}/fleet`, 'https://other.example.com/'];
  const shared = (user: string, urls: string[]) =>
    slack.event(send, {
      type: 'link_shared',
      user: slack.users[user],
      channel: slack.channels.alerts,
      message_ts: '1600.7',
      links: urls.map((url) => ({ url, domain: 'dexops.example.com' })),
    });
  slack.overrides.set('chat.unfurl', () => ({ json: { ok: true } }));
  await shared('otto', links);
  const call = await called('chat.unfurl');
  expect(call.body).toMatchObject({ channel: slack.channels.alerts, ts: '1600.7' });
  expect(Object.keys(call.body.unfurls)).toEqual(links.slice(0, 2));
  const [machine, alert] = Object.values<any>(call.body.unfurls);
  expect(shown(machine)).toContain('db-01');
  expect(shown(alert)).toContain(body.alerts[0].alert_name);
  expect(JSON.stringify(call.body.unfurls)).not.toContain('"actions"');
  slack.calls.length = 0;
  await shared('alice', links.slice(0, 1));
  await shared('alice', [`${PAGE}/machines/alice-laptop`]);
  const own = await called('chat.unfurl');
  expect(Object.keys(own.body.unfurls)).toEqual([`${PAGE}/machines/alice-laptop`]);
});

it('the Home tab begins with open alerts for operators, and says why to employees, with what helps', async () => {
  await slack.openHome(send, 'otto');
  const [first, lines] = (await called('views.publish')).body.view.blocks;
  expect(first.text.text).toBe('Open alerts');
  expect(shown({ blocks: [lines] })).toMatch(/\d+ open: \d+ critical.*#\d+ critical: /s);
  slack.calls.length = 0;
  await slack.openHome(send, 'alice');
  const home = shown((await called('views.publish')).body.view);
  expect(home).toMatch(/My machine.*alice-laptop.*What I see: .*What helps: /s);
  expect(home).not.toContain('Open alerts');
});
