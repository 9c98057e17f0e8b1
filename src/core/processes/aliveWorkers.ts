/** Processes that say of themselves that they are alive. */
import type { Ports } from '../ports/ports.ts';

/** How often a process says that it is alive, and how long a silent one is believed to be; four beats may be lost. */
export const BEAT_MS = 15_000;
export const SILENCE_MS = 60_000;

/** How many processes work on jobs. */
export async function countWorkers({ store, clock }: Pick<Ports, 'store' | 'clock'>): Promise<number> {
  const seen = await store.workers.seenSince(new Date(clock.now().getTime() - SILENCE_MS));
  return seen.filter(({ works }) => works).length;
}
