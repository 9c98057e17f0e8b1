/** Delivering what waits in the outbox: at its messenger's pace, again after failures, and never for ever. */
import {
  backoffMs,
  type Delivery,
  fairly,
  isHopeless,
  isUndeliverable,
  nextDelivery,
  type StoredMessage,
} from '../../domain/outbox.ts';
import type { DeliveryOutcome, Messenger } from '../ports/messagePorts.ts';
import type { Ports, Random } from '../ports/ports.ts';

/** Messages read together, so that those about one subject meet. */
const LOOK_AHEAD = 1000;

/** How long a delivery may take before another process may try the same; milliseconds. */
const LEASE_MS = 60_000;

/** So many subjects that failed in a row, and none between them that went out, are no failures of their own. */
const FAILING_SUBJECTS = 3;

/** How often an empty outbox is polled for messages of other processes, and for those that are due again; milliseconds. */
export const IDLE_MS = 1000;

/** Works for one messenger. */
export interface Dispatcher {
  /** Delivers at most one thing. Resolves to the milliseconds to wait before the next step; null when nothing is due. */
  step(): Promise<number | null>;
}

export function createDispatcher(
  ports: Pick<Ports, 'store' | 'clock' | 'metrics' | 'log' | 'privacy'>,
  messenger: Messenger,
  random: Random,
): Dispatcher {
  const { outbox } = ports.store;
  let failuresInARow = 0;
  let waitUntil = new Date(0);
  /** Who waits for longer than was meant saw the clock set back. */
  let longestWaitMs = 0;
  let raisedAt: Date[] = [];
  /** Subjects that failed by themselves since the last that went out. */
  const failing = new Set<string>();
  /** Messages of a digest that failed: each goes by itself, so that the one at fault takes none along. */
  const alone = new Set<number>();

  return {
    async step() {
      const now = ports.clock.now();
      const waitMs = waitUntil.getTime() - now.getTime();
      if (waitMs > 0 && waitMs <= longestWaitMs) return waitMs;
      const windowMs = messenger.digest?.windowMs ?? 0;
      raisedAt = raisedAt.filter((at) => now.getTime() - at.getTime() < windowMs);
      const due = fairly(await outbox.due(messenger.name, now, LOOK_AHEAD));
      const single = due.filter(({ id }) => alone.has(id));
      const delivery = nextDelivery(single, undefined, 0) ?? nextDelivery(due, messenger.digest, raisedAt.length);
      if (!delivery) return null;
      const ids = delivery.messages.map(({ id }) => id);
      const leased = await outbox.lease(ids, now, new Date(now.getTime() + LEASE_MS));
      const messages = delivery.messages.filter(({ id }) => leased.has(id));
      if (messages.length === 0) return 0;

      const shown = (await ports.privacy?.outbound(messages)) ?? messages;
      const result = await messenger
        .deliver({ ...delivery, messages: shown })
        .catch((error: unknown): DeliveryOutcome => {
          ports.log.error({ err: error, messenger: messenger.name, messages: ids }, 'a message could not be delivered');
          return { outcome: 'failed', reason: error instanceof Error ? error.message : String(error) };
        });
      ports.metrics.messageTried(messenger.name, result.outcome);
      await settle(delivery.kind, messages, result);
      return Math.max(messenger.paceMs, waitUntil.getTime() - ports.clock.now().getTime());
    },
  };

  async function settle(kind: Delivery['kind'], messages: StoredMessage[], result: DeliveryOutcome): Promise<void> {
    const now = ports.clock.now();
    const ids = messages.map(({ id }) => id);
    for (const id of ids) alone.delete(id);
    if (result.outcome === 'delivered') {
      failuresInARow = 0;
      failing.clear();
      raisedAt.push(...messages.filter(({ kind }) => kind === 'raised').map(() => now));
      return outbox.sent(ids, now);
    }
    if (result.outcome !== 'later' && kind === 'digest') {
      for (const id of ids) alone.add(id);
      return outbox.postpone(ids, now, result.reason);
    }
    if (result.outcome === 'refused') {
      ports.log.error({ messenger: messenger.name, reason: result.reason, messages: ids }, 'message refused for good');
      return giveUp(messages, result.reason);
    }
    if (result.outcome === 'failed') return settleFailed(messages, result.reason, now);
    failuresInARow++;
    // The whole messenger waits: the system would not take the next either.
    longestWaitMs = result.afterMs ?? backoffMs(failuresInARow, random());
    waitUntil = new Date(now.getTime() + longestWaitMs);
    const hopeless = messages.filter((message) => isHopeless(message, now));
    const others = messages.filter((message) => !hopeless.includes(message)).map(({ id }) => id);
    if (hopeless.length > 0) {
      const lost = hopeless.map(({ id }) => id);
      ports.log.error({ messenger: messenger.name, reason: result.reason, messages: lost }, 'messages given up');
      await giveUp(hopeless, result.reason);
    }
    if (others.length > 0) await outbox.postpone(others, waitUntil, result.reason);
  }

  /** The messages wait, each by its own count; the others go on, unless they fail as well. */
  async function settleFailed(messages: StoredMessage[], reason: string, now: Date): Promise<void> {
    failing.add(messages[0]?.subject ?? '');
    if (failing.size >= FAILING_SUBJECTS) {
      failuresInARow++;
      longestWaitMs = backoffMs(failuresInARow, random());
      waitUntil = new Date(now.getTime() + longestWaitMs);
    }
    const tries = 1 + Math.max(...messages.map(({ attempts }) => attempts));
    if (messages.every((message) => isUndeliverable(message, tries, now))) {
      ports.log.error(
        { messenger: messenger.name, reason, messages: messages.map(({ id }) => id) },
        'messages given up',
      );
      return giveUp(messages, reason);
    }
    const until = new Date(now.getTime() + backoffMs(tries, random()));
    await outbox.postpone(
      messages.map(({ id }) => id),
      until,
      reason,
    );
  }

  async function giveUp(messages: StoredMessage[], reason: string): Promise<void> {
    await outbox.dead(
      messages.map(({ id }) => id),
      reason,
      ports.clock.now(),
    );
    await messenger.givenUp?.(messages, reason);
  }
}
