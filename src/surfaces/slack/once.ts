/** Remembers what was handled lately, so that Slack's retries and double clicks act once. */
import { LRUCache } from 'lru-cache';

/** Slack gives up retrying well within this (docs.slack.dev/apis/events-api#retries: at most about an hour, in three tries). */
const REMEMBER_MS = 3_600_000;
const MOST = 10_000;

interface Once {
  /** True the first time within `forMs`; a bounded memory of this process, the tools behind it being idempotent. */
  first(key: string, forMs?: number): boolean;
}

export function createOnce(now: () => Date): Once {
  const handled = new LRUCache<string, true>({
    max: MOST,
    ttl: REMEMBER_MS,
    ttlResolution: 0,
    perf: { now: () => now().getTime() },
  });
  return {
    first(key, forMs = REMEMBER_MS) {
      if (handled.has(key)) return false;
      handled.set(key, true, { ttl: forMs });
      return true;
    },
  };
}
