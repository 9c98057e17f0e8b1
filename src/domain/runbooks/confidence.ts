/** Whether a page answers a question, or is only the nearest of those that do not. */
import { type Vocabulary, weightOf } from './vocabulary.ts';

/** How much of what a question says the page says too, by the weight of the words; shares from 0 to 1. */
interface Fit {
  covered: number;
  /** By the page's title and alerts alone. */
  named: number;
}

export function fitOf(
  keys: readonly string[],
  page: ReadonlySet<string>,
  names: ReadonlySet<string>,
  vocabulary: Vocabulary,
): Fit {
  const weigh = (among: (key: string) => boolean) =>
    keys.reduce((sum, key) => sum + (among(key) ? weightOf(key, vocabulary) : 0), 0);
  const all = weigh(() => true) || 1;
  return { covered: weigh((key) => page.has(key)) / all, named: weigh((key) => names.has(key)) / all };
}

/**
 * Whether the page answers the question: a logistic regression over questions with and without a right page, its constant
 * moved so that one in twelve of the former is called doubtful. The blended score of a search cannot tell, since the best
 * page of any search has nearly the same. `npm run bench -- judgement` prints how well it separates.
 */
export function isConfident({ covered, named }: Fit): boolean {
  return WEIGHTS.constant + WEIGHTS.covered * covered + WEIGHTS.named * named >= 0;
}

const WEIGHTS = { constant: -1.89, covered: 3.07, named: 3.98 };
