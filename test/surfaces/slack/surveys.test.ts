/** A survey in direct messages: asked, answered under a token alone, reminded, opted out of. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jobActor } from '../../../src/core/actor.ts';
import { testClock } from '../../helpers/clock.ts';
import { collectingLog } from '../../helpers/collectingLog.ts';
import { machines } from '../../helpers/machines.ts';
import type { TestService } from '../../helpers/service.ts';
import type { TestSlack, Transport } from '../../helpers/slack.ts';
import { buttonOf, buttons, shown } from '../../helpers/slackReading.ts';
import { knowPeople, startSlackService } from '../../helpers/slackService.ts';

const DAY_MS = 86_400_000;
const clock = testClock(new Date('2026-03-02T10:00:00Z')); // a Monday
const { log, lines } = collectingLog();
let slack: TestSlack;
let service: TestService;
let send: Transport;
let stop: () => Promise<void>;
let surveyId: number;

beforeAll(async () => {
  ({ slack, service, send, stop } = await startSlackService({
    prepare: (it) => knowPeople(it, { 'three@example.com': 'U3', 'four@example.com': 'U4' }),
    overrides: { collector: machines(new Map()), clock, log },
  }));
  for (const name of ['alice', 'otto', 'three', 'four', 'gone']) {
    const email = `${name}@example.com`;
    const hostname = `${email.split('@')[0]}-laptop`;
    await service.call('POST', '/api/v1/dex/endpoints', { hostname, owner_email: email, collector: 'local' });
  }
  const { body } = await service.call('POST', '/api/v1/dex/surveys', { days: 4, question: 'How is <!here> *it*?' });
  surveyId = body.survey.id;
  await tend();
}, 60_000);
afterAll(() => stop(), 30_000);

const tend = () => service.app.invoke('maintain_surveys', {}, jobActor('dex_maintain_surveys'));
const letters = (user: string) =>
  slack.calls.filter(({ method, body }) => method === 'chat.postMessage' && body.channel === slack.users[user]);
const messageTo = (user: string, nth = 0) => slack.until(() => letters(user)[nth]);
const openForm = async (user: string, letter: any, rating: number) => {
  const { channel, ts } = letter.answer;
  const { action_id: actionId, value } = buttonOf(letter.body, `survey_rate:${rating}`);
  const seen = slack.calls.length;
  await slack.click(send, user, { actionId, value, message: { channel, ts } });
  const opened = await slack.until(() => slack.calls.slice(seen).find(({ method }) => method === 'views.open'));
  expect(opened.answer.ok).toBe(true);
  return { ...opened.body.view, id: opened.answer.view.id };
};

describe('a survey in Slack', { timeout: 60_000 }, () => {
  it('asks each person in direct messages, and skips who has no account, saying so', async () => {
    const { body } = await messageTo('alice');
    expect(buttons(body).map(({ action_id }) => action_id)).toEqual([
      ...[1, 2, 3, 4, 5].map((rating) => `survey_rate:${rating}`),
      'replace:no_more',
    ]);
    expect(shown(body)).toContain('How is <!here> *it*?');
    expect(body.text).not.toContain('<!here>');
    expect(JSON.stringify(lines)).toContain('nobody in Slack has this mail address');
    await slack.until(() => (JSON.stringify(lines).includes('could not be written to') ? true : undefined));
    const { text } = await service.app.invoke('get_survey', { survey_id: surveyId }, jobActor('test'));
    expect(text).toContain('1 unknown in Slack');
  });

  it('takes an answer with a comment and a ticked machine, once, and thanks in the place of the question', async () => {
    const letter = await messageTo('alice');
    const view = await openForm('alice', letter, 4);
    expect(shown(view)).toContain('Your rating: 4 well');
    const filled = { category: 'software', comment: 'I like it.', hostname: 'alice-laptop' };
    const boxes = view.blocks.find(({ block_id }: any) => block_id === 'hostname').element.options;
    expect(boxes.map(({ value }: any) => value)).toEqual(['alice-laptop']);
    expect(view.private_metadata).not.toContain('alice');
    expect(view.private_metadata).not.toContain(slack.users.alice);

    const taken = await slack.submit(send, 'alice', view, filled);
    expect(shown(taken.json.view)).toContain('Your answer is in, without your name');
    const edit = await slack.until(() => slack.calls.find(({ method }) => method === 'chat.update'));
    expect(edit.body.ts).toBe(letter.answer.ts);
    expect(buttons(edit.body)).toEqual([]);
    const again = await slack.submit(send, 'alice', { ...view, id: 'V2' }, { ...filled, comment: 'Again.' });
    expect(JSON.stringify(again.json.errors)).toContain('answered with your link already');

    const { body } = await service.call('GET', '/api/v1/dex/feedback/summary');
    expect(body.waiting).toBe(1);
    const token = JSON.parse(view.private_metadata).input.token;
    for (const line of lines) {
      const text = JSON.stringify(line);
      expect(text).not.toContain(token);
      expect(text).not.toContain('I like it.');
    }
    const audited = JSON.stringify(
      await service.app.ports.store.audit.list({ tool: 'answer_survey' }, { limit: 9, offset: 0 }),
    );
    expect(audited).toContain('anonymous');
    expect(audited).not.toContain(slack.users.alice);
  });

  it('says what is wrong with a forged token', async () => {
    const view = await openForm('otto', await messageTo('otto'), 1);
    const metadata = JSON.parse(view.private_metadata);
    const forged = {
      ...view,
      private_metadata: JSON.stringify({ ...metadata, input: { ...metadata.input, token: 'x'.repeat(43) } }),
    };
    const { json } = await slack.submit(send, 'otto', forged, { comment: 'hm' });
    expect(JSON.stringify(json.errors)).toContain('This survey is over, or the link was replaced');
  });

  it('reminds once those who have not answered, and asks nobody again who opted out', async () => {
    clock.advance(2 * DAY_MS);
    await tend();
    const reminder = await messageTo('otto', 1);
    expect(shown(reminder.body)).toContain('A reminder: How is');
    expect(letters('alice')).toHaveLength(1);

    const { value, confirm } = buttonOf(reminder.body, 'replace:no_more');
    expect(confirm.title.text).toBe('No more surveys?');
    const { channel, ts } = reminder.answer;
    await slack.click(send, 'otto', { actionId: 'replace:no_more', value, message: { channel, ts } });
    const edit = await slack.until(() =>
      slack.calls.find(({ method, body }) => method === 'chat.update' && body.ts === ts),
    );
    expect(shown(edit.body)).toContain('Opted out: no more surveys.');
    const view = await openForm('otto', await messageTo('otto'), 5);
    const { json } = await slack.submit(send, 'otto', { ...view, id: 'V5' }, {});
    expect(JSON.stringify(json)).toContain('opted out');
  });
});
