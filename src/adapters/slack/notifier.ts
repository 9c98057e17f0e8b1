/** Posts to Slack what people should know: one card for a machine's problem, edited in place; notices; questions to owners. */
import { LRUCache } from 'lru-cache';
import type { DeliveryOutcome, Messenger, SlackMessage } from '../../core/ports/messagePorts.ts';
import type { Delivery, StoredMessage } from '../../domain/outbox.ts';
import { createCards, existing, mentionMark } from './cards.ts';
import { failedDelivery, postNotification, postToPerson, type SlackNotifications } from './client.ts';
import type { Facts, Move, SlackNotifierParts } from './notificationText.ts';

/** Slack allows about one message a second in a channel (docs.slack.dev/apis/web-api/rate-limits). */
const PACE_MS = 1000;
/** More new alerts than this in a minute are posted in one message. */
const STORM = { count: 10, windowMs: 60_000 };

/**
 * Slack's end is at least once: when the process dies between Slack's acknowledgement and the row that remembers it, a message is
 * posted a second time.
 */
export function createSlackNotifier(parts: SlackNotifierParts): Messenger {
  const { client, wording, messages, log } = parts;
  const cards = createCards(parts);
  const pictures = wording.pictures(client, parts.charts, log);
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

  async function tellOne(news: StoredMessage[]): Promise<void> {
    const [about, id = ''] = (news[0]?.subject ?? '').split(':', 2);
    if (about === 'alert') return postAlert(Number(id), news);
    if (about === 'approval') return postApproval(id, news);
    if (about === 'fix_check') return askOwner(id, news);
    if (about === 'privacy_notice') return notifyOwners(news);
    if (about === 'escalation') return reachInThread(news);
    if (about === 'direct') return reachDirectly(news);
    if (about === 'report') return postReport(news);
    return notifyNotes(parts.channel, news, about === 'agent' ? await reportOfToday() : undefined);
  }

  async function postReport([first]: StoredMessage[]): Promise<void> {
    const report = await parts.readReport(Number(first?.payload.days));
    const shown = wording.report(report, await pictures.show(report.chart));
    const posted = await postNotification(client, parts.channel, shown);
    await messages.keep([{ subject: String(first?.subject), ...posted, digest: false }]);
  }

  /** What an agent writes about the same days belongs below the report. */
  async function reportOfToday(): Promise<string | undefined> {
    return (await messages.find(`report:${parts.clock.now().toISOString().slice(0, 10)}`))?.ts;
  }

  async function postAlert(alertId: number, news: StoredMessage[]): Promise<void> {
    const facts = await existing(parts.readAlert(alertId));
    if (!facts) return;
    const told = await messages.find(`alert:${alertId}`);
    // A digest speaks for many alerts: it counts what became of them, and nothing is posted about each.
    if (told?.digest) {
      await editDigest(told);
      return notifyNotes(told.channel, news, told.ts);
    }
    const moves = told ? news.filter(isMove).map(moveOf) : [];
    const place = await cards.show(alertId, facts, told, moves);
    await notifyNotes(place.channel, news, place.ts);
  }

  /** What is asked about an alert stands on the alert's card; what was decided before anybody could be shown it needs none. */
  async function postApproval(approvalId: string, news: StoredMessage[]): Promise<void> {
    const subject = `approval:${approvalId}`;
    const facts = await existing(parts.readApproval(approvalId));
    const card = facts && wording.approval(facts);
    if (!card) return;
    const alert = card.alertId ? await messages.find(`alert:${card.alertId}`) : null;
    const shown = card.alertId && alert ? await existing(parts.readAlert(card.alertId)) : null;
    const isReminder = card.waiting && news.some(({ payload }) => payload.reminder === true);
    const told = alert && shown ? alert : await messages.find(subject);
    if (alert?.digest && shown) await editDigest(alert);
    else if (alert && shown && card.alertId) await cards.show(card.alertId, shown, alert, []);
    else if (told || card.waiting) await cards.keep(subject, told, card.news);
    if (!isReminder) return;
    const place = told ?? (await messages.find(subject));
    await postNotification(
      client,
      place?.channel ?? parts.channel,
      wording.reminder(facts, parts.approvers),
      place?.ts,
    );
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
    const userId = await userIdOf(email);
    return userId === null ? null : postToPerson(parts, userId, news);
  }

  /** The Slack id behind an id or a mail address; null, with a line in the log, where nobody is. */
  async function userIdOf(person: string): Promise<string | null> {
    if (!person.includes('@')) return person;
    try {
      return (await parts.directory.lookup(person))?.userId ?? null;
    } catch (error) {
      const { kind, message } = wording.problem(error);
      if (kind !== 'setup') throw error;
      log.error({ problem: message }, 'people cannot be looked up in Slack by mail address');
      return null;
    }
  }

  /** Mentions people where what waits for them was posted, unless its card was first posted with their names. */
  async function reachInThread(news: StoredMessage[]): Promise<void> {
    const { subjects = [], people = [], began_at } = (news[0]?.payload ?? {}) as Partial<Reach>;
    const marks = await Promise.all(subjects.map((subject) => messages.find(mentionMark(subject, String(began_at)))));
    if (marks.every((mark) => mark !== null) && news[0]?.payload.steps_done === 1) return;
    const ids = (await Promise.all(people.map(userIdOf))).map((id, i) => id ?? people[i] ?? '');
    if (subjects[0]?.startsWith('approval:')) return remindOf(subjects, ids);
    const facts = await waiting(subjects);
    if (facts.length === 0) return;
    const places = await Promise.all(subjects.map((subject) => messages.find(subject)));
    const [first] = places;
    const isOnePlace = first && places.every((place) => place?.ts === first.ts);
    await postNotification(
      client,
      first?.channel ?? parts.channel,
      wording.reach(facts, ids),
      isOnePlace ? first.ts : undefined,
    );
  }

  async function remindOf(subjects: readonly string[], ids: readonly string[]): Promise<void> {
    for (const subject of subjects) {
      const [facts] = await waiting([subject]);
      const place = facts && (await messages.find(subject));
      if (facts)
        await postNotification(client, place?.channel ?? parts.channel, wording.reminder(facts, ids), place?.ts);
    }
  }

  /** Writes to one person: the card with its buttons, or a line for many. */
  async function reachDirectly(news: StoredMessage[]): Promise<void> {
    const { subjects = [], people = [] } = (news[0]?.payload ?? {}) as Partial<Reach>;
    const facts = await waiting(subjects);
    const userId = await userIdOf(String(people[0]));
    if (facts.length === 0 || userId === null) return;
    const [one] = facts;
    const isApproval = subjects[0]?.startsWith('approval:') === true;
    for (const approval of isApproval ? facts : []) await postToPerson(parts, userId, wording.approval(approval).news);
    if (isApproval || !one) return;
    const reach = wording.reach(facts, []);
    const shown = facts.length === 1 ? { ...wording.card([one], parts.approvers), text: reach.text } : reach;
    await postToPerson(parts, userId, shown);
  }

  /** What still waits for an answer. */
  async function waiting(subjects: readonly string[]): Promise<Facts[]> {
    const read = subjects.map(async (subject) => {
      const [about, id = ''] = subject.split(':', 2);
      const facts = await existing(about === 'approval' ? parts.readApproval(id) : parts.readAlert(Number(id)));
      const waits = facts && (about === 'approval' ? wording.approval(facts).waiting : wording.about(facts).reached);
      return waits ? facts : null;
    });
    return (await Promise.all(read)).filter((facts) => facts !== null);
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
    const earlier = await cards.stormGoingOn();
    if (earlier) {
      await messages.keep(
        untold.map(({ subject }) => ({ subject, channel: earlier.channel, ts: earlier.ts, digest: true })),
      );
      return editDigest(earlier);
    }
    const posted = await postNotification(client, parts.channel, wording.digest(untold.map(({ facts }) => facts)));
    await messages.keep(untold.map(({ subject }) => ({ subject, ...posted, digest: true })));
  }

  /** Shows in a digest how its alerts stand now; once for moves of many that read alike. */
  async function editDigest(told: Pick<SlackMessage, 'channel' | 'ts'>): Promise<void> {
    const subjects = await messages.sharing(told);
    const read = subjects.map((subject) => existing(parts.readAlert(Number(subject.replace(/^alert:/, '')))));
    const digest = wording.digest((await Promise.all(read)).filter((facts) => facts !== null));
    const shown = JSON.stringify(digest);
    if (shownDigests.get(told.ts) === shown) return;
    await cards.edit(told, digest);
    shownDigests.set(told.ts, shown);
  }

  function outcomeOf(error: unknown): DeliveryOutcome {
    const problem = wording.problem(error);
    if (problem.kind === 'setup')
      log.error({ channel: parts.channel, problem: problem.message }, 'a notification cannot be posted to Slack');
    return failedDelivery(problem);
  }
}

/** The payload of messages that reach people. */
interface Reach {
  subjects: string[];
  people: string[];
  began_at: string;
}

function isMove({ kind, payload }: StoredMessage): boolean {
  return kind === 'changed' && payload.note === undefined;
}

function moveOf({ payload }: StoredMessage): Move {
  const { from, to, why } = payload;
  return { from: from === null ? null : String(from), to: String(to), why: String(why) };
}
