/** A Slack to test against: a local Web API, and a driver that signs and sends what Slack's servers would. */
import { createHmac, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { createEmulator } from 'emulate';
import { freePort } from './freePort.ts';
import { slackProblems } from './slackLimits.ts';

export const SIGNING_SECRET = 'signing-secret-of-the-tests';
export const BOT_TOKEN = 'xoxb-test-bot';
const DRIVER_TOKEN = 'xoxp-test-driver';
const TEAM = 'T000000001';
/** Generous: the machine may be busy with other tests. */
const PATIENCE_MS = 30_000;

const manifest = JSON.parse(readFileSync(join(import.meta.dirname, '../../config/slack-manifest.json'), 'utf8'));
/** What the app may do once installed by its manifest. */
export const MANIFEST_SCOPES: string[] = manifest.oauth_config.scopes.bot;

export interface ApiCall {
  method: string;
  body: any;
  answer: any;
}

/** Answers a Web API method in the emulator's place; undefined passes the call on. */
export type Override = (body: any) => OverriddenAnswer | undefined | Promise<OverriddenAnswer | undefined>;
interface OverriddenAnswer {
  status?: number;
  headers?: Record<string, string>;
  json: unknown;
}

/** How requests reach the app: signed over HTTP, or as envelopes over a socket. Resolves with what the app acknowledged. */
export type Transport = (
  type: 'slash_commands' | 'interactive' | 'events_api',
  payload: Record<string, unknown>,
) => Promise<any>;

export interface TestSlack {
  /** For SLACK_API_URL. */
  apiUrl: string;
  inspectorUrl: string;
  users: Record<string, string>;
  channels: Record<string, string>;
  /** Web API calls of the app, oldest first. */
  calls: ApiCall[];
  overrides: Map<string, Override>;
  /** What the app sent to response_urls, oldest first. */
  responses: any[];
  /** The status that response_urls answer with. */
  responseStatus: number;
  /** Calls the Web API as a person who may do everything. */
  api(method: string, body?: Record<string, unknown>): Promise<any>;
  /** Waits until a value comes. */
  until<T>(what: () => T | undefined | Promise<T | undefined>): Promise<T>;
  command(send: Transport, user: string, text: string, channel?: string): Promise<any>;
  click(send: Transport, user: string, click: Click): Promise<any>;
  submit(send: Transport, user: string, view: any, values: Record<string, string>): Promise<any>;
  openHome(send: Transport, user: string, eventId?: string, tab?: 'home' | 'messages'): Promise<any>;
  /** A shortcut of Slack's own menu, or with a message one of that message. */
  shortcut(send: Transport, user: string, callbackId: string, message?: { text: string }): Promise<any>;
  /** An event of any kind. */
  event(send: Transport, event: Record<string, unknown>, eventId?: string): Promise<any>;
  /** What somebody writes: in a channel to the app by mention, or in its direct messages. */
  write(send: Transport, user: string, type: 'app_mention' | 'message', text: string, more?: object): Promise<any>;
  close(): Promise<void>;
}

export interface Click {
  actionId: string;
  value?: string;
  /** Chosen in a menu instead. */
  selected?: string;
  message?: { channel: string; ts: string; thread_ts?: string };
  /** Of an earlier click that is sent again. */
  triggerId?: string;
}

export interface Member {
  name: string;
  real_name: string;
  email: string;
}

/** @param more people besides the usual ones */
export async function startSlack(scopes: string[] = MANIFEST_SCOPES, more: readonly Member[] = []): Promise<TestSlack> {
  const emulator = await createEmulator({
    service: 'slack',
    port: await freePort(),
    seed: {
      slack: {
        strict_scopes: true,
        users: [
          { name: 'alice', real_name: 'Alice', email: 'alice@example.com' },
          { name: 'otto', real_name: 'Otto the operator', email: 'otto@example.com' },
          { name: 'nomail', real_name: 'Nora', email: ' ' },
          { name: 'dexops', real_name: 'DexOps' },
          ...more,
        ],
        channels: [{ name: 'alerts' }],
        tokens: [
          { token: BOT_TOKEN, user: 'dexops', type: 'bot', scopes },
          { token: DRIVER_TOKEN, user: 'otto', type: 'user' },
        ],
      },
    },
  });

  const slack: Pick<TestSlack, 'calls' | 'overrides' | 'responses' | 'responseStatus'> = {
    calls: [],
    overrides: new Map(),
    responses: [],
    responseStatus: 200,
  };
  /** What Slack itself would have refused. */
  const refused: string[] = [];
  const front = createServer((request, response) => void serve(request, response));
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  const address = front.address();
  const base = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;

  /** Stands before the emulator: keeps what was said, and answers what the emulator cannot. */
  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const raw = Buffer.concat(await request.toArray()).toString();
    const path = request.url ?? '/';
    if (path.startsWith('/respond')) {
      if (slack.responseStatus === 200) slack.responses.push(JSON.parse(raw));
      refused.push(...slackProblems('response_url', JSON.parse(raw)));
      response.writeHead(slack.responseStatus).end('ok');
      return;
    }
    const method = path.replace('/api/', '').split('?')[0] ?? '';
    const body = { ...parsed(raw, request.headers['content-type'] ?? ''), ...query(path) };
    if (request.headers.authorization !== `Bearer ${DRIVER_TOKEN}`)
      refused.push(...slackProblems(method, body).map((problem) => `${method}: ${problem}`));
    const instead = await slack.overrides.get(method)?.(body);
    const { status, headers, text } = instead
      ? { status: instead.status ?? 200, headers: instead.headers ?? {}, text: JSON.stringify(instead.json) }
      : await passOn(path, request, raw);
    if (request.headers.authorization !== `Bearer ${DRIVER_TOKEN}`)
      slack.calls.push({ method, body, answer: JSON.parse(text) });
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text);
  }

  async function passOn(path: string, request: IncomingMessage, raw: string) {
    const answer = await fetch(emulator.url + path, {
      method: request.method,
      headers: {
        'content-type': request.headers['content-type'] ?? 'application/x-www-form-urlencoded',
        authorization: request.headers.authorization ?? '',
      },
      body: request.method === 'GET' ? undefined : raw,
    });
    return { status: answer.status, headers: {}, text: await answer.text() };
  }

  async function api(method: string, body: Record<string, unknown> = {}) {
    const answer = await fetch(`${emulator.url}/api/${method}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${DRIVER_TOKEN}` },
      body: JSON.stringify(body),
    });
    return answer.json() as Promise<any>;
  }

  async function triggerId(user: string): Promise<string> {
    const answer = await fetch(`${emulator.url}/api/views.generateTriggerId`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${BOT_TOKEN}` },
      body: JSON.stringify({ user_id: users[user] }),
    });
    return ((await answer.json()) as any).trigger_id;
  }

  const { members } = await api('users.list');
  const users = Object.fromEntries(members.map(({ id, name }: any) => [name, id])) as Record<string, string>;
  const listed = await api('conversations.list');
  const channels = Object.fromEntries(listed.channels.map(({ id, name }: any) => [name, id])) as Record<string, string>;
  const event = (send: Transport, event: Record<string, unknown>, eventId: string = randomUUID()) =>
    send('events_api', {
      type: 'event_callback',
      team_id: TEAM,
      api_app_id: 'A000000001',
      event_id: eventId,
      event_time: Math.floor(Date.now() / 1000),
      event,
    });
  const common = (user: string) => ({
    team: { id: TEAM, domain: 'emulate' },
    user: { id: users[user], name: user, username: user, team_id: TEAM },
    api_app_id: 'A000000001',
    token: 'legacy',
  });

  return Object.assign(slack, {
    apiUrl: `${base}/api/`,
    inspectorUrl: emulator.url,
    users,
    channels,
    api,

    async until<T>(what: () => T | undefined | Promise<T | undefined>): Promise<T> {
      const deadline = Date.now() + PATIENCE_MS;
      for (;;) {
        const value = await what();
        if (value !== undefined) return value;
        if (Date.now() > deadline) throw new Error(`did not come within ${PATIENCE_MS / 1000} s: ${what}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },

    command: async (send: Transport, user: string, text: string, channel = 'alerts') =>
      send('slash_commands', {
        command: '/dex',
        text,
        team_id: TEAM,
        team_domain: 'emulate',
        channel_id: channels[channel],
        channel_name: channel,
        user_id: users[user],
        user_name: user,
        api_app_id: 'A000000001',
        response_url: `${base}/respond/${randomUUID()}`,
        trigger_id: await triggerId(user),
      }),

    click: async (send: Transport, user: string, click: Click) =>
      send('interactive', {
        type: 'block_actions',
        ...common(user),
        trigger_id: click.triggerId ?? (await triggerId(user)),
        ...(click.message
          ? {
              container: { type: 'message', message_ts: click.message.ts, channel_id: click.message.channel },
              channel: { id: click.message.channel, name: 'alerts' },
              message: { type: 'message', ts: click.message.ts, text: '' },
              response_url: `${base}/respond/${randomUUID()}`,
            }
          : { container: { type: 'view', view_id: 'V1' }, view: { id: 'V1', type: 'home' } }),
        state: { values: {} },
        actions: [
          {
            action_id: click.actionId,
            block_id: 'b',
            action_ts: String(Date.now() / 1000),
            ...(click.selected === undefined
              ? { type: 'button', value: click.value ?? '' }
              : { type: 'static_select', selected_option: { value: click.selected } }),
          },
        ],
      }),

    submit: async (send: Transport, user: string, view: any, values: Record<string, string>) =>
      send('interactive', {
        type: 'view_submission',
        ...common(user),
        trigger_id: await triggerId(user),
        view: { id: view.id ?? 'V1', hash: 'h', state: { values: filledIn(view, values) }, ...viewFacts(view) },
        response_urls: [],
      }),

    event,

    shortcut: async (send: Transport, user: string, callbackId: string, message?: { text: string }) =>
      send('interactive', {
        type: message ? 'message_action' : 'shortcut',
        ...common(user),
        callback_id: callbackId,
        trigger_id: await triggerId(user),
        action_ts: '1.0',
        ...(message && {
          message: { type: 'message', ts: '1600.9', ...message },
          channel: { id: channels.alerts, name: 'alerts' },
          message_ts: '1600.9',
          response_url: `${base}/respond/${randomUUID()}`,
        }),
      }),

    openHome: (send: Transport, user: string, eventId?: string, tab: 'home' | 'messages' = 'home') =>
      event(
        send,
        {
          type: 'app_home_opened',
          user: users[user],
          channel: tab === 'home' ? 'D1' : users[user],
          tab,
          event_ts: '1.0',
        },
        eventId,
      ),

    write: (send: Transport, user: string, type: 'app_mention' | 'message', text: string, more = {}) =>
      event(send, {
        type,
        user: users[user],
        text,
        ts: '1700000000.000100',
        channel: channels.alerts,
        ...(type === 'message' && { channel_type: 'im', channel: users[user] }),
        ...more,
      }),

    async close() {
      front.closeAllConnections();
      await new Promise((resolve) => front.close(resolve));
      await emulator.close();
      if (refused.length > 0) throw new Error(`Slack would have refused:\n${[...new Set(refused)].join('\n')}`);
    },
  });
}

function viewFacts(view: any) {
  const { callback_id, private_metadata, type } = view;
  return { callback_id, private_metadata, type };
}

/** The state of a form whose other fields were left empty. */
function filledIn(view: any, values: Record<string, string>) {
  const inputs = view.blocks.filter(({ type }: any) => type === 'input');
  return Object.fromEntries(
    inputs.map(({ block_id, element }: any) => {
      const value = values[block_id] ?? null;
      const state =
        element.type === 'static_select'
          ? { type: element.type, selected_option: value === null ? null : { value } }
          : element.type === 'checkboxes'
            ? { type: element.type, selected_options: value === null ? [] : [{ value }] }
            : { type: element.type, value };
      return [block_id, { [element.action_id]: state }];
    }),
  );
}

function query(path: string): Record<string, string> {
  return Object.fromEntries(new URL(path, 'http://localhost').searchParams);
}

/** A Web API body with its JSON fields read. */
function parsed(raw: string, contentType: string): Record<string, unknown> {
  if (contentType.includes('json')) return JSON.parse(raw || '{}');
  const fields = [...new URLSearchParams(raw)].map(([name, value]) => [
    name,
    /^[[{]/.test(value) ? JSON.parse(value) : value,
  ]);
  return Object.fromEntries(fields);
}

export interface Signing {
  secret?: string;
  /** Seconds added to the time of signing. */
  shiftS?: number;
  headers?: Record<string, string>;
}

export function signature(raw: string, timestampS: number, secret = SIGNING_SECRET): string {
  return `v0=${createHmac('sha256', secret).update(`v0:${timestampS}:${raw}`).digest('hex')}`;
}

/** Posts a body as Slack does, and resolves with the status and the acknowledgement. */
export async function postSigned(url: string, raw: string, contentType: string, signing: Signing = {}) {
  const timestampS = Math.floor(Date.now() / 1000) + (signing.shiftS ?? 0);
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': contentType,
      'x-slack-request-timestamp': String(timestampS),
      'x-slack-signature': signature(raw, timestampS, signing.secret),
      ...signing.headers,
    },
    body: raw,
  });
  const text = await response.text();
  return { status: response.status, text, json: text.startsWith('{') ? JSON.parse(text) : null };
}

/** @param url of the service, without a path */
export function httpTransport(url: string, signing: Signing = {}): Transport {
  return async (type, payload) => {
    const target = `${url}/slack/events`;
    if (type === 'events_api') return postSigned(target, JSON.stringify(payload), 'application/json', signing);
    const form = type === 'interactive' ? { payload: JSON.stringify(payload) } : (payload as Record<string, string>);
    return postSigned(target, String(new URLSearchParams(form)), 'application/x-www-form-urlencoded', signing);
  };
}
