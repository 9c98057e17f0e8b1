/** Deliveries go first: their sender waits for an answer, so work on what came before lets a storm of them pass. */
import { pause } from '../concurrency/pause.ts';

/** So long without a delivery is a lull. Milliseconds. */
const LULL_MS = 50;

/** Healing is not to starve in a storm that lasts. Milliseconds. */
const MOST_WAIT_MS = 2000;

export interface DeliveryLull {
  deliveryCame(): void;
  /** Resolves in the next lull, or after two seconds. */
  wait(): Promise<void>;
}

export function createDeliveryLull(): DeliveryLull {
  // By a clock that nobody sets.
  let lastDeliveryMs = -LULL_MS;
  return {
    deliveryCame() {
      lastDeliveryMs = performance.now();
    },
    async wait() {
      const giveUpMs = performance.now() + MOST_WAIT_MS;
      for (;;) {
        const nowMs = performance.now();
        const lullMs = lastDeliveryMs + LULL_MS;
        if (lullMs <= nowMs || giveUpMs <= nowMs) return;
        await pause(Math.min(lullMs, giveUpMs) - nowMs);
      }
    },
  };
}
