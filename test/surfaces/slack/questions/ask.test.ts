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

  it('a mention without a question is told how to ask', async () => {
    await slack.write(send, 'alice', 'app_mention', `<@${slack.users.dexops}>`);
    const told = await slack.until(() => slack.calls.find(({ method }) => method === 'chat.postMessage'));
    expect(shown(told.body)).toContain('Ask me something');
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
