/** How likely chance alone is to show a group that is as uneven, and how many groups had the opportunity. */

/** `drawn` of `all` things are a group; `marked` of all have the mark. */
interface Draw {
  drawn: number;
  marked: number;
  all: number;
}

/** Terms this much smaller than the first add nothing to a sum of doubles. */
const NEGLIGIBLE = 1e-17;

/**
 * The one-sided mid-p value of Fisher's exact test: the probability that a group drawn by chance has more than `seen` marked
 * members, and half of that of exactly so many. Exact tests of small counts are far stricter than they claim; the half makes
 * up for that (H. O. Lancaster, "Significance tests in discrete distributions", 1961).
 */
export function chanceOfAtLeast(seen: number, { drawn, marked, all }: Draw): number {
  const most = Math.min(drawn, marked);
  const least = Math.max(0, drawn + marked - all);
  if (seen > most) return 0;
  const from = Math.max(seen, least);
  const logP = (k: number) => logChoose(marked, k) + logChoose(all - marked, drawn - k) - logChoose(all, drawn);
  let term = Math.exp(logP(from));
  let sum = from === seen ? term / 2 : term;
  for (let k = from; k < most; k++) {
    term *= ((marked - k) * (drawn - k)) / ((k + 1) * (all - marked - drawn + k + 1));
    sum += term;
    // Beyond the middle of the distribution every term is smaller than the one before.
    if (term < sum * NEGLIGIBLE && k > (drawn * marked) / all) break;
  }
  return Math.min(1, sum);
}

/**
 * How many tests the level has to be shared among: one that could not reach its share even in the most extreme case cannot
 * err, so it takes none (R. E. Tarone, "A modified Bonferroni method for discrete data", 1990).
 *
 * @param leastPs the smallest p that each test could reach
 */
export function testsThatCount(leastPs: readonly number[], level: number): number {
  const sorted = leastPs.toSorted((a, b) => a - b);
  for (let share = 1, able = 0; share <= sorted.length; share++) {
    able = sorted.findIndex((p) => p > level / share);
    if (able < 0) able = sorted.length;
    if (able <= share) return share;
  }
  return Math.max(1, sorted.length);
}

function logChoose(n: number, k: number): number {
  return logFactorial(n) - logFactorial(k) - logFactorial(n - k);
}

const LOG_FACTORIALS = [0, 0];
const MOST_EXACT = 256;
for (let n = 2; n < MOST_EXACT; n++) LOG_FACTORIALS.push((LOG_FACTORIALS[n - 1] as number) + Math.log(n));

/** Beyond a table, Stirling's series; its error there is below 1e-12. */
function logFactorial(n: number): number {
  const exact = LOG_FACTORIALS[n];
  if (exact !== undefined) return exact;
  const x = n + 1;
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + 1 / (12 * x) - 1 / (360 * x ** 3);
}
