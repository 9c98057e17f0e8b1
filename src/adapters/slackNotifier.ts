/** Tells alerts in a Slack channel: one message an alert, edited in place as it moves, its timeline in the thread. */
import { type types, webApi } from '@slack/bolt';
import { AppError } from '../core/errors.ts';
import type { DeliveryOutcome, Log, Messenger, SlackMessage, SlackMessageRepository } from '../core/ports.ts';
import type { Delivery, StoredMessage } from '../domain/outbox.ts';

export interface SlackNews {
  text: string;
  blocks: types.KnownBlock[];
}

/** What is known of an alert, on the wire. */
export type AlertFacts = Record<string, unknown>;

/** How news look and how refusals read: the Slack face's part, handed in because adapters do not know faces. */
export interface SlackWording {
  card(facts: AlertFacts): SlackNews;
  digest(facts: AlertFacts[]): SlackNews;
  /** What happened to an alert, for its thread. */
  moves(facts: AlertFacts, moves: { from: string | null; to: string; why: string }[]): SlackNews;
  problem(error: unknown): {
    code: string;
    message: string;
    retryAfterMs: number | null;
    /** `passing`: try again; `setup`: try again, a person has to act; `message`: this message can never be sent. */
    kind: 'passing' | 'setup' | 'message';
  };
}

export interface SlackNotifierParts {
  token: string;
  /** Channel id or name. */
  channel: string;
  /** Another address of the Web API, ending in /api/; empty means Slack's own. */
  apiUrl: string;
  wording: SlackWording;
  messages: SlackMessageRepository;
  /** Rejects with kind `not_found` when the alert is gone. */
  readAlert(alertId: number): Promise<AlertFacts>;
  log: Log;
}

/** Slack allows about one message a second in a channel (docs.slack.dev/apis/web-api/rate-limits). */
const PACE_MS = 1000;
/** More new alerts than this in a minute are told in one message. */
const STORM = { count: 10, windowMs: 60_000 };
const CALL_LIMIT_MS = 15_000;
/** Codes that mean: the message to edit is not there to be edited. */
const GONE = new Set(['message_not_found', 'cant_update_message', 'edit_window_closed', 'channel_not_found']);

/**
 * Slack's end is at least once: when the process dies between Slack's yes and the row that remembers it, a message is
 * posted a second time.
 */
export function createSlackNotifier(parts: SlackNotifierParts): Messenger {
  const { wording, messages, log } = parts;
  const client = new webApi.WebClient(parts.token, {
    ...(parts.apiUrl && { slackApiUrl: parts.apiUrl }),
    timeout: CALL_LIMIT_MS,
    // The outbox waits and tries again; two who retry would do it twice.
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    logLevel: webApi.LogLevel.ERROR,
  });

  return {
    name: 'slack',
    paceMs: PACE_MS,
    digest: STORM,
    async deliver(delivery) {
      try {
        await (delivery.kind === 'digest' ? tellDigest(delivery) : tellOne(delivery));
        return { outcome: 'delivered' };
      } catch (error) {
        return outcomeOf(error);
      }
    },
  };

  async function tellOne({ messages: news }: Delivery): Promise<void> {
    const subject = news[0]?.subject as string;
    const facts = await factsOf(subject);
    if (!facts) return;
    const told = await messages.find(subject);
    const moved = news.filter(({ kind }) => kind === 'changed').map(moveOf);
    const card = wording.card(facts);
    // A digest speaks for many alerts, so that news of one go to its thread and leave it as it is.
    const edited = told !== null && !told.digest && (await edit(told, card));
    if (told === null || !(edited || told.digest)) {
      const { channel, ts } = await post(parts.channel, card);
      await messages.keep([{ subject, channel, ts, digest: false }]);
    } else if (moved.length > 0) {
      await post(told.channel, wording.moves(facts, moved), told.ts);
    }
  }

  async function tellDigest({ messages: news }: Delivery): Promise<void> {
    const subjects = [...new Set(news.map(({ subject }) => subject))];
    const untold: { subject: string; facts: AlertFacts }[] = [];
    for (const subject of subjects) {
      const facts = (await messages.find(subject)) ? null : await factsOf(subject);
      if (facts) untold.push({ subject, facts });
    }
    if (untold.length === 0) return;
    const { channel, ts } = await post(parts.channel, wording.digest(untold.map(({ facts }) => facts)));
    await messages.keep(untold.map(({ subject }) => ({ subject, channel, ts, digest: true })));
  }

  /** Null when the alert does not exist any more, so that there is nothing to tell. */
  async function factsOf(subject: string): Promise<AlertFacts | null> {
    const alertId = Number(subject.replace(/^alert:/, ''));
    return parts.readAlert(alertId).catch((error: unknown) => {
      if (error instanceof AppError && error.kind === 'not_found') return null;
      throw error;
    });
  }

  async function post(channel: string, news: SlackNews, threadTs?: string): Promise<{ channel: string; ts: string }> {
    const posted = await client.chat.postMessage({
      channel,
      ...news,
      ...(threadTs && { thread_ts: threadTs }),
      unfurl_links: false,
      unfurl_media: false,
    });
    return { channel: posted.channel as string, ts: posted.ts as string };
  }

  /** False when the message is gone, for a new one to take its place. */
  async function edit({ channel, ts }: SlackMessage, news: SlackNews): Promise<boolean> {
    try {
      await client.chat.update({ channel, ts, ...news });
      return true;
    } catch (error) {
      const { code, message } = wording.problem(error);
      if (!GONE.has(code)) throw error;
      log.warn({ channel, ts, problem: message }, 'an alert message in Slack is gone; a new one is posted');
      return false;
    }
  }

  function outcomeOf(error: unknown): DeliveryOutcome {
    const { kind, message, retryAfterMs } = wording.problem(error);
    if (kind === 'message') return { outcome: 'refused', reason: message };
    if (kind === 'setup') log.error({ channel: parts.channel, problem: message }, 'alerts cannot be told in Slack');
    return { outcome: 'later', reason: message, ...(retryAfterMs !== null && { afterMs: retryAfterMs }) };
  }
}

function moveOf({ payload }: StoredMessage): { from: string | null; to: string; why: string } {
  const { from, to, why } = payload;
  return { from: from === null ? null : String(from), to: String(to), why: String(why) };
}
