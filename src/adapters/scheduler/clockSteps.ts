/** Notices that the machine's clock was set, by a clock that nobody sets. */

/** How often the two clocks are compared; milliseconds. */
const COMPARE_EVERY_MS = 2000;

/** Time servers correct a clock by less than this while it runs; milliseconds. */
const STEP_MS = 2000;

/**
 * @param onSetBack called with by how many milliseconds the clock was set back. A clock that was set forward, or a machine that was
 * asleep, makes work due that is done at once; one that was set back leaves work waiting for a time that comes once more.
 * @returns stops it
 */
export function watchClock(onSetBack: (byMs: number) => void): () => void {
  let aheadMs = Date.now() - performance.now();
  const timer = setInterval(() => {
    const before = aheadMs;
    aheadMs = Date.now() - performance.now();
    if (before - aheadMs > STEP_MS) onSetBack(before - aheadMs);
  }, COMPARE_EVERY_MS);
  return () => clearInterval(timer);
}
