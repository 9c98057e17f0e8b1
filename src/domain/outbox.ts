/** How messages to the outside are sent: what is folded together, what waits, and when to give up. */

/** `raised` opens a subject, `changed` is news about it. The payload is the messenger's own. */
export interface OutboxMessage {
  messenger: string;
  kind: 'raised' | 'changed';
  /** What it is about (`alert:42`): messages about one subject are sent together. */
  subject: string;
  /** Makes a repeat recognisable, here and at the receiver. */
  idempotencyKey: string;
  payload: Record<string, unknown>;
}

export interface StoredMessage extends OutboxMessage {
  id: number;
  /** Attempts so far. */
  attempts: number;
  createdAt: Date;
}

/** One call to the outside: all that is waiting about one subject, or a digest of many new ones. */
export interface Delivery {
  kind: 'single' | 'digest';
  /** Of the oldest message in it; the same when it is tried again. */
  idempotencyKey: string;
  /** Oldest first. */
  messages: StoredMessage[];
}

interface DigestRule {
  /** More new subjects than this within the window make a storm. */
  count: number;
  windowMs: number;
}

/** Subjects that one digest lists at most, so that long names fit into one message; more make another digest. */
const DIGEST_SUBJECTS = 50;

/**
 * What to deliver next, or null when nothing waits. Subjects go oldest first; when the new ones are too many for one by
 * one, they go together.
 *
 * @param due pending messages, in the order in which subjects shall have their turn
 * @param raisedLately subjects opened within the digest's window before now
 */
export function nextDelivery(
  due: readonly StoredMessage[],
  digest: DigestRule | undefined,
  raisedLately: number,
): Delivery | null {
  const [first] = due;
  if (!first) return null;
  const bySubject = Map.groupBy(due, ({ subject }) => subject);
  const raised = [...bySubject.values()].filter((messages) => messages.some(({ kind }) => kind === 'raised'));
  const isNew = bySubject.get(first.subject)?.some(({ kind }) => kind === 'raised') === true;
  if (digest && isNew && raised.length > 1 && raised.length + raisedLately > digest.count) {
    const messages = raised.slice(0, DIGEST_SUBJECTS).flat();
    return { kind: 'digest', idempotencyKey: `digest:${first.idempotencyKey}`, messages };
  }
  const messages = (bySubject.get(first.subject) ?? []).toSorted((a, b) => a.id - b.id);
  return { kind: 'single', idempotencyKey: messages[0]?.idempotencyKey ?? first.idempotencyKey, messages };
}

const FIRST_WAIT_MS = 2_000;
const LONGEST_WAIT_MS = 5 * 60_000;

/** What could not be delivered for so long is no longer of interest. Milliseconds. */
const GIVE_UP_AFTER_MS = 86_400_000;

/** A message that failed by itself so often, and for so long, is given up: the others got through meanwhile. */
const FAILURES_OF_ITS_OWN = { tries: 10, ageMs: 3_600_000 };

/**
 * Exponential backoff with jitter, so that many senders do not come back at once (AWS Architecture Blog, "Exponential Backoff
 * And Jitter", the "equal jitter" variant).
 *
 * @param attempts failed so far, at least 1
 * @param random 0–1
 * @returns milliseconds to wait
 */
export function backoffMs(attempts: number, random: number): number {
  const ceiling = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(attempts - 1, 20));
  return Math.round(ceiling / 2 + (ceiling / 2) * random);
}

/** Whether a message that the system would not take for so long is given up. */
export function isHopeless(message: Pick<StoredMessage, 'createdAt'>, now: Date): boolean {
  return now.getTime() - message.createdAt.getTime() >= GIVE_UP_AFTER_MS;
}

/** Whether a message that fails by itself is given up. @param tries with the one that has just failed */
export function isUndeliverable({ createdAt }: Pick<StoredMessage, 'createdAt'>, tries: number, now: Date): boolean {
  return tries >= FAILURES_OF_ITS_OWN.tries && now.getTime() - createdAt.getTime() >= FAILURES_OF_ITS_OWN.ageMs;
}

/** What reaches people while they do not answer. */
const REACHES_PEOPLE = new Set<unknown>(['escalation', 'direct']);

/**
 * New alerts go before updates, critical ones first: somebody has to act on them, and updates of a storm are many. Whoever is
 * called next reads the card that they are called to.
 */
function urgency({ kind, payload }: StoredMessage): number {
  if (kind === 'raised') return payload.severity === 'critical' ? 0 : 1;
  return REACHES_PEOPLE.has(payload.what) ? 2 : 3;
}

/**
 * Subjects that failed less often go first, so that none that fails keeps others from their turn; then what is new, critical
 * first; then the oldest.
 * @param due oldest first
 */
export function fairly(due: readonly StoredMessage[]): StoredMessage[] {
  const triesOf = new Map<string, number>();
  for (const { subject, attempts } of due) triesOf.set(subject, Math.max(triesOf.get(subject) ?? 0, attempts));
  const tries = ({ subject }: StoredMessage): number => triesOf.get(subject) ?? 0;
  return due.toSorted((a, b) => tries(a) - tries(b) || urgency(a) - urgency(b) || a.id - b.id);
}
