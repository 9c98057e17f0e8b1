/** The Web API client of what this service posts to Slack by itself, what its refusals mean for a delivery, and its probe. */
import { type types, webApi } from '@slack/bolt';
import type { DeliveryOutcome } from '../../core/ports/messagePorts.ts';
import type { Clock, Log } from '../../core/ports/ports.ts';
import type { Probe } from '../../core/processes/health.ts';

export type SlackClient = webApi.WebClient;

export interface SlackNotifications {
  text: string;
  blocks: types.KnownBlock[];
}

/** How refusals read: the Slack interface's part, handed in because adapters do not know interfaces. */
export type ReadProblem = (error: unknown) => {
  code: string;
  message: string;
  retryAfterMs: number | null;
  /** `passing`, `setup`: Slack takes nothing, or nothing until a person acts; the others are about this message. */
  kind: 'passing' | 'setup' | 'message' | 'unclear';
};

const CALL_LIMIT_MS = 15_000;
/** Monitors ask every few seconds, and Slack counts the calls. */
const PROBE_EVERY_MS = 30_000;

/** @param apiUrl another address of the Web API, ending in /api/; empty means Slack's own */
export function createSlackClient(token: string, apiUrl: string): SlackClient {
  return new webApi.WebClient(token, {
    ...(apiUrl && { slackApiUrl: apiUrl }),
    timeout: CALL_LIMIT_MS,
    // The outbox waits and tries again; two who retry would do it twice.
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    logLevel: webApi.LogLevel.ERROR,
  });
}

/** @param channel a channel, or a person's direct messages by their id */
export async function postNotification(
  client: SlackClient,
  channel: string,
  notification: SlackNotifications,
  threadTs?: string,
): Promise<{ channel: string; ts: string }> {
  const posted = await plainIfRefused(notification, (shown) =>
    client.chat.postMessage({
      channel,
      ...shown,
      ...(threadTs && { thread_ts: threadTs }),
      unfurl_links: false,
      unfurl_media: false,
    }),
  );
  return { channel: posted.channel as string, ts: posted.ts as string };
}

/** Codes by which Slack refuses how a message is laid out; what it says can still be said. */
const REFUSED_LAYOUT = new Set([
  'invalid_blocks',
  'invalid_blocks_format',
  'invalid_arguments',
  'msg_blocks_too_long',
  'msg_too_long',
]);
/** Slack recommends at most so many characters of text (docs.slack.dev/reference/methods/chat.postMessage). */
const MAX_TEXT = 4_000;

/** Sends a message once more as plain text when Slack refuses its blocks. */
export async function plainIfRefused<T>(
  notification: SlackNotifications,
  send: (shown: SlackNotifications) => Promise<T>,
): Promise<T> {
  try {
    return await send(notification);
  } catch (error) {
    const refused = error instanceof webApi.WebAPIPlatformError && REFUSED_LAYOUT.has(error.data.error);
    if (!refused || notification.text === '') throw error;
    return send({ text: notification.text.slice(0, MAX_TEXT), blocks: [] });
  }
}

/** Codes that mean: this one person cannot be written to, while others can. */
const UNREACHABLE = new Set(['channel_not_found', 'user_not_found', 'user_disabled', 'cannot_dm_bot']);

/** Null, with a line in the log, when the person cannot be written to: nobody else shall wait for that to change. */
export async function postToPerson(
  { client, wording, log }: { client: SlackClient; wording: { problem: ReadProblem }; log: Log },
  userId: string,
  notification: SlackNotifications,
): Promise<{ channel: string; ts: string } | null> {
  try {
    return await postNotification(client, userId, notification);
  } catch (error) {
    const { code } = wording.problem(error);
    if (!UNREACHABLE.has(code)) throw error;
    log.warn({ user: userId, code }, 'somebody could not be written to in Slack and was skipped');
    return null;
  }
}

/** What a failed call means for the message that waits in the outbox. */
export function failedDelivery({ kind, message, retryAfterMs }: ReturnType<ReadProblem>): DeliveryOutcome {
  if (kind === 'message') return { outcome: 'refused', reason: message };
  if (kind === 'unclear') return { outcome: 'failed', reason: message };
  return { outcome: 'later', reason: message, ...(retryAfterMs !== null && { afterMs: retryAfterMs }) };
}

/** Whether Slack knows us; asked at most twice a minute. */
export function slackProbe(client: SlackClient, problem: ReadProblem, clock: Clock): Probe {
  let asked: { atMs: number; check: ReturnType<Probe> } | null = null;
  const ask: Probe = async () => {
    try {
      const { team, user } = await client.auth.test();
      return { status: 'ok', team, user };
    } catch (error) {
      return { status: 'degraded', detail: problem(error).message };
    }
  };
  return () => {
    const nowMs = clock.now().getTime();
    if (!asked || nowMs - asked.atMs >= PROBE_EVERY_MS) asked = { atMs: nowMs, check: ask() };
    return asked.check;
  };
}
