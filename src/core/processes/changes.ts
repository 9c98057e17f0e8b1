/** Notifies those who watch that something changed, whichever process changed it. */
import { pause } from '../concurrency/pause.ts';
import type { Log } from '../ports/ports.ts';
import { CHANGE_TOPICS, type ChangeTopic, type Store } from '../ports/storePorts.ts';

/** Changes are seen this late; milliseconds. */
const POLL_EVERY_MS = 1000;

type Listener = (topics: readonly ChangeTopic[]) => void;

export interface Changes {
  /** Returns how to stop listening. */
  subscribe(listener: Listener): () => void;
}

/** The store is asked once a second for all who watch together, and not at all while nobody does. */
export function watchChanges(store: Pick<Store, 'changeMarkers'>, log: Log): Changes {
  const listeners = new Set<Listener>();
  let isWatching = false;

  async function watch(): Promise<void> {
    isWatching = true;
    let last: Record<ChangeTopic, string> | null = null;
    while (listeners.size > 0) {
      // A database that is away has not changed; whoever reads next hears of it.
      const markers: Record<ChangeTopic, string> | null = await store.changeMarkers().catch((error: unknown) => {
        log.debug({ err: error }, 'changes could not be read');
        return null;
      });
      const before = last;
      const changed = markers && before ? CHANGE_TOPICS.filter((topic) => markers[topic] !== before[topic]) : [];
      last = markers ?? last;
      if (changed.length > 0) for (const listener of listeners) listener(changed);
      await pause(POLL_EVERY_MS);
    }
    isWatching = false;
  }

  return {
    subscribe(listener) {
      listeners.add(listener);
      if (!isWatching) void watch();
      return () => void listeners.delete(listener);
    },
  };
}
