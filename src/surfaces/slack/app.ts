/** The Slack face: Bolt over HTTP or Socket Mode, whose requests are checked, told apart and handed to commands, clicks and forms. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  App,
  HTTPReceiver,
  type Logger,
  LogLevel,
  type RespondFn,
  SocketModeReceiver,
  type types,
  type ViewSubmitAction,
  webApi,
} from '@slack/bolt';
import type { ChartRenderer } from '../../core/chart.ts';
import { AppError } from '../../core/errors.ts';
import type { Invoke } from '../../core/invoke.ts';
import type { Clock, Log } from '../../core/ports.ts';
import type { AnyTool } from '../../core/tool.ts';
import { answerClick } from './actions.ts';
import { answerQuestion } from './ask.ts';
import { failure, type Place, quiet } from './calls.ts';
import { answerCommand, COMMAND } from './command.ts';
import type { SlackContext } from './context.ts';
import { FORM_CALLBACK, type FormState, formCall, formErrors, messageModal } from './forms.ts';
import { publishHome, REPORT_CALLBACK, takeReport } from './home.ts';
import { createOnce } from './once.ts';
import { createPeople, DECIDING_TOOL, type People, type Person } from './people.ts';
import { createPictures } from './pictures.ts';
import { slackProblem } from './problems.ts';
import { SURVEY_CALLBACK, takeSurveyAnswer } from './surveys.ts';
import type { Reply } from './text.ts';
import { createTurns } from './turns.ts';

export const SLACK_PATH = '/slack/events';

/** Events that the app listens to; the manifests name the same. */
export const EVENTS = ['app_home_opened', 'app_mention', 'message.im'] as const;

export interface SlackSettings {
  botToken: string;
  /** Socket Mode when set, HTTP otherwise. */
  appToken: string;
  signingSecret: string;
  operators: readonly string[];
  approvers: readonly string[];
  /** Another address of the Web API, ending in /api/; empty means Slack's own. */
  apiUrl: string;
}

export interface SlackNeeds {
  tools: readonly AnyTool[];
  invoke: Invoke;
  charts: ChartRenderer;
  clock: Clock;
  log: Log;
}

export interface SlackFace {
  /** Where Slack calls. */
  path: string;
  /** Serves SLACK_PATH; null in Socket Mode, where nobody calls in. */
  requestListener: ((request: IncomingMessage, response: ServerResponse) => Promise<void>) | null;
  /** Connects; a Slack that is down is logged and tried again, it never stops the service. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Two clicks of one person on one button within this are one. */
const DOUBLE_CLICK_MS = 2000;
const CALL_LIMIT_MS = 10_000;

export function createSlack(settings: SlackSettings, needs: SlackNeeds): SlackFace {
  const log = needs.log.child({ face: 'slack' });
  const clientOptions = webClientOptions(settings.apiUrl, log);
  const stop = new AbortController();
  const client = new webApi.WebClient(settings.botToken, clientOptions);
  const people = createPeople(client, settings, needs.clock.now, log);
  const slack: SlackContext = {
    tools: needs.tools.filter(({ hiddenFrom }) => !hiddenFrom?.includes('slack')),
    invoke: approvedBy(people, needs.invoke),
    client,
    people,
    pictures: createPictures(client, needs.charts, log),
    log,
    turn: createTurns(),
    stopping: stop.signal,
  };
  const logger = boltLogger(log);
  const http = settings.appToken
    ? null
    : new HTTPReceiver({ signingSecret: settings.signingSecret, endpoints: SLACK_PATH, logger });
  const receiver =
    http ?? new SocketModeReceiver({ appToken: settings.appToken, logger, installerOptions: { clientOptions } });
  const identity = remembered(() => client.auth.test());
  const bolt = new App({
    receiver,
    clientOptions,
    logger,
    convoStore: false,
    // One workspace: whatever comes from another is signed by Slack all the same, and is none of ours.
    authorize: async ({ teamId }) => {
      const me = await identity();
      if (teamId !== undefined && teamId !== me.team_id) throw new Error(`a request of another workspace, ${teamId}`);
      return { botToken: settings.botToken, botId: me.bot_id, botUserId: me.user_id, teamId: me.team_id };
    },
  });
  listenTo(bolt, slack, needs.clock);

  return {
    path: SLACK_PATH,
    requestListener: http && ((request, response) => receive(http, request, response)),
    async start() {
      const problem = (error: unknown) => log.error({ problem: slackProblem(error).message }, 'Slack is not connected');
      await identity().then(
        ({ team }) => log.info({ team, mode: http ? 'http' : 'socket' }, 'Slack is ready'),
        problem,
      );
      if (!http) receiver.start(0).catch(problem);
    },
    async stop() {
      stop.abort();
      if (!http) await receiver.stop();
    },
  };
}

/** The gate, with the one thing that only this face knows: SLACK_APPROVERS. */
function approvedBy(people: People, invoke: Invoke): Invoke {
  return async (name, raw, actor, options) => {
    if (name === DECIDING_TOOL && !people.mayApprove(actor))
      throw new AppError('denied', 'Approving is for approvers (SLACK_APPROVERS); nothing was decided.');
    return invoke(name, raw, actor, options);
  };
}

/** Resolves when the request is answered. */
function receive(http: HTTPReceiver, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  return new Promise((resolve) => {
    response.once('close', resolve);
    // Bolt throws on what it does not serve.
    if (request.method === 'POST' && pathname === SLACK_PATH) http.requestListener(request, response);
    else response.writeHead(404).end();
  });
}

function listenTo(bolt: App, slack: SlackContext, clock: Clock): void {
  const once = createOnce(clock.now);

  bolt.error(async (error) => {
    slack.log.error({ err: error, problem: slackProblem(error).message }, 'a request from Slack was not handled');
  });

  bolt.command(COMMAND, async ({ command, ack, respond }) => {
    if (!once.first(`command:${command.trigger_id}`)) return ack();
    const person = { id: command.user_id, name: command.user_name };
    await answerCommand(
      slack,
      { person, tell: (reply) => whisper(slack, respond, person, reply) },
      {
        text: command.text ?? '',
        triggerId: command.trigger_id,
        acknowledge: (reply) => (reply ? ack({ response_type: 'ephemeral', ...reply }) : ack()),
      },
    );
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
      tell: (reply) => whisper(slack, body.response_url ? respond : null, person, reply),
      tellAll: body.response_url
        ? async (reply) => {
            await respond({ response_type: 'in_channel', replace_original: false, ...reply });
          }
        : null,
    });
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

  bolt.view<ViewSubmitAction>(REPORT_CALLBACK, async ({ ack, body, view }) => {
    const person = { id: body.user.id, name: body.user.name };
    const state: FormState = view.state.values;
    if (!once.first(`view:${view.id}`)) return ack();
    await submitted(slack, ack, person, state, 'submit_feedback', () => takeReport(slack, person, state));
  });

  bolt.view<ViewSubmitAction>(SURVEY_CALLBACK, async ({ ack, body, view }) => {
    const person = { id: body.user.id, name: body.user.name };
    const state: FormState = view.state.values;
    if (!once.first(`view:${view.id}:${JSON.stringify(state)}`, DOUBLE_CLICK_MS)) return ack();
    const answer = () => takeSurveyAnswer(slack, person, view.private_metadata, state);
    await submitted(slack, ack, person, state, 'answer_survey', answer);
  });

  bolt.event('app_mention', async ({ event, body, context }) => {
    if (!event.user || !once.first(`event:${body.event_id}`)) return;
    const place = { channel: event.channel, threadTs: event.thread_ts ?? event.ts };
    await question(slack, event.user, event.text, place, context.botUserId);
  });

  bolt.event('message', async ({ event, body, context }) => {
    // What people write, and not joins, edits and other apps' messages; mentions in channels come as app_mention.
    if (event.channel_type !== 'im' || event.subtype !== undefined || event.bot_id !== undefined) return;
    if (!once.first(`event:${body.event_id}`)) return;
    const place = { channel: event.channel, threadTs: event.thread_ts };
    await question(slack, event.user, event.text ?? '', place, context.botUserId);
  });

  bolt.event('app_home_opened', async ({ event, body }) => {
    if (event.tab !== 'home' || !once.first(`event:${body.event_id}`)) return;
    await publishHome(slack, { id: event.user, name: event.user });
  });
}

function question(
  slack: SlackContext,
  userId: string,
  text: string,
  place: Place,
  botId: string | undefined,
): Promise<void> {
  const person = { id: userId, name: userId };
  const tell = (reply: Reply) => say(slack, place, reply);
  return answerQuestion(slack, { person, text, place, tell }, botId);
}

async function say(slack: SlackContext, { channel, threadTs }: Place, reply: Reply): Promise<void> {
  await slack.client.chat
    .postMessage({ channel, thread_ts: threadTs, ...quiet(reply) })
    .catch((error: unknown) =>
      slack.log.error({ channel, problem: slackProblem(error).message }, 'an answer could not be delivered'),
    );
}

/** Answers a form with the next view, or with what was wrong at its field. */
async function submitted(
  slack: SlackContext,
  ack: (response: ViewResponse) => Promise<void>,
  person: Person,
  state: FormState,
  tool: string,
  work: () => Promise<types.ModalView>,
): Promise<void> {
  try {
    await ack({ response_action: 'update', view: await work() });
  } catch (error) {
    if (error instanceof AppError && error.kind !== 'denied')
      return ack({ response_action: 'errors', errors: formErrors(error, state) });
    const said = await failure(slack, await slack.people.actor(person), { tool, input: {} }, error);
    await ack({ response_action: 'update', view: { ...messageModal('Not done', ''), blocks: said.blocks } });
  }
}

type ViewResponse =
  | { response_action: 'update'; view: types.ModalView }
  | { response_action: 'errors'; errors: Record<string, string> };

/** For one person's eyes: next to where they asked, or in their direct messages when that place is gone. */
async function whisper(slack: SlackContext, respond: RespondFn | null, person: Person, reply: Reply): Promise<void> {
  const beside = respond?.({ response_type: 'ephemeral', replace_original: false, ...reply });
  const said = await (beside ?? Promise.reject(new Error('no place to respond to'))).then(
    () => true,
    (error: unknown) => {
      if (beside)
        slack.log.warn({ err: error, user: person.id }, 'Slack did not take an answer; trying direct messages');
      return false;
    },
  );
  if (said) return;
  await slack.client.chat.postMessage({ channel: person.id, ...quiet(reply) }).catch((error: unknown) => {
    slack.log.error({ user: person.id, problem: slackProblem(error).message }, 'an answer could not be delivered');
  });
}

function clickedValue(action: object): string {
  if ('value' in action && typeof action.value === 'string') return action.value;
  const selected = 'selected_option' in action ? action.selected_option : null;
  return selected && typeof selected === 'object' && 'value' in selected ? String(selected.value) : '';
}

/** Options of every Web API client: few retries, so that nobody waits for minutes. */
export function webClientOptions(apiUrl: string, log: Log): webApi.WebClientOptions {
  return {
    ...(apiUrl && { slackApiUrl: apiUrl }),
    logger: boltLogger(log),
    timeout: CALL_LIMIT_MS,
    retryConfig: { retries: 1, minTimeout: 200, maxTimeout: 1000 },
  };
}

/** Asks once; a failure is forgotten, so that the next asks again. */
function remembered<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | null = null;
  return () => {
    answer ??= ask();
    answer.catch(() => {
      answer = null;
    });
    return answer;
  };
}

/** Bolt's log lines in ours; its chatter about each request is for debugging. */
function boltLogger(log: Log): Logger {
  const line = (parts: unknown[]) =>
    parts.map((part) => (part instanceof Error ? part.message : String(part))).join(' ');
  return {
    debug: () => {},
    info: (...parts) => log.debug({}, line(parts)),
    warn: (...parts) => log.warn({}, line(parts)),
    error: (...parts) => log.error({}, line(parts)),
    setLevel: () => {},
    getLevel: () => LogLevel.INFO,
    setName: () => {},
  };
}
