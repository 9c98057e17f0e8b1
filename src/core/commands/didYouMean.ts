/** Finds what somebody probably meant by a mistyped word. */

/** How many wrong, missing, added or swapped neighbouring letters lie between two words (optimal string alignment distance). */
export function typingDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min(last[j]! + 1, row[j - 1]! + 1, substitution);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, beforeLast[j - 2]! + 1);
      row.push(least);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}

/** The known words that a typed one is close to, nearest first: one slip in three letters, or a beginning of two letters or more. */
export function didYouMean(word: string, known: readonly string[], limit = 3): string[] {
  const typed = word.toLowerCase().slice(0, 64);
  const allowed = Math.max(1, Math.floor(typed.length / 3));
  return known
    .map((candidate) => {
      const name = candidate.toLowerCase();
      const begins = typed.length >= 2 && name.startsWith(typed);
      return { candidate, distance: begins ? 0.5 : typingDistance(typed, name) };
    })
    .filter(({ distance }) => distance <= allowed)
    .sort((a, b) => a.distance - b.distance || a.candidate.localeCompare(b.candidate))
    .slice(0, limit)
    .map(({ candidate }) => candidate);
}
