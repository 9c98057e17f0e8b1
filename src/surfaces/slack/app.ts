/** The Slack interface: Bolt over HTTP or Socket Mode, for the members of the allowed workspaces. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { App, HTTPReceiver, SocketModeReceiver, webApi } from '@slack/bolt';
import type { ChartRenderer } from '../../core/chart.ts';
import type { Invoke } from '../../core/invoke.ts';
import type { SlackMessageRepository } from '../../core/ports/messagePorts.ts';
import type { Clock, Log } from '../../core/ports/ports.ts';
import type { AnyTool } from '../../core/tool.ts';
import { boltLogger, webClientOptions } from './bolt.ts';
import { createPictures } from './cards/pictures.ts';
import { slackProblem } from './cards/problems.ts';
import type { SlackContext } from './context.ts';
import { listenTo } from './listeners.ts';
import { membersOnly } from './members.ts';
import { createSlackPeople, type GrantsOf } from './people.ts';
import { finishOld } from './questions/finishOld.ts';
import { createTurns } from './questions/turns.ts';
import { createUnfinished } from './questions/unfinished.ts';

export const SLACK_PATH = '/slack/events';

interface SlackSettings {
  botToken: string;
  /** Socket Mode when set, HTTP otherwise. */
  appToken: string;
  signingSecret: string;
  /** Ids of workspaces whose members are served besides those of the bot's own. */
  workspaces: readonly string[];
  /** Ids of users and user groups. */
  viewers: readonly string[];
  operators: readonly string[];
  approvers: readonly string[];
  /** Another address of the Web API, ending in /api/; empty means Slack's own. */
  apiUrl: string;
  /** Where people reach the page, without a slash at the end; empty when nobody said. */
  publicUrl: string;
}

interface SlackNeeds {
  tools: readonly AnyTool[];
  invoke: Invoke;
  charts: ChartRenderer;
  /** Where it is kept which messages wait for the end of a run. */
  messages: SlackMessageRepository;
  grantsOf: GrantsOf;
  clock: Clock;
  log: Log;
}

export interface SlackInterface {
  /** Where Slack calls. */
  path: string;
  /** Serves SLACK_PATH; null in Socket Mode, where nobody calls in. */
  requestListener: ((request: IncomingMessage, response: ServerResponse) => Promise<void>) | null;
  /** Connects; a Slack that is down is logged and tried again, it never stops the service. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export function createSlack(settings: SlackSettings, needs: SlackNeeds): SlackInterface {
  const log = needs.log.child({ interface: 'slack' });
  const clientOptions = webClientOptions(settings.apiUrl, log);
  const stop = new AbortController();
  const client = new webApi.WebClient(settings.botToken, clientOptions);
  const people = createSlackPeople(client, settings, { ...needs, log });
  const slack: SlackContext = {
    tools: needs.tools.filter(({ hiddenFrom }) => !hiddenFrom?.includes('slack')),
    invoke: needs.invoke,
    client,
    people,
    pictures: createPictures(client, needs.charts, log),
    unfinished: createUnfinished(needs.messages, log),
    messages: needs.messages,
    clock: needs.clock,
    publicUrl: settings.publicUrl,
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
    // Whatever comes from another workspace is signed by Slack all the same, and is none of ours.
    authorize: async ({ teamId }) => {
      const me = await identity();
      if (teamId !== undefined && teamId !== me.team_id && !settings.workspaces.includes(teamId))
        throw new Error(`a request of another workspace, ${teamId}`);
      return { botToken: settings.botToken, botId: me.bot_id, botUserId: me.user_id, teamId: me.team_id };
    },
  });
  bolt.use(membersOnly(slack, { home: identity, workspaces: settings.workspaces, messages: needs.messages }));
  listenTo(bolt, slack);

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
      await finishOld(slack);
    },
    async stop() {
      stop.abort();
      if (!http) await receiver.stop();
    },
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
