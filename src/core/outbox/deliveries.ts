/** The deliveries of this process: one dispatcher for each messenger, from the start of the service to its end. */
import { pause } from '../concurrency/pause.ts';
import type { Messenger } from '../ports/messagePorts.ts';
import type { Log, Ports } from '../ports/ports.ts';
import { createDispatcher, type Dispatcher, IDLE_MS } from './outbox.ts';

/** Delivers for each of the messengers from `start` until `stop`, which waits for the deliveries in progress. */
export function createDeliveries(
  ports: Ports,
  messengers: readonly Messenger[],
): { start(): void; stop(): Promise<void> } {
  const stopped = new AbortController();
  let deliveries: Promise<void>[] = [];
  return {
    start() {
      deliveries = messengers.map((messenger) =>
        keepDelivering(createDispatcher(ports, messenger, ports.random), ports.log, stopped.signal),
      );
    },
    async stop() {
      stopped.abort();
      await Promise.all(deliveries);
    },
  };
}

/** Lets a dispatcher work until the signal; a store that is down is a reason to wait, not to stop. */
async function keepDelivering(dispatcher: Dispatcher, log: Log, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const waitMs = await dispatcher.step().catch((error: unknown) => {
      log.error({ err: error }, 'the outbox could not be worked on');
      return IDLE_MS;
    });
    await pause(waitMs, signal);
  }
}
