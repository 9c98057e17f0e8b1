/** What Slack sends, distinguished and handed on once: commands, clicks, forms, questions, and a look at the Home tab. */
import type { App, ViewSubmitAction } from '@slack/bolt';
import type { ToolCall } from '../../core/presentation.ts';
import { answerClick } from './actions.ts';
import { slackProblem } from './cards/problems.ts';
import { type Reply, unescapeTyped } from './cards/text.ts';
import { answered, type Place } from './commands/calls.ts';
import { answerCommand, COMMAND } from './commands/command.ts';
import { ASKING_CALLBACK, FORM_CALLBACK, type FormState, formCall, messageModal } from './commands/forms.ts';
import { say, submitted, whisper } from './commands/replies.ts';
import type { SlackContext } from './context.ts';
import { openReportForm, publishHome } from './home.ts';
import { createOnce } from './once.ts';
import { answerQuestion } from './questions/ask.ts';
import { showThinking, suggestQuestions, welcome } from './questions/assistant.ts';
import { SURVEY_CALLBACK, takeSurveyAnswer } from './surveys.ts';
import { unfurlLinks } from './unfurl.ts';

/** Events that the app listens to; the manifests name the same. */
export const EVENTS = [
  'app_home_opened',
  'app_mention',
  'assistant_thread_started',
  'link_shared',
  'message.im',
] as const;

/** Callback ids of the shortcuts, in Slack's own menu and in that of a message; the manifests name the same. */
export const SHORTCUTS = {
  report: 'my_computer_has_a_problem',
  ask: 'ask_about_message',
  alert: 'create_alert',
} as const;

/** Two clicks of one person on one button within this are one. */
const DOUBLE_CLICK_MS = 2000;

export function listenTo(bolt: App, slack: SlackContext): void {
  const once = createOnce(slack.clock.now);

  bolt.error(async (error) => {
    slack.log.error({ err: error, problem: slackProblem(error).message }, 'a request from Slack was not handled');
  });

  bolt.command(COMMAND, async ({ command, ack, respond }) => {
    if (!once.first(`command:${command.trigger_id}`)) return ack();
    const person = { id: command.user_id, name: command.user_name };
    const asker = { person, respond: (reply: Reply) => whisper(slack, respond, person, reply) };
    await answerCommand(slack, asker, {
      text: command.text ?? '',
      triggerId: command.trigger_id,
      acknowledge: (reply) => (reply ? ack({ response_type: 'ephemeral', ...reply }) : ack()),
      ask: (text) => answerQuestion(slack, { ...asker, text, place: { channel: person.id } }, undefined),
    });
  });

  bolt.action(/.*/, async ({ ack, body, action, respond }) => {
    await ack();
    await slack.turn();
    if (body.type !== 'block_actions' || !('action_id' in action)) return;
    const person = { id: body.user.id, name: body.user.name ?? body.user.username ?? body.user.id };
    const { container, channel } = body;
    const value = clickedValue(action);
    const where = String(container.message_ts ?? container.view_id ?? '');
    if (!once.first(`click:${body.trigger_id}`)) return;
    if (!once.first(`click:${person.id}:${where}:${action.action_id}:${value}`, DOUBLE_CLICK_MS)) return;
    const inMessage = channel && typeof container.message_ts === 'string';
    await answerClick(slack, {
      person,
      actionId: action.action_id,
      value,
      triggerId: body.trigger_id,
      message: inMessage
        ? { channel: channel.id, ts: String(container.message_ts), threadTs: (container.thread_ts as string) ?? null }
        : null,
      respond: (reply) => whisper(slack, body.response_url ? respond : null, person, reply),
      notifyAll: body.response_url
        ? async (reply) => {
            await respond({ response_type: 'in_channel', replace_original: false, ...reply });
          }
        : null,
    });
  });

  bolt.shortcut({ callback_id: SHORTCUTS.report, type: 'shortcut' }, async ({ ack, body }) => {
    await ack();
    if (!once.first(`shortcut:${body.trigger_id}`)) return;
    const person = { id: body.user.id, name: body.user.username };
    const respond = (reply: Reply) => whisper(slack, null, person, reply);
    await openReportForm(slack, { person, respond }, body.trigger_id, null);
  });

  bolt.shortcut({ callback_id: SHORTCUTS.alert, type: 'message_action' }, async ({ ack, body }) => {
    await ack();
    if (!once.first(`shortcut:${body.trigger_id}`)) return;
    const person = { id: body.user.id, name: body.user.name };
    const respond = (reply: Reply) => whisper(slack, null, person, reply);
    await openReportForm(slack, { person, respond }, body.trigger_id, unescapeTyped(body.message.text ?? ''));
  });

  bolt.shortcut({ callback_id: SHORTCUTS.ask, type: 'message_action' }, async ({ ack, body }) => {
    await ack();
    if (!once.first(`shortcut:${body.trigger_id}`)) return;
    await question(slack, body.user.id, body.message.text ?? '', { place: { channel: body.user.id } });
  });

  bolt.view<ViewSubmitAction>(FORM_CALLBACK, async ({ ack, body, view }) => {
    const tool = slack.tools.find(({ name }) => name === view.private_metadata);
    if (!tool)
      return ack({ response_action: 'update', view: messageModal('DexOps', 'This form is of another version.') });
    const state: FormState = view.state.values;
    const person = { id: body.user.id, name: body.user.name };
    if (!once.first(`view:${view.id}:${JSON.stringify(state)}`, DOUBLE_CLICK_MS)) return ack();
    const call = formCall(tool, state);
    await submitted(slack, ack, person, state, call.tool, async () => {
      const { text } = await slack.invoke(call.tool, call.input, await slack.people.actor(person));
      return messageModal(tool.title, text);
    });
  });

  bolt.view<ViewSubmitAction>(ASKING_CALLBACK, async ({ ack, body, view }) => {
    const person = { id: body.user.id, name: body.user.name };
    const state: FormState = view.state.values;
    if (!once.first(`view:${view.id}:${JSON.stringify(state)}`, DOUBLE_CLICK_MS)) return ack();
    const { tool: name, input } = JSON.parse(view.private_metadata) as ToolCall;
    const tool = slack.tools.find((one) => one.name === name);
    if (!tool)
      return ack({ response_action: 'update', view: messageModal('DexOps', 'This form is of another version.') });
    const call = { tool: name, input: { ...input, ...formCall(tool, state).input } };
    await submitted(slack, ack, person, state, name, async () => {
      const { blocks } = await answered(slack, await slack.people.actor(person), call);
      return { ...messageModal(tool.title, ''), blocks };
    });
  });

  bolt.view<ViewSubmitAction>(SURVEY_CALLBACK, async ({ ack, body, view }) => {
    const person = { id: body.user.id, name: body.user.name };
    const state: FormState = view.state.values;
    if (!once.first(`view:${view.id}:${JSON.stringify(state)}`, DOUBLE_CLICK_MS)) return ack();
    const answer = () => takeSurveyAnswer(slack, person, view.private_metadata, state);
    await submitted(slack, ack, person, state, null, answer);
  });

  bolt.event('app_mention', async ({ event, body, context }) => {
    if (!event.user || !once.first(`event:${body.event_id}`)) return;
    const place = { channel: event.channel, threadTs: event.thread_ts ?? event.ts };
    const files = 'files' in event && Array.isArray(event.files) ? event.files.length : 0;
    await question(slack, event.user, event.text, { place, files, teamId: body.team_id }, context.botUserId);
  });

  bolt.event('message', async ({ event, body, context }) => {
    // What people write and send, and not joins, edits and other apps' messages; mentions in channels come as app_mention.
    if (event.channel_type !== 'im' || (event.subtype !== undefined && event.subtype !== 'file_share')) return;
    if (('bot_id' in event && event.bot_id !== undefined) || !once.first(`event:${body.event_id}`)) return;
    const place = { channel: event.channel, ...(event.thread_ts && { threadTs: event.thread_ts }) };
    const files = event.files?.length ?? 0;
    const text = event.text ?? '';
    if (event.thread_ts) void showThinking(slack, event.channel, event.thread_ts, text);
    await question(slack, event.user, text, { place, files, teamId: body.team_id }, context.botUserId);
  });

  bolt.event('app_home_opened', async ({ event, body }) => {
    if (!once.first(`event:${body.event_id}`)) return;
    const person = { id: event.user, name: event.user };
    if (event.tab === 'home') return publishHome(slack, person);
    await welcome(slack, person, event.channel);
    await suggestQuestions(slack, person, { channel: event.channel });
  });

  bolt.event('link_shared', async ({ event, body, context }) => {
    // Our own messages link to what they show.
    if (event.user === context.botUserId || !once.first(`event:${body.event_id}`)) return;
    const { channel, message_ts: ts, unfurl_id, source, links } = event;
    const isWritten = source !== 'composer' || unfurl_id === undefined;
    const target = isWritten ? { channel, ts } : { unfurl_id, source: 'composer' as const };
    const person = { id: event.user, name: event.user };
    await unfurlLinks(slack, { person, target, urls: links.map(({ url }) => url) });
  });

  bolt.event('assistant_thread_started', async ({ event, body }) => {
    if (!once.first(`event:${body.event_id}`)) return;
    const { user_id: id, channel_id: channel, thread_ts: threadTs } = event.assistant_thread;
    await suggestQuestions(slack, { id, name: id }, { channel, threadTs });
  });
}

async function question(
  slack: SlackContext,
  userId: string,
  text: string,
  from: { place: Place; files?: number; teamId?: string | null },
  botId?: string,
): Promise<void> {
  // Events name nobody, and what the agent asks for is asked in this person's name.
  const person = { id: userId, name: await slack.people.called(userId) };
  const respond = (reply: Reply) => say(slack, from.place, reply);
  return answerQuestion(slack, { person, text, ...from, respond }, botId);
}

function clickedValue(action: object): string {
  if ('value' in action && typeof action.value === 'string') return action.value;
  const selected = 'selected_option' in action ? action.selected_option : null;
  return selected && typeof selected === 'object' && 'value' in selected ? String(selected.value) : '';
}
