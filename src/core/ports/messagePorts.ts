/** How messages to the outside are kept and carried. */
import type { Delivery, OutboxMessage, StoredMessage } from '../../domain/outbox.ts';
import type { Page, Paged } from '../page.ts';

export interface OutboxRepository {
  add(messages: readonly OutboxMessage[], now: Date): Promise<void>;
  /** Adds a message unless one with its idempotency key is there already. */
  addOnce(message: OutboxMessage, now: Date): Promise<void>;
  /** Pending messages of a messenger that are due, oldest first. */
  due(messenger: string, now: Date, limit: number): Promise<StoredMessage[]>;
  /** Takes messages for one attempt, until the lease ends; returns the ids that nobody else took first. */
  lease(ids: readonly number[], now: Date, until: Date): Promise<Set<number>>;
  sent(ids: readonly number[], now: Date): Promise<void>;
  postpone(ids: readonly number[], until: Date, error: string): Promise<void>;
  dead(ids: readonly number[], error: string, now: Date): Promise<void>;
  /** Messages that were given up, newest first. */
  deadLetters(messenger: string | undefined, page: Page): Promise<Paged<DeadLetter>>;
  /** Lets given up messages be tried as if they were new, all or one; returns how many. */
  revive(which: { id?: number; messenger?: string }, now: Date): Promise<number>;
  /** Messages that were given up, by messenger. */
  deadCounts(): Promise<{ messenger: string; messages: number; lastError: string }[]>;
  /** Deletes messages that were sent, or given up, before. */
  prune(before: Date): Promise<number>;
}

/** A message that was given up, and why. */
interface DeadLetter extends StoredMessage {
  givenUpAt: Date;
  reason: string;
}

/** The Slack message about a subject of the outbox. */
export interface SlackMessage {
  subject: string;
  channel: string;
  /** Slack's name for a message in a channel. */
  ts: string;
  /** True when the message covers many subjects at once. */
  digest: boolean;
}

export interface SlackMessageRepository {
  find(subject: string): Promise<SlackMessage | null>;
  /** A newer message of a subject takes the place of the older. */
  keep(messages: readonly SlackMessage[]): Promise<void>;
  /** The subjects that one message covers. */
  sharing(message: Pick<SlackMessage, 'channel' | 'ts'>): Promise<string[]>;
  /** Those whose subjects begin so; letters and colons only. */
  about(prefix: string): Promise<SlackMessage[]>;
  /** The digest that was posted last. */
  latestDigest(): Promise<SlackMessage | null>;
  forget(subject: string): Promise<void>;
}

/** What became of one message to the outside. A failure belongs to the system (`later`) or to the message (the rest). */
export type DeliveryOutcome =
  | { outcome: 'delivered' }
  /** The system takes nothing now, so that all messages wait; `afterMs` when it says how long. */
  | { outcome: 'later'; reason: string; afterMs?: number }
  /** This message failed, and nothing says that others would: it waits alone, and not for ever. */
  | { outcome: 'failed'; reason: string }
  /** Never: trying this message again would fail again. */
  | { outcome: 'refused'; reason: string };

/** Carries messages of the outbox to one place outside. A rejection counts as `failed`. */
export interface Messenger {
  /** The name by which messages are addressed to it. */
  name: string;
  /** Least time between two deliveries, milliseconds. */
  paceMs: number;
  /** More new subjects than `count` within `windowMs` are posted in one digest; absent when each is posted by itself. */
  digest?: { count: number; windowMs: number };
  deliver(delivery: Delivery): Promise<DeliveryOutcome>;
  /** Notified of messages that will not be tried again. */
  givenUp?(messages: readonly StoredMessage[], reason: string): Promise<void>;
}
