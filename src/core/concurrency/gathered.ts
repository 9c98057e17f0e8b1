/** Work that is cheaper together: while one group is under way, what arrives gathers into the next. */
import { AppError } from '../errors.ts';
import { pause } from './pause.ts';

/**
 * A group waits this long for company: a store that answers without letting go of the thread would see every item alone.
 * Milliseconds.
 */
const GATHERING_MS = 1;

/**
 * @param work answers in the order of its items. An AppError is the answer for all of a group (the store is down); after any
 *   other failure each item is tried by itself, so that one cannot fail the others
 * @returns resolves when the item's group is done
 */
export function gathered<I, O>(work: (items: I[]) => Promise<O[]>, mostTogether: number): (item: I) => Promise<O> {
  interface Waiting {
    item: I;
    resolve(output: O): void;
    reject(error: unknown): void;
  }
  let waiting: Waiting[] = [];
  let busy = false;

  const one = async ({ item, resolve, reject }: Waiting): Promise<void> => {
    await work([item]).then(([output]) => resolve(output as O), reject);
  };
  const together = async (group: Waiting[]): Promise<void> => {
    try {
      const outputs = await work(group.map(({ item }) => item));
      for (const [index, { resolve }] of group.entries()) resolve(outputs[index] as O);
    } catch (error) {
      if (error instanceof AppError) for (const { reject } of group) reject(error);
      else for (const single of group) await one(single);
    }
  };
  const drain = async (): Promise<void> => {
    busy = true;
    while (waiting.length > 0) {
      await pause(GATHERING_MS);
      const group = waiting.slice(0, mostTogether);
      waiting = waiting.slice(mostTogether);
      const [single] = group;
      if (group.length === 1 && single) await one(single);
      else await together(group);
    }
    busy = false;
  };

  return (item) =>
    new Promise<O>((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (!busy) void drain();
    });
}
