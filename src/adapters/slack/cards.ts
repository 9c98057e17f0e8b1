/** Cards in the channel: one for the alerts of a machine that come together, edited in place, with its timeline in its thread. */
import { LRUCache } from 'lru-cache';
import { AppError } from '../../core/errors.ts';
import type { SlackMessage } from '../../core/ports/messagePorts.ts';
import { plainIfRefused, postNotification, type SlackNotifications } from './client.ts';
import type { Facts, Move, SlackNotifierParts } from './notificationText.ts';

type Place = Pick<SlackMessage, 'channel' | 'ts'>;

/** Alerts of a machine that begin within this time of each other share a card; milliseconds. */
const TOGETHER_MS = 10 * 60_000;
/** As many as one message shows well. */
const MOST_TOGETHER = 6;
/** New alerts join the digest of a storm for so long; milliseconds. */
const STORM_MS = 10 * 60_000;
/** Alerts that one digest counts at most: each change of one reads all. */
const MOST_IN_DIGEST = 100;

/** Codes that mean: the message to edit is not there to be edited. */
const GONE = new Set([
  'message_not_found',
  'cant_update_message',
  'edit_window_closed',
  'channel_not_found',
  'is_archived',
  'not_in_channel',
]);

interface Cards {
  /** Shows an alert on the card of its machine's problem, and in the thread what became of it. */
  show(alertId: number, facts: Facts, told: SlackMessage | null, moves: readonly Move[]): Promise<Place>;
  /** One message for a subject, edited as it changes, and posted anew when it is gone. */
  keep(subject: string, told: SlackMessage | null, card: SlackNotifications): Promise<Place>;
  /** False when the message is gone, for a new one to take its place. */
  edit(place: Place, news: SlackNotifications): Promise<boolean>;
  /** The digest that new alerts of a storm join; null when there is none. */
  stormGoingOn(): Promise<Place | null>;
}

export function createCards(parts: SlackNotifierParts): Cards {
  const { client, wording, messages, approvers, log } = parts;
  /** By their ts, so that an edit that would change nothing is left out. */
  const shownTimelines = new LRUCache<string, string>({ max: 200 });

  async function show(
    alertId: number,
    facts: Facts,
    told: SlackMessage | null,
    moves: readonly Move[],
  ): Promise<Place> {
    const subject = `alert:${alertId}`;
    const joined = told ? null : await cardOfMachine(alertId, facts);
    if (joined) await messages.keep([{ subject, channel: joined.channel, ts: joined.ts, digest: false }]);
    const card = told ?? joined;
    const group = card ? await groupOn(card, alertId, facts) : new Map([[alertId, facts]]);
    const all = [...group.values()];
    const shown = wording.card(all, approvers);
    const isThere = card !== null && (await edit(card, shown));
    const place = isThere ? card : await postNotification(client, parts.channel, shown);
    if (!isThere) await remember(group, place);
    const joins = isThere && joined !== null && addsWorse(alertId, group);
    await showThread(
      place,
      facts,
      all,
      joins ? [{ from: null, to: 'active', why: shown.text }] : moves.filter(wording.isLoud),
    );
    return place;
  }

  /** The card of an alert of the same machine that came within minutes. */
  async function cardOfMachine(alertId: number, facts: Facts): Promise<SlackMessage | null> {
    const { hostname, createdAtMs } = wording.about(facts);
    for (const other of await parts.alertsOf(hostname)) {
      const told = other === alertId ? null : await messages.find(`alert:${other}`);
      if (!told || told.digest) continue;
      const its = await existing(parts.readAlert(other));
      if (!its || Math.abs(wording.about(its).createdAtMs - createdAtMs) > TOGETHER_MS) continue;
      if ((await alertsOn(told)).length < MOST_TOGETHER) return told;
    }
    return null;
  }

  async function alertsOn(card: Place): Promise<number[]> {
    const subjects = await messages.sharing(card);
    return subjects.flatMap((subject) => Number(/^alert:(\d+)$/.exec(subject)?.[1] ?? Number.NaN) || []);
  }

  async function groupOn(card: Place, alertId: number, facts: Facts): Promise<Map<number, Facts>> {
    const group = new Map([[alertId, facts]]);
    for (const other of await alertsOn(card)) {
      const its = other === alertId ? facts : await existing(parts.readAlert(other));
      if (its) group.set(other, its);
    }
    return group;
  }

  /** What was first posted just now, with the names of whom its escalation has reached. */
  async function remember(group: ReadonlyMap<number, Facts>, place: Place): Promise<void> {
    const subjects = [...group].flatMap(([id, facts]) => {
      const { reached } = wording.about(facts);
      const mark = reached && reached.people.length > 0 ? [mentionMark(`alert:${id}`, reached.beganAt)] : [];
      return [`alert:${id}`, ...mark];
    });
    await messages.keep(subjects.map((subject) => ({ subject, channel: place.channel, ts: place.ts, digest: false })));
  }

  /** Whether an alert that joins a card is critical where none was, so that people have to notice it. */
  function addsWorse(alertId: number, group: ReadonlyMap<number, Facts>): boolean {
    const abouts = [...group].map(([id, facts]) => ({ id, ...wording.about(facts) }));
    const isCritical = ({ severity, follows }: { severity: string; follows: boolean }) =>
      severity === 'critical' && !follows;
    return (
      abouts.some((one) => one.id === alertId && isCritical(one)) &&
      !abouts.some((one) => one.id !== alertId && isCritical(one))
    );
  }

  /** The timeline is one message that is edited; a new one is posted only for what people have to notice. */
  async function showThread(place: Place, facts: Facts, all: readonly Facts[], loud: readonly Move[]): Promise<void> {
    if (loud.length > 0) await postNotification(client, place.channel, wording.moves(facts, loud), place.ts);
    const subject = `thread:${place.ts}`;
    const told = await messages.find(subject);
    const asks = await newAsks(all);
    const timeline = wording.timeline(all, told ? [] : asks, approvers);
    // Whoever is asked is asked with the move that comes with it, which has a message of its own.
    if (!timeline) return;
    for (const ask of told ? asks : [])
      await postNotification(client, place.channel, wording.ask(ask, approvers), place.ts);
    if (told) await markAsked(asks, place);
    const text = JSON.stringify(timeline);
    if (shownTimelines.get(place.ts) === text) return;
    if (!told || !(await edit(told, timeline))) {
      const { channel, ts } = await postNotification(client, place.channel, timeline, place.ts);
      await messages.keep([{ subject, channel, ts, digest: false }]);
      await markAsked(asks, place);
    }
    shownTimelines.set(place.ts, text);
  }

  /** Approvals that wait and that nobody was asked for yet. */
  async function newAsks(all: readonly Facts[]): Promise<Facts[]> {
    const asked = await Promise.all(
      all.map((facts) => {
        const { asks } = wording.about(facts);
        return asks === null ? true : messages.find(`asked:${asks}`);
      }),
    );
    return all.filter((_facts, index) => !asked[index]);
  }

  async function markAsked(asks: readonly Facts[], { channel, ts }: Place): Promise<void> {
    if (asks.length === 0) return;
    const subjects = asks.map((facts) => `asked:${wording.about(facts).asks}`);
    await messages.keep(subjects.map((subject) => ({ subject, channel, ts, digest: false })));
  }

  async function keep(subject: string, told: SlackMessage | null, card: SlackNotifications): Promise<Place> {
    if (told && (await edit(told, card))) return told;
    const place = await postNotification(client, parts.channel, card);
    await messages.keep([{ subject, ...place, digest: false }]);
    return place;
  }

  async function edit({ channel, ts }: Place, news: SlackNotifications): Promise<boolean> {
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

  async function stormGoingOn(): Promise<Place | null> {
    const last = await messages.latestDigest();
    if (!last) return null;
    const ageMs = parts.clock.now().getTime() - Number(last.ts) * 1000;
    if (!(ageMs >= 0 && ageMs < STORM_MS)) return null;
    return (await messages.sharing(last)).length < MOST_IN_DIGEST ? last : null;
  }

  return { show, keep, edit, stormGoingOn };
}

/** The subject that remembers that a card was posted with the names of whom its escalation reached. */
export function mentionMark(subject: string, beganAt: string): string {
  return `mentioned:${subject}:${beganAt}`;
}

/** Null when it does not exist any more, so that there is nothing to post. */
export async function existing(reading: Promise<Facts>): Promise<Facts | null> {
  return reading.catch((error: unknown) => {
    if (error instanceof AppError && error.kind === 'not_found') return null;
    throw error;
  });
}
