/** Gathers single items into batches that are written one after another, and holds producers back when writing lags. */

interface Batcher<T> {
  /** Resolves at once while writing keeps up, or when the batch before has been written. Rejects when a write failed. */
  add(item: T): Promise<void>;
  /** Writes what is left and waits for everything. */
  flush(): Promise<void>;
}

export function createBatcher<T>(size: number, write: (items: T[]) => Promise<void>): Batcher<T> {
  let gathered: T[] = [];
  let writing: Promise<void> = Promise.resolve();

  const send = (): Promise<void> => {
    if (gathered.length === 0) return writing;
    const batch = gathered;
    gathered = [];
    writing = writing.then(() => write(batch));
    writing.catch(() => {}); // every later add and flush rejects with it; this only keeps it from counting as unhandled
    return writing;
  };

  return {
    async add(item) {
      gathered.push(item);
      if (gathered.length < size) return;
      const before = writing;
      void send().catch(() => {});
      await before;
    },
    flush: () => send(),
  };
}
