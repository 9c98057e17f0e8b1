/** The words that the indexed pages use: how rare each is, and what a misspelt one was meant to be. */

/** Search keys by page, counted. */
export interface Vocabulary {
  pages: number;
  /** Key → how many pages use it. */
  frequency: ReadonlyMap<string, number>;
  /** Keys that may be what a misspelt word was meant to be, by their length. */
  byLength: ReadonlyMap<number, readonly string[]>;
}

/** Shorter words are one letter away from too many others. */
const SHORTEST_CORRECTED = 4;
/** From this length on two letters may be wrong. */
const LONG = 8;

/** @param pages the search keys of each page */
export function vocabularyOf(pages: Iterable<Iterable<string>>): Vocabulary {
  const frequency = new Map<string, number>();
  let count = 0;
  for (const keys of pages) {
    count++;
    for (const key of new Set(keys)) frequency.set(key, (frequency.get(key) ?? 0) + 1);
  }
  const correctable = [...frequency.keys()].filter(
    (key) => key.length >= SHORTEST_CORRECTED - 1 && /^[a-z]+$/.test(key),
  );
  return { pages: count, frequency, byLength: Map.groupBy(correctable, (key) => key.length) };
}

/** How much a key tells, rarer is more (inverse document frequency); one that no page uses tells most. */
export function weightOf(key: string, { pages, frequency }: Vocabulary): number {
  return Math.log(1 + pages / ((frequency.get(key) ?? 0) + 0.5));
}

/**
 * The key that a misspelt one was meant to be: a single letter wrong, missing, added or swapped with its neighbour, two in a
 * long word; among equally near ones the most frequent. The key itself when pages use it, or when nothing is near.
 */
export function corrected(key: string, { frequency, byLength }: Vocabulary): string {
  if (key.length < SHORTEST_CORRECTED || frequency.has(key) || !/^[a-z]+$/.test(key)) return key;
  const allowed = key.length >= LONG ? 2 : 1;
  let best = { key, distance: allowed + 1, pages: 0 };
  for (let length = key.length - allowed; length <= key.length + allowed; length++) {
    for (const candidate of byLength.get(length) ?? []) {
      // People seldom get the first letter wrong, and a word that begins otherwise is mostly another one.
      if (candidate[0] !== key[0]) continue;
      const distance = editDistance(key, candidate, Math.min(allowed, best.distance));
      const pages = frequency.get(candidate) ?? 0;
      if (distance < best.distance || (distance === best.distance && pages > best.pages))
        best = { key: candidate, distance, pages };
    }
  }
  return best.distance <= allowed ? best.key : key;
}

/** Restricted Damerau–Levenshtein distance; anything above `limit` may come out as `limit + 1`. */
function editDistance(a: string, b: string, limit: number): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min((previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, (before[j - 2] ?? 0) + 1);
      current.push(least);
    }
    if (Math.min(...current) > limit) return limit + 1;
    [before, previous] = [previous, current];
  }
  return previous[b.length] ?? limit + 1;
}
