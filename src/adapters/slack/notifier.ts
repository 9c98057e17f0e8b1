/** Posts to Slack what people should know: alerts and approvals as one message each, edited in place; notices; questions to owners. */
import { LRUCache } from 'lru-cache';
import { AppError } from '../../core/errors.ts';
import type { Answer } from '../../core/invoke.ts';
import type {
  DeliveryOutcome,
  Messenger,
  SlackMessage,
  SlackMessageRepository,
} from '../../core/ports/messagePorts.ts';
import type { Log } from '../../core/ports/ports.ts';
import type { Delivery, StoredMessage } from '../../domain/outbox.ts';
import {
  failedDelivery,
  plainIfRefused,
  postNotification,
  postToPerson,
  type ReadProblem,
  type SlackClient,
  type SlackNotifications,
} from './client.ts';
import type { SlackDirectory } from './directory.ts';

/** The answer that shows an alert or an approval, with what can be done about it. */
type Facts = Pick<Answer, 'call' | 'output' | 'related'>;

/** How notifications look and how refusals read: the Slack interface's part, handed in because adapters do not know interfaces. */
export interface NotificationText {
  card(facts: Facts): SlackNotifications;
  digest(facts: Facts[]): SlackNotifications;
  /** What happened to an alert, for its thread. */
  moves(facts: Facts, moves: { from: string | null; to: string; why: string }[]): SlackNotifications;
  /** That an approval expires soon, for its thread, with who may answer. */
  reminder(facts: Facts, approvers: readonly string[]): SlackNotifications;
  /** `waiting` while people can answer it. */
  approval(facts: Facts): { news: SlackNotifications; waiting: boolean };
  /** "Did that fix it?", for the owner. */
  fixCheck(remediationId: string, alert: Facts): SlackNotifications;
  note(text: string): SlackNotifications;
  problem: ReadProblem;
}

export interface SlackNotifierParts {
  client: SlackClient;
  directory: SlackDirectory;
  /** Channel id or name. */
  channel: string;
  /** Ids of the users and user groups that answer approvals; mentioned in reminders. */
  approvers: readonly string[];
  wording: NotificationText;
  messages: SlackMessageRepository;
  /** Both reject with kind `not_found` when what they look for is gone. */
  readAlert(alertId: number): Promise<Facts>;
  readApproval(approvalId: string): Promise<Facts>;
  log: Log;
}

/** Slack allows about one message a second in a channel (docs.slack.dev/apis/web-api/rate-limits). */
const PACE_MS = 1000;
/** More new alerts than this in a minute are posted in one message. */
const STORM = { count: 10, windowMs: 60_000 };
/** Codes that mean: the message to edit is not there to be edited. */
const GONE = new Set([
  'message_not_found',
  'cant_update_message',
  'edit_window_closed',
  'channel_not_found',
  'is_archived',
  'not_in_channel',
]);

/**
 * Slack's end is at least once: when the process dies between Slack's acknowledgement and the row that remembers it, a message is
 * posted a second time.
 */
export function createSlackNotifier(parts: SlackNotifierParts): Messenger {
  const { client, wording, messages, log } = parts;
  /** By their ts, so that an edit that would change nothing is left out. */
  const shownDigests = new LRUCache<string, string>({ max: 20 });

  return {
    name: 'slack',
    paceMs: PACE_MS,
    digest: STORM,
    async deliver(delivery) {
      try {
        await (delivery.kind === 'digest' ? postDigest(delivery) : tellOne(delivery.messages));
        return { outcome: 'delivered' };
      } catch (error) {
        return outcomeOf(error);
      }
    },
  };

  function tellOne(news: StoredMessage[]): Promise<void> {
    const [about, id = ''] = (news[0]?.subject ?? '').split(':', 2);
    if (about === 'alert') return postAlert(Number(id), news);
    if (about === 'approval') return postApproval(id, news);
    if (about === 'fix_check') return askOwner(id, news);
    if (about === 'privacy_notice') return notifyOwners(news);
    return notifyNotes(parts.channel, news);
  }

  async function postAlert(alertId: number, news: StoredMessage[]): Promise<void> {
    const facts = await existing(parts.readAlert(alertId));
    if (!facts) return;
    const told = await messages.find(`alert:${alertId}`);
    const moved = news.filter(isMove).map(moveOf);
    // A digest speaks for many alerts: it counts what became of them, and nothing is posted about each.
    if (told?.digest) {
      await editDigest(told);
      return notifyNotes(told.channel, news, told.ts);
    }
    const { place, isNew } = await keepCard(`alert:${alertId}`, told, wording.card(facts));
    if (!isNew && moved.length > 0)
      await postNotification(client, place.channel, wording.moves(facts, moved), place.ts);
    await notifyNotes(place.channel, news, place.ts);
  }

  /** What was decided before anybody could be shown the question needs no card. */
  async function postApproval(approvalId: string, news: StoredMessage[]): Promise<void> {
    const subject = `approval:${approvalId}`;
    const facts = await existing(parts.readApproval(approvalId));
    const told = await messages.find(subject);
    const card = facts && wording.approval(facts);
    if (!card || !(told || card.waiting)) return;
    const { place } = await keepCard(subject, told, card.news);
    if (card.waiting && news.some(({ payload }) => payload.reminder === true))
      await postNotification(client, place.channel, wording.reminder(facts, parts.approvers), place.ts);
  }

  async function askOwner(remediationId: string, news: StoredMessage[]): Promise<void> {
    const subject = `fix_check:${remediationId}`;
    const { alert_id, owner_email } = news[0]?.payload ?? {};
    if (await messages.find(subject)) return;
    const facts = await existing(parts.readAlert(Number(alert_id)));
    if (!facts) return;
    const posted = await notifyOwner(String(owner_email), wording.fixCheck(remediationId, facts));
    if (posted) await messages.keep([{ subject, ...posted, digest: false }]);
  }

  async function notifyOwners(news: StoredMessage[]): Promise<void> {
    for (const { payload } of news) await notifyOwner(String(payload.owner_email), wording.note(String(payload.text)));
  }

  /** Null when there is nobody to notify, or a person has to mend the set-up first: alerts must not wait for that. */
  async function notifyOwner(email: string, news: SlackNotifications): Promise<{ channel: string; ts: string } | null> {
    try {
      const owner = await parts.directory.lookup(email);
      return owner && (await postToPerson(parts, owner.userId, news));
    } catch (error) {
      const { kind, message } = wording.problem(error);
      if (kind !== 'setup') throw error;
      log.error({ problem: message }, 'owners cannot be asked in Slack');
      return null;
    }
  }

  async function notifyNotes(channel: string, news: StoredMessage[], threadTs?: string): Promise<void> {
    for (const { payload } of news) {
      const text = payload.note ?? payload.text;
      if (typeof text === 'string') await postNotification(client, channel, wording.note(text), threadTs);
    }
  }

  async function postDigest({ messages: news }: Delivery): Promise<void> {
    const subjects = [...new Set(news.map(({ subject }) => subject))];
    const untold: { subject: string; facts: Facts }[] = [];
    for (const subject of subjects) {
      const alertId = Number(subject.replace(/^alert:/, ''));
      const facts = (await messages.find(subject)) ? null : await existing(parts.readAlert(alertId));
      if (facts) untold.push({ subject, facts });
    }
    if (untold.length === 0) return;
    const { channel, ts } = await postNotification(
      client,
      parts.channel,
      wording.digest(untold.map(({ facts }) => facts)),
    );
    await messages.keep(untold.map(({ subject }) => ({ subject, channel, ts, digest: true })));
  }

  /** Shows in a digest how its alerts stand now; once for moves of many that read alike. */
  async function editDigest(told: SlackMessage): Promise<void> {
    const subjects = await messages.sharing(told);
    const read = subjects.map((subject) => existing(parts.readAlert(Number(subject.replace(/^alert:/, '')))));
    const digest = wording.digest((await Promise.all(read)).filter((facts) => facts !== null));
    const shown = JSON.stringify(digest);
    if (shownDigests.get(told.ts) === shown) return;
    await edit(told, digest);
    shownDigests.set(told.ts, shown);
  }

  /** One message for a subject, edited as it changes, and posted anew when it is gone. */
  async function keepCard(
    subject: string,
    told: SlackMessage | null,
    card: SlackNotifications,
  ): Promise<{ place: Pick<SlackMessage, 'channel' | 'ts'>; isNew: boolean }> {
    if (told && (await edit(told, card))) return { place: told, isNew: false };
    const place = await postNotification(client, parts.channel, card);
    await messages.keep([{ subject, ...place, digest: false }]);
    return { place, isNew: true };
  }

  /** False when the message is gone, for a new one to take its place. */
  async function edit({ channel, ts }: SlackMessage, news: SlackNotifications): Promise<boolean> {
    try {
      await plainIfRefused(news, (shown) => client.chat.update({ channel, ts, ...shown }));
      return true;
    } catch (error) {
      const { code, message } = wording.problem(error);
      if (!GONE.has(code)) throw error;
      log.warn({ channel, ts, problem: message }, 'a message in Slack is gone; a new one is posted');
      return false;
    }
  }

  function outcomeOf(error: unknown): DeliveryOutcome {
    const problem = wording.problem(error);
    if (problem.kind === 'setup')
      log.error({ channel: parts.channel, problem: problem.message }, 'a notification cannot be posted to Slack');
    return failedDelivery(problem);
  }
}

/** Null when it does not exist any more, so that there is nothing to post. */
async function existing(reading: Promise<Facts>): Promise<Facts | null> {
  return reading.catch((error: unknown) => {
    if (error instanceof AppError && error.kind === 'not_found') return null;
    throw error;
  });
}

function isMove({ kind, payload }: StoredMessage): boolean {
  return kind === 'changed' && payload.note === undefined;
}

function moveOf({ payload }: StoredMessage): { from: string | null; to: string; why: string } {
  const { from, to, why } = payload;
  return { from: from === null ? null : String(from), to: String(to), why: String(why) };
}
