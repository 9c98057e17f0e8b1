/** Waiting that ends early, and without an error, when the signal aborts. */

/** Longer waits end here: a timer of more than 2^31 ms ends at once, and what waits for a day looks again. */
const LONGEST_MS = 86_400_000;

export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, Math.min(ms, LONGEST_MS));
    signal?.addEventListener('abort', done);
    if (signal?.aborted) done();
  });
}
