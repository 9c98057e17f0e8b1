/** Strangers of shared channels and guests: whatever way their request comes, nothing of the fleet leaves and nothing is done. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { machines, WELL } from '../../helpers/machines.ts';
import { startTestService, type TestService } from '../../helpers/service.ts';
import {
  BOT_TOKEN,
  httpTransport,
  SIGNING_SECRET,
  startSlack,
  type TestSlack,
  type Transport,
} from '../../helpers/slack.ts';
import { buttons, shown } from '../../helpers/slackReading.ts';

const HOME = 'T000000001';
const PARTNER = 'T0PARTNER';
const STRANGER = 'T0STRANGER';
const ONLY_MEMBERS = /I answer full members of .* only/;

let slack: TestSlack;
let service: TestService;
let send: Transport;
/** Facts of the profile of whoever is looked up next. */
let profiles: Record<string, object> = {};

beforeAll(async () => {
  slack = await startSlack();
  slack.overrides.set('users.info', ({ user }) => {
    const facts = profiles[user];
    if (!facts) return undefined;
    return 'error' in facts
      ? { json: { ok: false, ...facts } }
      : { json: { ok: true, user: { id: user, real_name: user, profile: {}, team_id: HOME, ...facts } } };
  });
  service = await startTestService(
    {
      SLACK_BOT_TOKEN: BOT_TOKEN,
      SLACK_API_URL: slack.apiUrl,
      SLACK_SIGNING_SECRET: SIGNING_SECRET,
      SLACK_OPERATORS: `${slack.users.otto},U0GUEST`,
      SLACK_WORKSPACES: PARTNER,
      SLACK_VIEWERS: 'U0PARTNER',
    },
    { collector: machines(new Map([['web-01', WELL]])) },
  );
  send = httpTransport(service.url);
  await service.call('POST', '/api/v1/dex/endpoints', { hostname: 'web-01', ip_address: '10.0.0.1' });
  const { body } = await service.call('POST', '/api/v1/dex/endpoints/web-01/scan');
  await service.finished(body.run_id);
});

afterAll(async () => {
  await service.stop();
  await slack.close();
});

beforeEach(() => {
  slack.calls.length = 0;
  slack.responses.length = 0;
  profiles = {};
});

const posts = () => slack.calls.filter(({ method }) => method === 'chat.postMessage');
const mention = (user: string, channel: string, facts: object) =>
  slack.write(send, 'alice', 'app_mention', '<@UBOT> score web-01', { user, channel, ...facts });
/** Long enough for an answer that must not come. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 300));

it('a mention by another company is told once in its channel, and never answered', async () => {
  const channel = slack.channels.alerts as string;
  const theirs = { user_team: STRANGER, team: STRANGER, source_team: STRANGER };
  await mention('U0STRANGE', channel, theirs);
  const post = await slack.until(() => posts()[0]);
  expect(post.body.channel).toBe(channel);
  expect(shown(post.body)).toMatch(ONLY_MEMBERS);
  await mention('U0STRANGE', channel, theirs);
  await mention('U0STRANGE2', channel, { user_team: STRANGER });
  await settled();
  expect(posts()).toHaveLength(1);
  expect(JSON.stringify(slack.calls)).not.toContain('of 100');
});

it('a member in the same shared channel is answered', async () => {
  await slack.write(send, 'alice', 'app_mention', '<@UBOT> score web-01', { user_team: HOME, team: HOME });
  const post = await slack.until(() => posts()[0]);
  expect(shown(post.body)).not.toMatch(ONLY_MEMBERS);
});

it.each([
  ['a stranger', { is_stranger: true }],
  ['a guest', { is_restricted: true }],
  ['a guest of one channel', { is_ultra_restricted: true }],
  ['who has left', { deleted: true }],
  ['a member of another workspace', { team_id: STRANGER }],
  ['a colleague of another workspace of the organisation', { team_id: STRANGER, enterprise_user: { teams: ['T0X'] } }],
])('a command of %s is refused, whatever the payload says', async (_who, facts) => {
  const user = `U0${randomUUID().slice(0, 6).toUpperCase()}`;
  profiles[user] = facts;
  const { json } = await sendAs(user, 'score web-01');
  expect(json.response_type).toBe('ephemeral');
  expect(shown(json)).toMatch(ONLY_MEMBERS);
  expect(slack.responses).toEqual([]);
});

it('who cannot be looked up is not served', async () => {
  profiles.U0NOBODY = { error: 'user_not_found' };
  const { json } = await sendAs('U0NOBODY', 'score web-01');
  expect(shown(json)).toContain('could not check in Slack whether you are a member');
});

it('members of an allowed workspace are served', async () => {
  profiles.U0PARTNER = { team_id: PARTNER };
  const { json } = await sendAs('U0PARTNER', 'score web-01', PARTNER);
  expect(json ?? {}).toEqual({});
  expect(shown(await slack.until(() => slack.responses[0]))).toContain('web-01:');
});

it('a click, a form, a shortcut and a message by a guest do nothing, though an operator list names them', async () => {
  profiles.U0GUEST = { is_restricted: true };
  const who = { type: 'x', team: { id: HOME }, user: { id: 'U0GUEST', name: 'guest', team_id: HOME }, token: 'legacy' };
  const response_url = `${slack.apiUrl.replace('/api/', '')}/respond/1`;
  const value = JSON.stringify({ tool: 'scan_endpoint', input: { hostname: 'web-01' } });
  const clicked = await send('interactive', {
    ...who,
    type: 'block_actions',
    trigger_id: 'guest.1',
    container: { type: 'message', message_ts: '9.1', channel_id: 'C1' },
    channel: { id: 'C1', name: 'alerts' },
    response_url,
    actions: [{ type: 'button', action_id: 'run:x', block_id: 'b', value, action_ts: '1' }],
  });
  expect(clicked.status).toBe(200);
  expect(shown(await slack.until(() => slack.responses[0]))).toMatch(ONLY_MEMBERS);
  const view = { id: 'V1', type: 'modal', callback_id: 'tool_form', private_metadata: 'register_endpoint' };
  const values = { hostname: { value: { type: 'plain_text_input', value: 'guests' } } };
  const form = { ...who, type: 'view_submission', trigger_id: 'guest.2', view: { ...view, state: { values } } };
  expect(shown((await send('interactive', form)).json.view)).toMatch(ONLY_MEMBERS);
  const shortcut = { ...who, type: 'shortcut', callback_id: 'any', trigger_id: 'guest.3', action_ts: '1' };
  expect((await send('interactive', shortcut)).status).toBe(200);
  await slack.write(send, 'alice', 'message', 'why is web-01 slow?', { user: 'U0GUEST', channel: 'D0GUEST' });
  await slack.until(() => posts()[0]);
  expect(posts().every(({ body }) => ONLY_MEMBERS.test(shown(body)))).toBe(true);
  expect((await service.call('GET', '/api/v1/dex/endpoints')).body.total).toBe(1);
});

it('another bot is not a person', async () => {
  await slack.write(send, 'alice', 'app_mention', '<@UBOT> score web-01', { bot_id: 'B0OTHER' });
  await settled();
  expect(posts()).toEqual([]);
});

it('deregistering asks first, by a button that asks once more', async () => {
  const { json } = await slack.command(send, 'otto', 'deregister web-01');
  expect(shown(json)).toContain('Nothing is done yet');
  expect((await service.call('GET', '/api/v1/dex/endpoints')).body.total).toBe(1);
  const [certain] = buttons(json);
  expect(certain.confirm.text.text).toContain('web-01');
  await slack.click(send, 'otto', {
    actionId: certain.action_id,
    value: certain.value,
    message: { channel: 'C1', ts: '5.1' },
  });
  expect(shown(await slack.until(() => slack.responses[0]))).toContain('no longer watched');
});

function sendAs(user: string, text: string, team = HOME) {
  return send('slash_commands', {
    command: '/dex',
    text,
    team_id: team,
    channel_id: 'C1',
    user_id: user,
    user_name: user,
    response_url: `${slack.apiUrl.replace('/api/', '')}/respond/2`,
    trigger_id: randomUUID(),
  });
}
