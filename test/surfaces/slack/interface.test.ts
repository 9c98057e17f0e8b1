/** The Slack interface from outside: the same requests over HTTP and over Socket Mode, against a local Web API. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Findings, machines, WELL } from '../../helpers/machines.ts';
import { startTestService, type TestService } from '../../helpers/service.ts';
import {
  BOT_TOKEN,
  httpTransport,
  postSigned,
  SIGNING_SECRET,
  startSlack,
  type TestSlack,
  type Transport,
} from '../../helpers/slack.ts';
import { buttons, shown } from '../../helpers/slackReading.ts';
import { type SlackSocket, startSlackSocket } from '../../helpers/slackSocket.ts';

const findings = new Map<string, Findings>([
  ['alice-laptop', { ...WELL, diskPct: 97 }],
  ['gone-01', 'unreachable'],
]);

let slack: TestSlack;
let service: TestService;
let socket: SlackSocket | null;
let send: Transport;

async function start(mode: 'http' | 'socket'): Promise<void> {
  slack = await startSlack();
  socket = mode === 'socket' ? await startSlackSocket() : null;
  const url = socket?.url;
  if (url) slack.overrides.set('apps.connections.open', () => ({ json: { ok: true, url } }));
  slack.overrides.set('usergroups.users.list', ({ usergroup }) => ({
    json: usergroup === 'S0OPS' ? { ok: true, users: [slack.users.otto] } : { ok: false, error: 'no_such_subteam' },
  }));
  service = await startTestService(
    {
      SLACK_BOT_TOKEN: BOT_TOKEN,
      SLACK_API_URL: slack.apiUrl,
      SLACK_OPERATORS: 'S0OPS,S0MISSING',
      ...(socket ? { SLACK_APP_TOKEN: 'xapp-test' } : { SLACK_SIGNING_SECRET: SIGNING_SECRET }),
    },
    { collector: machines(findings) },
  );
  send = socket?.send ?? httpTransport(service.url);
  await socket?.connected;
  for (const [hostname, owner_email] of [
    ['alice-laptop', 'alice@example.com'],
    ['web-01', null],
    ['web-02', null],
    ['gone-01', null],
  ] as const) {
    const ip_address = `10.0.0.${hostname.length}`;
    await service.call('POST', '/api/v1/dex/endpoints', { hostname, owner_email, ip_address });
  }
  for (const hostname of ['alice-laptop', 'web-01', 'web-02']) {
    const { body } = await service.call('POST', `/api/v1/dex/endpoints/${hostname}/scan`);
    await service.finished(body.run_id);
  }
}

async function stop(): Promise<void> {
  await service.stop();
  await socket?.close();
  await slack.close();
}

/** The answer that follows an acknowledgement. */
const answer = (count = 1) => slack.until(() => slack.responses[count - 1]);
const said = (reply: unknown) => JSON.stringify(reply);

beforeEach(() => {
  if (!slack) return;
  slack.responses.length = 0;
  slack.calls.length = 0;
  slack.responseStatus = 200;
});

describe.each(['http', 'socket'] as const)('over %s', (mode) => {
  beforeAll(() => start(mode));
  afterAll(stop);

  it('acknowledges a command at once and answers its sender only, with bars, reasons and a picture', async () => {
    const again = await service.call('POST', '/api/v1/dex/endpoints/alice-laptop/scan');
    await service.finished(again.body.run_id);
    const ack = await slack.command(send, 'alice', 'score alice-laptop');
    expect(ack.status).toBe(200);
    expect(ack.json ?? {}).toEqual({});
    const reply = await answer();
    expect(reply.response_type).toBe('ephemeral');
    expect(shown(reply)).toMatch(/alice-laptop: \d+(\.\d+)? of 100/);
    expect(shown(reply)).toContain('█');
    expect(shown(reply)).toMatch(/−40 .*97/);
    const image = reply.blocks.find(({ type }: any) => type === 'image');
    expect(image.alt_text).toMatch(/DEX score of alice-laptop: now 59, .* over \d+ scans/);
    const upload = slack.calls.find(({ method }) => method === 'files.info');
    expect(upload?.answer.file).toMatchObject({ id: image.slack_file.id, mimetype: 'image/png' });
  });

  it('uploads the same picture once', async () => {
    await slack.command(send, 'otto', 'fleet');
    const first = await answer(1);
    const uploads = slack.calls.filter(({ method }) => method === 'files.completeUploadExternal').length;
    await slack.command(send, 'otto', 'fleet');
    const second = await answer(2);
    const image = (reply: any) => reply.blocks.find(({ type }: any) => type === 'image').slack_file.id;
    expect(image(second)).toBe(image(first));
    expect(slack.calls.filter(({ method }) => method === 'files.completeUploadExternal').length).toBe(uploads);
  });

  it('shares an answer in the channel by a button, which survives a restart because it carries the question', async () => {
    await slack.command(send, 'otto', 'score web-01');
    const share = buttons(await answer()).find(({ action_id }) => action_id === 'share');
    await slack.click(send, 'otto', { actionId: 'share', value: share.value, message: { channel: 'C1', ts: '1.1' } });
    const shared = await answer(2);
    expect(shared.response_type).toBe('in_channel');
    expect(shown(shared)).toContain('web-01');
    expect(buttons(shared).some(({ action_id }) => action_id === 'share')).toBe(false);
  });

  it('finds a machine by its owner and by its address', async () => {
    await slack.command(send, 'otto', `score <@${slack.users.alice}|alice>`);
    expect(shown(await answer(1))).toContain('alice-laptop:');
    await slack.command(send, 'otto', 'endpoint 10.0.0.12');
    expect(shown(await answer(2))).toContain('alice-laptop:');
    await slack.command(send, 'otto', 'score <http://web-01|web-01>');
    expect(shown(await answer(3))).toContain('web-01:');
    await slack.command(send, 'otto', `endpoints --owner-email <@${slack.users.alice}>`);
    expect(shown(await answer(4))).toContain('1 endpoint');
  });

  it('knows whose the asker’s machine is, however it is named', async () => {
    const own = ['score', 'score my laptop', 'score mine', 'score @alice', 'score alice', 'score alice-laptop'];
    const linked = ['score <mailto:alice@example.com|alice@example.com>', `score <@${slack.users.alice}>`];
    for (const [i, text] of [...own, ...linked].entries()) {
      await slack.command(send, 'alice', text);
      expect(shown(await answer(i + 1)), text).toMatch(/^alice-laptop: \d/);
    }
    slack.responses.length = 0;
    for (const [i, text] of ['score alice', 'score @alice', 'score alice@example.com'].entries()) {
      await slack.command(send, 'otto', text);
      expect(shown(await answer(i + 1)), text).toMatch(/^alice-laptop: \d/);
    }
    slack.responses.length = 0;
    await slack.command(send, 'otto', 'score');
    expect(shown(await answer())).toContain('No machine is registered in your name (otto@example.com)');
  });

  it('shows employees nothing of other people’s machines, and offers theirs', async () => {
    const asked = [
      'score web-01',
      'endpoint web-01',
      'alerts web-01',
      'history nowhere',
      `score <@${slack.users.otto}>`,
    ];
    for (const [i, text] of asked.entries()) {
      await slack.command(send, 'alice', text);
      const reply = await answer(i + 1);
      expect(shown(reply), text).toContain('only for your own machines');
      expect(said(reply), text).not.toContain('10.0.0');
    }
    slack.responses.length = 0;
    await slack.command(send, 'alice', 'alerts');
    expect(shown(await answer(1))).toContain('DiskFull on alice-laptop');
    await slack.command(send, 'alice', 'endpoints');
    expect(shown(await answer(2))).toContain('1 endpoint');
    await slack.command(send, 'alice', 'fleet');
    expect(shown(await answer(3))).toContain('needs the role viewer');
  });

  it('gives no false all-clear: words are understood in any place, and none says of how many', async () => {
    const asked: [string, RegExp][] = [
      [
        'alerts critical',
        /DiskFull on alice-laptop|No alert matches: severity critical. Open alerts without this filter: \d+, on \d+ machines/,
      ],
      ['alerts web-01 all', /No alert matches: status all, hostname web-01\. Open alerts without this filter: \d+/],
      ['alerts alice-latop', /No endpoint named alice-latop is registered.*Did you mean/s],
      ['endpoints executive', /No machine matches: persona executive\. Registered without this filter: \d+/],
      ['ack web-01', /web-01 has no open alert/],
    ];
    for (const [i, [text, expected]] of asked.entries()) {
      await slack.command(send, 'otto', text);
      expect(shown(await answer(i + 1)), text).toMatch(expected);
    }
    slack.responses.length = 0;
    await slack.command(send, 'otto', 'alert alice-laptop');
    expect(shown(await answer())).toMatch(/DiskFull on alice-laptop|Several match/);
  });

  it('says why a person leads to no machine', async () => {
    slack.overrides.set('users.info', () => ({
      json: { ok: true, user: { real_name: 'Zoe', profile: { email: 'zoe@example.com' } } },
    }));
    await slack.command(send, 'otto', 'score <@U0ZOE>');
    expect(shown(await answer(1))).toContain('No machine is registered for zoe@example.com');
    await slack.command(send, 'otto', 'score 10.9.9.9');
    expect(shown(await answer(2))).toContain('No machine is registered with the address 10.9.9.9');
    await slack.command(send, 'otto', 'score @zoe');
    expect(shown(await answer(3))).toContain('Pick the person from the list');
    slack.overrides.set('users.info', () => ({ json: { ok: true, user: { real_name: 'Nora', profile: {} } } }));
    await slack.command(send, 'otto', `score <@${slack.users.nomail}>`);
    expect(shown(await answer(4))).toContain('Nora has no mail address');
    slack.overrides.delete('users.info');
  });

  it('edits the first message of a scan when the run ends', async () => {
    await slack.command(send, 'otto', 'scan web-01');
    const posted = await slack.until(() => slack.calls.find(({ method }) => method === 'chat.postMessage'));
    expect(posted.body.channel).toBe(slack.users.otto);
    expect(posted.body.text).toMatch(/^Scanning web-01/);
    const edited = await slack.until(() => slack.calls.find(({ method }) => method === 'chat.update'));
    expect(edited.answer).toMatchObject({ ok: true, ts: posted.answer.ts });
    expect(shown(edited.body)).toContain('web-01: 100 of 100');
    const { messages } = await slack.api('conversations.history', { channel: posted.answer.channel });
    expect(messages.filter(({ ts }: any) => ts === posted.answer.ts)).toHaveLength(1);
  });

  it('says that a machine could not be reached', async () => {
    await slack.command(send, 'otto', 'scan gone-01');
    const edited = await slack.until(() => slack.calls.find(({ method }) => method === 'chat.update'));
    expect(shown(edited.body)).toContain('gone-01 could not be reached: no answer within 5 s');
  });

  it('lets operators of a user group write, and tells others who can', async () => {
    await slack.command(send, 'alice', 'scan web-01');
    const offered = await answer();
    expect(shown(offered)).toContain('only for your own machines. Yours:');
    expect(buttons(offered).map(({ text }) => text.text)).toEqual(['alice-laptop']);
    await slack.command(send, 'alice', 'scan-all');
    const refusal = await answer(2);
    expect(shown(refusal)).toContain('needs the role operator');
    expect(said(refusal)).toContain('These can: <!subteam^S0OPS>');
    expect(slack.calls.some(({ method }) => method === 'chat.postMessage')).toBe(false);
  });

  it('answers slips of the keyboard in the acknowledgement', async () => {
    const { json } = await slack.command(send, 'otto', 'scroe web-01');
    expect(json.response_type).toBe('ephemeral');
    expect(shown(json)).toContain('I do not know "scroe". Did you mean /dex score?');
    const [meant] = buttons(json);
    await slack.click(send, 'otto', {
      actionId: meant.action_id,
      value: meant.value,
      message: { channel: 'C1', ts: '2.1' },
    });
    expect(shown(await answer())).toContain('web-01:');
    const forgot = await slack.command(send, 'otto', 'alert');
    expect(shown(forgot.json)).toContain('alert needs an alert number.\nFor example: /dex alert 42');
    const help = await slack.command(send, 'alice', '');
    expect(shown(help.json)).toContain('/dex score  Show a score');
    expect(shown(help.json).split('/dex ').length - 1).toBeLessThanOrEqual(8);
    const staffHelp = shown((await slack.command(send, 'otto', 'help')).json);
    expect(staffHelp).toContain('/dex score dev-machine-01');
    expect(staffHelp).toContain('/dex approvals');
    expect(shown((await slack.command(send, 'otto', 'help healing')).json)).toContain('/dex decide');
    expect(shown((await slack.command(send, 'alice', 'help all')).json)).not.toContain('/dex register');
    expect(shown((await slack.command(send, 'alice', 'help history')).json)).toContain('--limit');
  });

  it('suggests the machine that was probably meant', async () => {
    await slack.command(send, 'otto', 'score web-o1');
    const reply = await answer();
    expect(shown(reply)).toContain('Did you mean');
    expect(buttons(reply).map(({ text }) => text.text)).toEqual(['web-01', 'web-02']);
  });

  it('opens a form for register, with complaints at the fields', async () => {
    await slack.command(send, 'otto', 'register');
    const opened = await slack.until(() => slack.calls.find(({ method }) => method === 'views.open'));
    expect(opened.answer.ok).toBe(true);
    const view = { ...opened.body.view, id: opened.answer.view.id };
    const bad = await slack.submit(send, 'otto', view, {
      hostname: 'bad_name!',
      ip_address: '169.254.169.254',
      owner_email: 'x',
    });
    expect(bad.json.response_action).toBe('errors');
    expect(Object.keys(bad.json.errors).toSorted()).toEqual(['hostname', 'ip_address', 'owner_email']);
    const taken = await slack.submit(send, 'otto', view, { hostname: 'web-01' });
    expect(taken.json.errors.hostname).toContain('web-01');
    const filled = { hostname: `new-${mode}`, collector: 'push', tags: 'team=web,site=berlin', 'options.port': '9100' };
    const good = await slack.submit(send, 'otto', view, filled);
    expect(good.json.response_action).toBe('update');
    expect(shown(good.json.view)).toContain('dex_');
    const { body } = await service.call('GET', `/api/v1/dex/endpoints/new-${mode}`);
    expect(body.endpoint).toMatchObject({
      tags: { team: 'web', site: 'berlin' },
      options: { port: 9100 },
      collector: 'push',
    });
    const refused = await slack.submit(send, 'alice', { ...view, id: 'V2' }, { hostname: 'alices' });
    expect(shown(refused.json.view)).toContain('needs the role operator');
  });

  it('acts once on repeats and double clicks', async () => {
    const click = {
      actionId: 'run:rescan',
      value: JSON.stringify({ tool: 'scan_endpoint', input: { hostname: 'web-02' } }),
      message: { channel: 'C1', ts: '3.1' },
    };
    await Promise.all([slack.click(send, 'otto', click), slack.click(send, 'otto', click)]);
    await slack.until(() => slack.calls.find(({ method }) => method === 'chat.update'));
    expect(slack.calls.filter(({ method }) => method === 'chat.postMessage')).toHaveLength(1);
    slack.calls.length = 0;
    await slack.openHome(send, 'alice', `event-${mode}`);
    await slack.openHome(send, 'alice', `event-${mode}`);
    await slack.until(() => slack.calls.find(({ method }) => method === 'views.publish'));
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(slack.calls.filter(({ method }) => method === 'views.publish')).toHaveLength(1);
  });

  it('answers buttons it does not know, and values that make no sense', async () => {
    const message = { channel: 'C1', ts: '4.1' };
    await slack.click(send, 'alice', { actionId: 'no_such_button', message });
    expect(shown(await answer(1))).toContain('another version');
    await slack.click(send, 'otto', { actionId: 'run:1', value: '{"tool":', message });
    expect(shown(await answer(2))).toContain('carries nothing that I understand');
    await slack.click(send, 'otto', { actionId: 'run:2', value: '{"tool":"drop_tables","input":{}}', message });
    expect(shown(await answer(3))).toContain('There is no tool named drop_tables');
    await slack.click(send, 'otto', {
      actionId: 'share',
      value: '{"tool":"scan_fleet","input":{}}',
      message,
    });
    expect(shown(await answer(4))).toContain('Only answers to questions can be shared');
  });

  it('shows an employee their machines in plain words, and staff the fleet', async () => {
    await slack.openHome(send, 'alice');
    const home = await slack.until(() => slack.calls.find(({ method }) => method === 'views.publish'));
    expect(home.answer.ok).toBe(true);
    expect(shown(home.body.view)).toMatch(
      /alice-laptop could work better|alice-laptop has serious problems|alice-laptop works well/,
    );
    expect(shown(home.body.view)).not.toContain('Fleet');
    for (let twice = 0; twice < 2; twice++) {
      const { body } = await service.call('POST', '/api/v1/dex/fleet/scan');
      await service.finished(body.run_id);
    }
    slack.calls.length = 0;
    await slack.openHome(send, 'otto');
    const staff = await slack.until(() => slack.calls.find(({ method }) => method === 'views.publish'));
    expect(shown(staff.body.view)).toContain('No machine is registered in your name');
    expect(shown(staff.body.view)).toMatch(/Fleet.*endpoints, average score/s);
    const picture = staff.body.view.blocks.find(({ type }: any) => type === 'image');
    expect(picture.alt_text).toMatch(/^The fleet's average score went from/);
  });

  it('asks for the details of what writes when nothing else was typed', async () => {
    await slack.command(send, 'otto', 'survey');
    const opened = await slack.until(() => slack.calls.find(({ method }) => method === 'views.open'));
    const form = { ...opened.body.view, id: 'V20' };
    expect(form.blocks.map(({ block_id }: any) => block_id)).toEqual(['question', 'days', 'share_pct']);
    const wrong = await slack.submit(send, 'otto', form, { days: '99', share_pct: 'all' });
    expect(Object.keys(wrong.json.errors).sort()).toEqual(['days', 'share_pct']);
    const { body } = await service.call('GET', '/api/v1/dex/surveys');
    expect(body.total).toBe(0);
  });

  it('opens the report form with the machines of the one who clicks', async () => {
    await slack.click(send, 'alice', {
      actionId: 'form:report_problem',
      value: JSON.stringify({ tool: 'report_problem', input: {} }),
    });
    const opened = await slack.until(() => slack.calls.find(({ method }) => method === 'views.open'));
    const [machine] = opened.body.view.blocks;
    expect(machine.element.options.map(({ value }: any) => value)).toEqual(['alice-laptop']);
    const other = await slack.submit(
      send,
      'alice',
      { ...opened.body.view, id: 'V9' },
      { hostname: 'web-01', category: 'other' },
    );
    expect(shown(other.json.view)).toContain('only for your own machines. Yours:');
    const own = { hostname: 'alice-laptop', category: 'performance', comment: 'It takes minutes to start.' };
    const taken = await slack.submit(send, 'alice', { ...opened.body.view, id: 'V10' }, own);
    expect(shown(taken.json.view)).toContain('IT has it with what I found. alice-laptop is being scanned now.');
    const { body } = await service.call('GET', '/api/v1/dex/feedback/summary');
    expect(body.waiting).toBe(1);
  });

  it('shows untrusted words as words', async () => {
    const mean = '<!channel> *bold* <https://evil.example|click> `code`';
    await service.call('PATCH', '/api/v1/dex/endpoints/web-02', { tags: { note: 'x' } });
    const { json } = await slack.command(send, 'alice', `"${mean}"`);
    expect(json.text).not.toMatch(/<[!@#h]/);
    for (const block of json.blocks) expect(block.type).not.toBe('section');
    expect(said(json)).not.toContain('mrkdwn');
  });

  it('falls back to direct messages when the place of the question is gone', async () => {
    slack.responseStatus = 404;
    await slack.command(send, 'otto', 'endpoint web-01');
    const posted = await slack.until(() => slack.calls.find(({ method }) => method === 'chat.postMessage'));
    expect(posted.body.channel).toBe(slack.users.otto);
    expect(shown(posted.body)).toContain('web-01:');
  });

  it('answers in words when a picture cannot be uploaded', async () => {
    slack.overrides.set('files.getUploadURLExternal', () => ({
      json: { ok: false, error: 'missing_scope', needed: 'files:write', provided: '' },
    }));
    const again = await service.call('POST', '/api/v1/dex/endpoints/alice-laptop/scan');
    await service.finished(again.body.run_id);
    await slack.command(send, 'alice', 'history alice-laptop --limit 3');
    const reply = await answer();
    expect(shown(reply)).toContain('over 3 scans');
    expect(reply.blocks.some(({ type }: any) => type === 'image')).toBe(false);
    slack.overrides.delete('files.getUploadURLExternal');
  });
});

describe('the door', () => {
  beforeAll(() => start('http'));
  afterAll(stop);
  const FORM = 'application/x-www-form-urlencoded';

  it.each([
    ['a forged signature', { secret: 'not-the-secret' }],
    ['an old signature', { shiftS: -600 }],
    ['no signature', { headers: { 'x-slack-signature': '' } }],
  ])('is closed to %s', async (_name, signing) => {
    const before = slack.calls.length;
    const answerOf = await slack.command(httpTransport(service.url, signing), 'otto', 'scan web-01');
    expect(answerOf.status).toBe(401);
    expect(slack.calls.length).toBe(before);
  });

  it('is closed to other workspaces, even with a good signature', async () => {
    const raw =
      'command=/dex&text=scan+web-01&team_id=T0OTHER&user_id=U1&user_name=x&channel_id=C1&trigger_id=1.1&response_url=';
    expect(await postSigned(`${service.url}/slack/events`, raw, FORM)).toMatchObject({ status: 200, text: '' });
    expect(slack.calls).toEqual([]);
  });

  it('answers garbage with 4xx, and other paths and methods with 404', async () => {
    const url = `${service.url}/slack/events`;
    expect((await postSigned(url, 'payload={broken', FORM)).status).toBe(400);
    expect((await postSigned(`${url}/more`, '{}', 'application/json')).status).toBe(404);
    expect((await fetch(url)).status).toBe(404);
    expect((await postSigned(url, '{"type":"url_verification","challenge":"c"}', 'application/json')).json).toEqual({
      challenge: 'c',
    });
  });
});

it('a Slack that is down does not stop the service', async () => {
  const down = await startTestService({
    SLACK_BOT_TOKEN: BOT_TOKEN,
    SLACK_SIGNING_SECRET: SIGNING_SECRET,
    SLACK_API_URL: 'http://127.0.0.1:9/api/',
  });
  expect((await fetch(`${down.url}/health`)).status).toBe(200);
  await down.stop();
});
