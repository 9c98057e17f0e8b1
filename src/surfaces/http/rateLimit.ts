/** How many requests a caller may make: a bucket of tokens per caller that fills up steadily, in bounded memory. */
import { LRUCache } from 'lru-cache';
import { AppError } from '../../core/errors.ts';

/** Callers remembered at most; keys are far fewer, so only an attack meets it. */
const MAX_CALLERS = 10_000;

export interface RateLimit {
  /** @throws AppError `rate_limited` whose details say after how many seconds to come back */
  take(caller: string): void;
}

/** @param perMinute also the burst that a rested caller may make; 0 is no limit */
export function createRateLimit(perMinute: number, now: () => Date): RateLimit {
  const buckets = new LRUCache<string, { tokens: number; atMs: number }>({ max: MAX_CALLERS });
  const perMs = perMinute / 60_000;
  return {
    take(caller) {
      if (perMinute === 0) return;
      const atMs = now().getTime();
      const last = buckets.get(caller) ?? { tokens: perMinute, atMs };
      // A clock that was set back must not empty the bucket.
      const restedMs = Math.max(0, atMs - last.atMs);
      const tokens = Math.min(perMinute, last.tokens + restedMs * perMs);
      buckets.set(caller, { tokens: tokens >= 1 ? tokens - 1 : tokens, atMs });
      if (tokens >= 1) return;
      const retry_after_s = Math.ceil((1 - tokens) / perMs / 1000);
      throw new AppError(
        'rate_limited',
        `More than ${perMinute} requests a minute with one key. Come back in ${retry_after_s} s.`,
        { retry_after_s },
      );
    },
  };
}
