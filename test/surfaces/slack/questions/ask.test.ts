/** Questions in plain language in Slack: one message that says what is looked at, then the answer, and that can be stopped. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { machines, WELL } from '../../../helpers/machines.ts';
import { answer, type Model, startModel } from '../../../helpers/model.ts';
import type { TestService } from '../../../helpers/service.ts';
import type { TestSlack, Transport } from '../../../helpers/slack.ts';
import { buttonOf, buttons, shown } from '../../../helpers/slackReading.ts';
import { startSlackService } from '../../../helpers/slackService.ts';

let slack: TestSlack;
let service: TestService;
let send: Transport;
let stop: () => Promise<void>;

async function start(env: Record<string, string> = {}): Promise<void> {
  ({ slack, service, send, stop } = await startSlackService({
    env: ({ users }) => ({ SLACK_OPERATORS: '', SLACK_VIEWERS: users.otto as string, ...env }),
    overrides: { collector: machines(new Map([['pc-7', { ...WELL, diskPct: 97 }]])) },
  }));
  await service.call('POST', '/api/v1/dex/endpoints', { hostname: 'pc-7', owner_email: 'alice@example.com' });
  const { body } = await service.call('POST', '/api/v1/dex/endpoints/pc-7/scan');
  await service.finished(body.run_id);
}

const thinking = () =>
  slack.until(() =>
    slack.calls.find(({ method, body }) => method === 'chat.postMessage' && shown(body).includes('🔎')),
  );
const edits = (ts: string) => slack.calls.filter(({ method, body }) => method === 'chat.update' && body.ts === ts);
const edited = (ts: string, words: string) =>
  slack.until(() => edits(ts).find(({ body }) => shown(body).includes(words)));

describe('without a model', { timeout: 60_000 }, () => {
  beforeAll(() => start(), 60_000);
  afterAll(() => stop(), 30_000);
  afterEach(() => {
    slack.calls.length = 0;
  });

  it('a mention is answered in its thread, in one message, with the tools that were used', async () => {
    const text = `<@${slack.users.dexops}> why is <@${slack.users.alice}>'s laptop slow?`;
    await slack.write(send, 'otto', 'app_mention', text);
    const first = await thinking();
    expect(first.body).toMatchObject({ channel: slack.channels.alerts, thread_ts: '1700000000.000100' });
    const { body } = await edited(first.answer.ts, 'No language model is configured');
    expect(shown(body)).toMatch(/About pc-7.*Tools used: diagnose_machine, get_score, list_alerts/s);
    expect(buttons(body)).toEqual([]);
    expect(slack.calls.filter(({ method }) => method === 'chat.postMessage')).toHaveLength(1);
  });

  it('a direct message is answered there; what other apps write and what is edited is not', async () => {
    await slack.write(send, 'alice', 'message', 'how is pc-7?', { bot_id: 'B9' });
    await slack.write(send, 'alice', 'message', 'how is pc-7?', { subtype: 'message_changed' });
    await slack.write(send, 'alice', 'message', 'how is pc-7?', { channel_type: 'channel' });
    await slack.write(send, 'alice', 'message', 'and how is pc-7?');
    const first = await thinking();
    expect(first.body.channel).toBe(slack.users.alice);
    await edited(first.answer.ts, 'pc-7');
    const { body } = await service.call('GET', '/api/v1/runs?kind=planner');
    expect(body.runs.map(({ goal }: any) => goal).filter((goal: string) => goal.includes('pc-7?'))).toEqual([
      'and how is pc-7?',
    ]);
  });

  it('"my laptop" is the asker’s, in direct messages and as a command; small talk gets a line', async () => {
    await slack.write(send, 'alice', 'message', 'Why is my laptop slow?');
    const first = await thinking();
    const { body } = await edited(first.answer.ts, 'pc-7');
    expect(shown(body)).toMatch(/^pc-7: .*What helps/s);
    expect(shown(body)).not.toMatch(/fleet|language model|[A-Z]_[A-Z]/);
    slack.calls.length = 0;
    await slack.command(send, 'alice', 'ask why is it slow today?');
    const asked = await thinking();
    expect(asked.body.channel).toBe(slack.users.alice);
    await edited(asked.answer.ts, 'pc-7');
    for (const [i, text] of ['hi!', 'thanks', 'help'].entries()) {
      slack.calls.length = 0;
      await slack.write(send, 'alice', 'message', text);
      const told = await slack.until(() => slack.calls.find(({ method }) => method === 'chat.postMessage'));
      expect(shown(told.body)).toMatch([/^Hello!/, /^You are welcome/, /^Ask in your own words/][i]!);
    }
  });

  it('asks which machine is meant where somebody has several, and goes on with the chosen one', async () => {
    await service.call('POST', '/api/v1/dex/endpoints', { hostname: 'pc-8', owner_email: 'alice@example.com' });
    await slack.write(send, 'alice', 'message', 'why is my laptop slow?');
    const question = await slack.until(() => slack.calls.find(({ method }) => method === 'chat.postMessage'));
    expect(shown(question.body)).toContain('Which of your machines?');
    expect(buttons(question.body).map(({ text }) => text.text)).toEqual(['pc-7', 'pc-8']);
    const { action_id: actionId, value } = buttons(question.body)[0];
    const message = { channel: question.answer.channel, ts: question.answer.ts };
    slack.calls.length = 0;
    await slack.click(send, 'alice', { actionId, value, message });
    const first = await thinking();
    await edited(first.answer.ts, 'pc-7');
    await service.call('DELETE', '/api/v1/dex/endpoints/pc-8');
  });

  it('a question waits for a Slack that is slow to say who asks', async () => {
    slack.overrides.set('users.info', async () => {
      await new Promise((resolve) => setTimeout(resolve, 2300));
      return undefined;
    });
    await slack.write(send, 'nomail', 'message', 'how is the fleet?');
    const told = await slack.until(() => slack.calls.find(({ method }) => method === 'chat.postMessage'));
    slack.overrides.delete('users.info');
    expect(shown(told.body)).toContain('🔎');
  });

  it('a picture is acknowledged in words, by itself and with a question', async () => {
    const file = { subtype: 'file_share', files: [{ id: 'F1', mimetype: 'image/png' }] };
    await slack.write(send, 'alice', 'message', '', file);
    const told = await slack.until(() => slack.calls.find(({ method }) => method === 'chat.postMessage'));
    expect(shown(told.body)).toContain('tell me in a few words what it shows');
    slack.calls.length = 0;
    await slack.write(send, 'alice', 'message', 'why is my laptop slow? see this', file);
    const first = await thinking();
    await edited(first.answer.ts, 'I cannot look at pictures and files');
  });

  it('an answer is rated by whoever asked', async () => {
    await slack.write(send, 'alice', 'message', 'why is my laptop slow?');
    const first = await thinking();
    const { body } = await edited(first.answer.ts, 'pc-7');
    const [thumbs] = body.blocks.at(-1).elements;
    const message = { channel: first.answer.channel, ts: first.answer.ts };
    const rate = (user: string, { value }: { value: string }) =>
      slack.click(send, user, { actionId: thumbs.action_id, value, message });
    slack.responses.length = 0;
    await rate('otto', thumbs.positive_button);
    expect(shown(await slack.until(() => slack.responses[0]))).toContain('needs the role operator');
    await rate('alice', thumbs.negative_button);
    expect(shown(await slack.until(() => slack.responses[1]))).toContain('Thank you for saying so');
    const page = await (await fetch(`${service.url}/metrics`)).text();
    expect(page).toContain('orchestrator_answers_rated_total{helpful="false"} 1');
  });

  it('opens the direct messages with a welcome, once, and with questions to begin with', async () => {
    const open = (user: string) => slack.openHome(send, user, undefined, 'messages');
    await open('alice');
    const prompts = await slack.until(() => slack.calls.find(({ method }) => /setSuggestedPrompts/.test(method)));
    expect(prompts.body.prompts[0].message).toBe('Why is my laptop slow?');
    await open('alice');
    await slack.until(() => slack.calls.filter(({ method }) => /setSuggestedPrompts/.test(method))[1]);
    expect(slack.calls.filter(({ method }) => method === 'chat.postMessage')).toHaveLength(1);
    await slack.event(send, {
      type: 'assistant_thread_started',
      assistant_thread: { user_id: slack.users.otto, channel_id: 'D1', thread_ts: '1.1', context: {} },
    });
    const staff = await slack.until(() => slack.calls.filter(({ method }) => /setSuggestedPrompts/.test(method))[2]);
    expect(staff.body).toMatchObject({ channel_id: 'D1', thread_ts: '1.1' });
    expect(staff.body.prompts[0].message).toContain('fleet');
  });

  it('a mention without a question is told how to ask', async () => {
    await slack.write(send, 'alice', 'app_mention', `<@${slack.users.dexops}>`);
    const told = await slack.until(() => slack.calls.find(({ method }) => method === 'chat.postMessage'));
    expect(shown(told.body)).toContain('Ask me something');
  });
});

describe('in a thread', { timeout: 60_000 }, () => {
  beforeAll(() => start({ WEBHOOK_SECRET: 'webhook-secret' }), 60_000);
  afterAll(() => stop(), 30_000);
  afterEach(() => {
    slack.calls.length = 0;
    slack.overrides.clear();
  });

  it('of an alert, the question is about it', async () => {
    const { alerts } = (await service.call('GET', '/api/v1/dex/alerts?hostname=pc-7')).body;
    const place = { channel: slack.channels.alerts!, ts: '1600.1' };
    const subject = `alert:${alerts[0].id}`;
    await service.app.ports.store.slackMessages.keep([{ subject, ...place, digest: false }]);
    await slack.write(send, 'otto', 'app_mention', 'what is this?', { thread_ts: place.ts });
    const first = await thinking();
    expect(first.body.thread_ts).toBe(place.ts);
    await edited(first.answer.ts, 'pc-7');
    const { runs } = (await service.call('GET', '/api/v1/runs')).body;
    expect(runs[0]).toMatchObject({ goal: 'what is this?', hostname: 'pc-7' });
    // Of a machine that is not theirs, employees hear nothing.
    slack.calls.length = 0;
    await slack.write(send, 'nomail', 'app_mention', 'what is this?', { thread_ts: place.ts });
    const none = await edited((await thinking()).answer.ts, 'names no machine of yours');
    expect(shown(none.body)).not.toContain('pc-7');
  });

  it('a question goes on from the one before', async () => {
    const thread = { thread_ts: '1700.1' };
    await slack.write(send, 'otto', 'app_mention', 'how is pc-7?', thread);
    await edited((await thinking()).answer.ts, 'pc-7');
    slack.calls.length = 0;
    await slack.write(send, 'otto', 'app_mention', 'and why is that?', thread);
    await edited((await thinking()).answer.ts, 'pc-7');
  });

  it('the answer is streamed where Slack takes it, and a limit in mid-stream loses nothing', async () => {
    const stream = { ok: true, channel: 'D7', ts: '1800.2' };
    slack.overrides.set('chat.startStream', () => ({ json: stream }));
    slack.overrides.set('chat.appendStream', () => ({
      status: 429,
      headers: { 'retry-after': '1' },
      json: { ok: false, error: 'ratelimited' },
    }));
    slack.overrides.set('chat.stopStream', () => ({ json: stream }));
    slack.overrides.set('chat.update', () => ({ json: stream }));
    await slack.write(send, 'alice', 'message', 'why is my laptop slow?', { channel: 'D7', thread_ts: '1800.1' });
    const begun = await slack.until(() => slack.calls.find(({ method }) => method === 'chat.startStream'));
    expect(begun.body).toMatchObject({ channel: 'D7', thread_ts: '1800.1', recipient_user_id: slack.users.alice });
    const end = await edited('1800.2', 'pc-7');
    expect(slack.calls.some(({ method }) => method === 'chat.postMessage')).toBe(false);
    const methods = slack.calls.map(({ method }) => method);
    expect(methods.indexOf('chat.stopStream')).toBeLessThan(methods.lastIndexOf('chat.update'));
    expect(end.body.blocks.at(-1).type).toBe('context_actions');
    expect(methods).toContain('assistant.threads.setStatus');
  });
});

describe('with a model', { timeout: 60_000 }, () => {
  let model: Model;
  beforeAll(async () => {
    model = await startModel();
    await start(model.env);
  }, 60_000);
  afterAll(async () => {
    await stop();
    await model.stop();
  }, 30_000);

  it('shows the tools as they are called, then the answer', async () => {
    model.says(
      'Is pc-7 full?',
      { calls: [['dexops__get_score', { hostname: 'pc-7' }]] },
      { text: answer('Yes, its disk is.'), afterMs: 2500 },
    );
    await slack.write(send, 'alice', 'message', 'Is pc-7 full?');
    const first = await thinking();
    await edited(first.answer.ts, '🔎 Looking into it …\nTools used: get_score');
    const { body } = await edited(first.answer.ts, 'Yes, its disk is.');
    expect(shown(body)).toContain('Tools used: get_score');
  });

  it('is stopped by whoever asked, not by others', async () => {
    model.says('Think long about pc-7', { text: answer('Never said.'), afterMs: 20_000 });
    slack.calls.length = 0;
    await slack.write(send, 'alice', 'app_mention', `<@${slack.users.dexops}> Think long about pc-7`);
    const first = await thinking();
    const { value } = buttonOf(first.body, 'run:stop');
    const message = { channel: first.answer.channel, ts: first.answer.ts };
    await slack.click(send, 'otto', { actionId: 'run:stop', value, message });
    expect(shown(await slack.until(() => slack.responses[0]))).toContain('needs the role operator');
    await slack.click(send, 'alice', { actionId: 'run:stop', value, message });
    const { body } = await edited(first.answer.ts, 'Cancelled by');
    expect(buttons(body)).toEqual([]);
  });
});
