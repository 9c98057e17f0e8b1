/** Alerts told in Slack, from the webhook to the channel, against a local Web API. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { notifyPeople } from '../../../src/core/outbox/messages.ts';
import type { TestService } from '../../helpers/service.ts';
import { BOT_TOKEN, type TestSlack, type Transport } from '../../helpers/slack.ts';
import { startSlackService } from '../../helpers/slackService.ts';

let slack: TestSlack;
let service: TestService;
let send: Transport;
let stop: () => Promise<void>;
const logged: { fields: Record<string, unknown>; message: string }[] = [];
const log = {
  debug: () => {},
  info: () => {},
  warn: (fields: object, message = '') => logged.push({ fields: { ...fields }, message }),
  error: (fields: object, message = '') => logged.push({ fields: { ...fields }, message }),
  child: () => log,
};

async function start(scopes?: string[]): Promise<void> {
  ({ slack, service, send, stop } = await startSlackService({
    scopes,
    env: ({ channels }) => ({ SLACK_ALERT_CHANNEL: channels.alerts!, WEBHOOK_SECRET: 'webhook-secret' }),
    overrides: { log, healing: null },
  }));
  for (const hostname of ['web-01', 'web-02'])
    await service.call('POST', '/api/v1/dex/endpoints', { hostname, collector: 'push' });
}

beforeEach(async () => {
  logged.length = 0;
  await start();
});
afterEach(async () => {
  await stop();
});

async function fire(
  hostname: string,
  alertname: string,
  status = 'firing',
  summary = 'Something is wrong',
): Promise<void> {
  const startsAt = '2026-03-02T09:00:00Z';
  const endsAt = status === 'firing' ? '0001-01-01T00:00:00Z' : new Date().toISOString();
  const labels = { alertname, hostname, severity: 'critical' };
  const alert = { status, labels, annotations: { summary }, startsAt, endsAt, fingerprint: `${hostname}${alertname}` };
  const answer = await service.call(
    'POST',
    '/api/v1/webhooks/alertmanager',
    { version: '4', status, alerts: [alert] },
    { Authorization: 'Bearer webhook-secret' },
  );
  expect(answer.status).toBe(200);
}

async function messages(): Promise<any[]> {
  return (await slack.api('conversations.history', { channel: slack.channels.alerts })).messages;
}
async function thread(ts: string): Promise<any[]> {
  return (await slack.api('conversations.replies', { channel: slack.channels.alerts, ts })).messages.slice(1);
}
const posted = () => slack.until(async () => (await messages()).find(({ blocks }) => blocks));
const reads = (message: any, words: string) => JSON.stringify(message).includes(words);
const openAlerts = async () => (await service.call('GET', '/api/v1/dex/alerts')).body.alerts;

describe('an alert in Slack', () => {
  it('is one message, edited as it moves, with its timeline in the thread', async () => {
    await fire('web-01', 'DiskWillFill');
    const card = await posted();
    expect(reads(card, 'DiskWillFill on web-01')).toBe(true);
    const [actions] = card.blocks.filter(({ type }: any) => type === 'actions');
    expect(actions.elements.map(({ action_id }: any) => action_id)).toEqual([
      'thread:acknowledge',
      'asked:resolve',
      'thread:rescan',
      'thread:runbook',
    ]);
    const [menu] = actions.elements;
    const four = menu.options.find(({ value }: any) => value.includes('"hours":4')).value;
    const at = { channel: slack.channels.alerts!, ts: card.ts };

    await slack.click(send, 'alice', { actionId: 'thread:acknowledge', selected: four, message: at });
    expect(JSON.stringify(await slack.until(() => slack.responses[0]))).toContain(`These can: <@${slack.users.otto}>`);
    expect((await openAlerts())[0].status).toBe('active');

    await slack.click(send, 'otto', { actionId: 'thread:acknowledge', selected: four, message: at });
    await slack.until(
      async () =>
        reads(
          (await messages()).find(({ ts }) => ts === card.ts),
          `acknowledged"},{"type":"text","text":" by "},{"type":"user","user_id":"${slack.users.otto}"`,
        ) || undefined,
    );
    const [reply] = await slack.until(async () => {
      const replies = await thread(card.ts);
      return replies.length > 0 ? replies : undefined;
    });
    expect(reads(reply, 'open → acknowledged (acknowledged for 4 h)')).toBe(true);
    expect(reads(reply, `{"type":"user","user_id":"${slack.users.otto}"}`)).toBe(true);

    const resolve = actions.elements.find(({ action_id }: any) => action_id === 'asked:resolve');
    await slack.click(send, 'alice', { actionId: 'asked:resolve', value: resolve.value, message: at });
    await slack.until(() => (slack.responses.length === 3 ? true : undefined));
    expect(slack.calls.filter(({ method }) => method === 'views.open')).toEqual([]);
    await slack.click(send, 'otto', { actionId: 'asked:resolve', value: resolve.value, message: at });
    const form = await slack.until(() => slack.calls.find(({ method }) => method === 'views.open'));
    const view = { ...form.body.view, id: form.answer.view.id };
    const done = await slack.submit(send, 'otto', view, { reason: 'The disk was replaced' });
    expect(reads(done.json, 'can be taken back for a minute')).toBe(true);
    expect(reads(done.json, 'run:undo')).toBe(true);
    await slack.until(
      async () =>
        reads(
          (await messages()).find(({ ts }) => ts === card.ts),
          'resolved: closed by a person',
        ) || undefined,
    );
    expect((await messages()).filter(({ thread_ts, ts }) => !thread_ts || thread_ts === ts)).toHaveLength(1);
    expect(await openAlerts()).toEqual([]);
    // Its whole timeline is one message, which is edited.
    await slack.until(async () => reads(await thread(card.ts), 'resolved: The disk was replaced') || undefined);
    expect(await thread(card.ts)).toHaveLength(1);

    slack.responses.length = 0;
    const day = menu.options.find(({ value }: any) => value.includes('"hours":24')).value;
    await slack.click(send, 'otto', { actionId: 'thread:acknowledge', selected: day, message: at });
    const late = await slack.until(() => slack.responses[0]);
    expect(reads(late, 'cannot be acknowledged: it is resolved')).toBe(true);
    expect(reads(late, 'closed by a person')).toBe(true);
    expect(reads(late, 'reopen_alert')).toBe(true);
  });

  it('until it clears is a choice, and a click twice changes nothing more', async () => {
    await fire('web-01', 'DiskWillFill');
    const card = await posted();
    const [menu] = card.blocks.find(({ type }: any) => type === 'actions').elements;
    const { value } = menu.options.find(({ text }: any) => text.text === 'Acknowledge until it clears');
    const click = {
      actionId: 'thread:acknowledge',
      selected: value,
      message: { channel: slack.channels.alerts!, ts: card.ts },
    };
    await Promise.all([slack.click(send, 'otto', click), slack.click(send, 'otto', click)]);
    await slack.until(async () => ((await openAlerts())[0].status === 'acknowledged' ? true : undefined));
    const [alert] = await openAlerts();
    expect(alert.acknowledged_until).toBeNull();
    const { body } = await service.call('GET', `/api/v1/dex/alerts/${alert.id}`);
    expect(body.timeline).toHaveLength(2);
  });

  it('folds a storm into one digest, whose alerts open from a menu and which counts what became of them', async () => {
    const alerts = Array.from({ length: 14 }, (_, i) => ({
      status: 'firing',
      labels: { alertname: `Storm${i}`, hostname: 'web-02', severity: i % 2 ? 'warning' : 'critical' },
      annotations: { summary: '<!channel> *all*' },
      startsAt: '2026-03-02T09:00:00Z',
      endsAt: '0001-01-01T00:00:00Z',
      fingerprint: `web-02Storm${i}`,
    }));
    const body = { version: '4', status: 'firing', alerts };
    await service.call('POST', '/api/v1/webhooks/alertmanager', body, { Authorization: 'Bearer webhook-secret' });
    const digest = await slack.until(async () =>
      (await messages()).find((message) => reads(message, '14 new alerts: 7 critical, 7 warning')),
    );
    const menu = digest.blocks.at(-1).elements[0];
    expect(menu.options).toHaveLength(14);
    const at = { channel: slack.channels.alerts!, ts: digest.ts };
    await slack.click(send, 'otto', { actionId: menu.action_id, selected: menu.options[0].value, message: at });
    const opened = await slack.until(() => slack.responses[0]);
    expect(reads(opened, 'run:acknowledge')).toBe(true);
    await fire('web-02', 'Storm3', 'resolved');
    const now = await slack.until(async () =>
      (await messages()).find((message) => reads(message, '1 of 14 alerts are resolved; open: 7 critical, 6 warning')),
    );
    expect(now.ts).toBe(digest.ts);
    expect(now.blocks.at(-1).elements[0].options).toHaveLength(13);
    expect(await thread(digest.ts)).toEqual([]);
    expect(await messages()).toHaveLength(1);
  });

  it('shows what others wrote as words: no mention, no link, no formatting', async () => {
    const mean = `<!channel> <@U1> *bold* <https://evil.example|click> ${'x'.repeat(10_000)}`;
    await fire('web-01', 'Mean', 'firing', mean);
    const card = await posted();
    expect(card.text).not.toMatch(/<[!@h]/);
    expect(card.blocks.every(({ type }: any) => ['header', 'rich_text', 'actions'].includes(type))).toBe(true);
    const kinds = card.blocks
      .flatMap(({ elements = [] }: any) => elements.flatMap((e: any) => e.elements ?? []))
      .map(({ type }: any) => type);
    expect(new Set(kinds)).toEqual(new Set(['text', 'date']));
    expect(JSON.stringify(card.blocks).length).toBeLessThan(5000);
  });

  it('posts anew when its message was deleted', async () => {
    await fire('web-01', 'DiskWillFill');
    const card = await posted();
    const bot = { authorization: `Bearer ${BOT_TOKEN}`, 'content-type': 'application/json' };
    const gone = { channel: slack.channels.alerts, ts: card.ts };
    await fetch(`${slack.inspectorUrl}/api/chat.delete`, { method: 'POST', headers: bot, body: JSON.stringify(gone) });
    await fire('web-01', 'DiskWillFill', 'resolved');
    const again = await slack.until(async () => (await messages()).find(({ ts, blocks }) => blocks && ts !== card.ts));
    expect(reads(again, 'resolved')).toBe(true);
    expect(JSON.stringify(logged)).toContain('The message was deleted.');
  });

  it('obeys Retry-After and loses nothing while Slack is down', async () => {
    let refusals = 0;
    slack.overrides.set('chat.postMessage', () => {
      refusals++;
      if (refusals === 1)
        return { status: 429, headers: { 'retry-after': '1' }, json: { ok: false, error: 'ratelimited' } };
      if (refusals === 2) return { status: 503, json: { ok: false, error: 'service_unavailable' } };
      return undefined;
    });
    const from = Date.now();
    await fire('web-01', 'DiskWillFill');
    await posted();
    expect(refusals).toBe(3);
    expect(Date.now() - from).toBeGreaterThan(1000);
  });

  it('moves what an archived channel refuses to the dead letters, and a person sends it again', async () => {
    const { ok } = await slack.api('conversations.archive', { channel: slack.channels.alerts });
    expect(ok).toBe(true);
    await fire('web-01', 'DiskWillFill');
    await slack.until(() => logged.find(({ fields }) => String(fields.reason).includes('The channel is archived')));
    await slack.api('conversations.unarchive', { channel: slack.channels.alerts });
    await fire('web-02', 'ServiceDown');
    expect(reads(await posted(), 'ServiceDown on web-02')).toBe(true);

    const { messages: dead, total } = (await service.call('GET', '/api/v1/outbox')).body;
    expect(total).toBe(1);
    expect(dead[0]).toMatchObject({ messenger: 'slack', reason: expect.stringContaining('The channel is archived') });
    const again = await service.call('POST', '/api/v1/outbox/resend', { message_id: dead[0].id });
    expect([again.status, again.body.queued]).toEqual([202, 1]);
    await slack.until(async () => (await messages()).find((message) => reads(message, 'DiskWillFill on web-01')));
    expect((await service.call('GET', '/api/v1/outbox')).body.total).toBe(0);
    expect((await service.call('POST', '/api/v1/outbox/resend', { message_id: dead[0].id })).status).toBe(404);
  });

  it('says as plain text what Slack does not take as blocks', async () => {
    slack.overrides.set('chat.postMessage', ({ blocks }) => {
      const some = typeof blocks === 'string' ? JSON.parse(blocks) : blocks;
      return some?.length > 0 ? { json: { ok: false, error: 'invalid_blocks' } } : undefined;
    });
    await fire('web-01', 'DiskWillFill');
    const said = await slack.until(async () => (await messages()).find((message) => reads(message, 'DiskWillFill')));
    expect(said.text).toContain('web-01');
  });

  it('a message that cannot be delivered, for whatever reason, does not keep others from their turn', async () => {
    slack.overrides.set('chat.postMessage', (body) =>
      reads(body, 'DiskWillFill') ? { json: { ok: false, error: 'something_new' } } : undefined,
    );
    await fire('web-01', 'DiskWillFill');
    await fire('web-02', 'ServiceDown');
    expect(reads(await posted(), 'ServiceDown on web-02')).toBe(true);
  });

  it('tells alerts although owners cannot be asked', async () => {
    slack.overrides.set('users.lookupByEmail', () => ({
      json: { ok: false, error: 'missing_scope', needed: 'users:read.email', provided: '' },
    }));
    await fire('web-01', 'DiskWillFill');
    await posted();
    const [{ id: alert_id, hostname }] = await openAlerts();
    const question = { remediation_id: 'R1', alert_id, hostname, owner_email: 'alice@example.com' };
    const { ports } = service.app;
    await notifyPeople(ports, ports.store, { what: 'fix_check', ...question });
    await fire('web-02', 'ServiceDown');
    await slack.until(async () => (await messages()).find((message) => reads(message, 'ServiceDown on web-02')));
    // A new alert goes before the question to the owner.
    await slack.until(() => (JSON.stringify(logged).includes('lacks the scope users:read.email') ? true : undefined));
  });

  it('names a missing scope with the fix', async () => {
    await stop();
    await start(['commands']);
    await fire('web-01', 'DiskWillFill');
    const line = await slack.until(() =>
      logged.find(({ fields }) => String(fields.problem).includes('lacks the scope')),
    );
    expect(line.fields.problem).toMatch(/lacks the scope chat:write: add it under "OAuth & Permissions"/);
  });
});
