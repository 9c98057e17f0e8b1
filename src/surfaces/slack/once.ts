/** Remembers what was handled lately, so that Slack's retries and double clicks act once. */

/** Slack gives up retrying well within this (docs.slack.dev/apis/events-api#retries: at most about an hour, in three tries). */
const REMEMBER_MS = 3_600_000;
const MOST = 10_000;

interface Once {
  /** True the first time within `forMs`; a bounded memory of this process, the tools behind it being idempotent. */
  first(key: string, forMs?: number): boolean;
}

export function createOnce(now: () => Date): Once {
  const until = new Map<string, number>();
  return {
    first(key, forMs = REMEMBER_MS) {
      const at = now().getTime();
      if ((until.get(key) ?? 0) > at) return false;
      until.delete(key);
      until.set(key, at + forMs);
      // A Map keeps insertion order, so that its first key is the oldest.
      if (until.size > MOST) until.delete(until.keys().next().value as string);
      return true;
    },
  };
}
