/** Deliveries go first: their sender waits for an answer, so work on what came before lets a storm of them pass. */
import { pause } from '../concurrency/pause.ts';

/** So long without a delivery is a lull. Milliseconds. */
const LULL_MS = 50;

/** Healing is not to starve in a storm that lasts. Milliseconds. */
const MOST_WAIT_MS = 2000;

/** When the last delivery came to an application, by a clock that nobody sets. */
const lastDeliveryMs = new WeakMap<object, number>();

export function deliveryCame(ports: object): void {
  lastDeliveryMs.set(ports, performance.now());
}

/** Resolves in the next lull of the deliveries to this process, or after two seconds. */
export async function deliveryLull(ports: object): Promise<void> {
  const giveUpMs = performance.now() + MOST_WAIT_MS;
  for (;;) {
    const nowMs = performance.now();
    const lullMs = (lastDeliveryMs.get(ports) ?? -LULL_MS) + LULL_MS;
    if (lullMs <= nowMs || giveUpMs <= nowMs) return;
    await pause(Math.min(lullMs, giveUpMs) - nowMs);
  }
}
