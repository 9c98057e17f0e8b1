/** Delivering what waits in the outbox: at its messenger's pace, again after failures, and never for ever. */
import { backoffMs, isHopeless, nextDelivery, type StoredMessage } from '../../domain/outbox.ts';
import type { DeliveryOutcome, Messenger } from '../ports/messagePorts.ts';
import type { Ports, Random } from '../ports/ports.ts';

/** Messages read together, so that those about one subject meet. */
const LOOK_AHEAD = 1000;

/** How long a delivery may take before another process may try the same; milliseconds. */
const LEASE_MS = 60_000;

/** How often an empty outbox is polled; milliseconds. */
export const IDLE_MS = 1000;

/** Works for one messenger. */
export interface Dispatcher {
  /** Delivers at most one thing. Resolves to the milliseconds to wait before the next step. */
  step(): Promise<number>;
}

export function createDispatcher(
  ports: Pick<Ports, 'store' | 'clock' | 'metrics' | 'log'>,
  messenger: Messenger,
  random: Random,
): Dispatcher {
  const { outbox } = ports.store;
  let failuresInARow = 0;
  let waitUntil = new Date(0);
  let raisedAt: Date[] = [];

  return {
    async step() {
      const now = ports.clock.now();
      if (now < waitUntil) return waitUntil.getTime() - now.getTime();
      const windowMs = messenger.digest?.windowMs ?? 0;
      raisedAt = raisedAt.filter((at) => now.getTime() - at.getTime() < windowMs);
      const due = await outbox.due(messenger.name, now, LOOK_AHEAD);
      const delivery = nextDelivery(due, messenger.digest, raisedAt.length);
      if (!delivery) return IDLE_MS;
      const ids = delivery.messages.map(({ id }) => id);
      const leased = await outbox.lease(ids, now, new Date(now.getTime() + LEASE_MS));
      const messages = delivery.messages.filter(({ id }) => leased.has(id));
      if (messages.length === 0) return 0;

      const result = await messenger
        .deliver({ ...delivery, messages })
        .catch((error: Error): DeliveryOutcome => ({ outcome: 'later', reason: error.message }));
      ports.metrics.messageTried(messenger.name, result.outcome);
      await settle(messages, result);
      if (result.outcome === 'later') return waitUntil.getTime() - now.getTime();
      return messenger.paceMs;
    },
  };

  async function settle(messages: StoredMessage[], result: DeliveryOutcome): Promise<void> {
    const now = ports.clock.now();
    const ids = messages.map(({ id }) => id);
    if (result.outcome === 'delivered') {
      failuresInARow = 0;
      raisedAt.push(...messages.filter(({ kind }) => kind === 'raised').map(() => now));
      return outbox.sent(ids, now);
    }
    if (result.outcome === 'refused') {
      ports.log.error({ messenger: messenger.name, reason: result.reason, messages: ids }, 'message refused for good');
      return giveUp(messages, result.reason);
    }
    failuresInARow++;
    // The whole messenger waits: when one message cannot get out, the next could not either.
    waitUntil = new Date(now.getTime() + (result.afterMs ?? backoffMs(failuresInARow, random())));
    const hopeless = messages.filter((message) => isHopeless(message, now));
    const others = messages.filter((message) => !hopeless.includes(message)).map(({ id }) => id);
    if (hopeless.length > 0) {
      const lost = hopeless.map(({ id }) => id);
      ports.log.error({ messenger: messenger.name, reason: result.reason, messages: lost }, 'messages given up');
      await giveUp(hopeless, result.reason);
    }
    if (others.length > 0) await outbox.postpone(others, waitUntil, result.reason);
  }

  async function giveUp(messages: StoredMessage[], reason: string): Promise<void> {
    await outbox.dead(
      messages.map(({ id }) => id),
      reason,
    );
    await messenger.givenUp?.(messages, reason);
  }
}
