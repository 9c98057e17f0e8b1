/** The deliveries of this process: one dispatcher for each messenger, from the start of the service to its end. */
import { type Bell, createBell } from '../concurrency/bell.ts';
import { pause } from '../concurrency/pause.ts';
import type { Messenger } from '../ports/messagePorts.ts';
import type { Log, Ports } from '../ports/ports.ts';
import { createDispatcher, type Dispatcher, IDLE_MS } from './outbox.ts';

interface Deliveries {
  start(): void;
  /** Says that this process has put messages into the outbox; those of others are found by polling. */
  messagesWait(): void;
  /** Waits for the deliveries in progress. */
  stop(): Promise<void>;
}

/** Delivers for each of the messengers from `start` until `stop`. `paced` is false where nobody limits the rate. */
export function createDeliveries(
  ports: Ports,
  messengers: readonly Messenger[],
  { paced = true }: { paced?: boolean } = {},
): Deliveries {
  const stopped = new AbortController();
  const workers = messengers.map((messenger) => ({
    messenger: paced ? messenger : { ...messenger, paceMs: 0 },
    bell: createBell(),
  }));
  let deliveries: Promise<void>[] = [];
  return {
    start() {
      deliveries = workers.map(({ messenger, bell }) =>
        keepDelivering(createDispatcher(ports, messenger, ports.random), bell, ports.log, stopped.signal),
      );
    },
    messagesWait() {
      for (const { bell } of workers) bell.ring();
    },
    async stop() {
      stopped.abort();
      await Promise.all(deliveries);
    },
  };
}

/** Lets a dispatcher work until the signal; a store that is down is a reason to wait, not to stop. */
async function keepDelivering(dispatcher: Dispatcher, bell: Bell, log: Log, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const waitMs = await dispatcher.step().catch((error: unknown) => {
      log.error({ err: error }, 'the outbox could not be worked on');
      return IDLE_MS;
    });
    if (waitMs === null) await bell.wait(IDLE_MS, signal);
    else await pause(waitMs, signal);
  }
}
