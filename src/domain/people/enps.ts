/** What employees say, as figures: eNPS with its margin, averages, categories, and how people and machines compare. */
import { round1 } from '../scores/score.ts';

export const FEEDBACK_CATEGORIES = ['performance', 'connectivity', 'software', 'hardware', 'other'] as const;
export type FeedbackCategory = (typeof FEEDBACK_CATEGORIES)[number];

export const LOWEST_RATING = 1;
export const HIGHEST_RATING = 5;
const PROMOTER_FROM = 4;
const DETRACTOR_UP_TO = 2;

/** How many answers there are of each kind. Counts add up, so that a tally of many answers hides the single one. */
export interface Tally {
  /** Answers by rating; the first counts rating 1. */
  ratings: number[];
  categories: Partial<Record<FeedbackCategory, number>>;
}

export interface EnpsFigures {
  responses: number;
  promoters: number;
  passives: number;
  detractors: number;
  /** −100 to 100. */
  enps: number;
  /** Standard error of `enps`, in the same points. */
  margin: number;
  /** Between these the eNPS of everybody who could have answered lies with 95 % confidence. */
  low: number;
  high: number;
  /** 1–5. */
  averageRating: number;
  /** Most named first. */
  topCategories: { category: FeedbackCategory; responses: number }[];
}

export function tallyOf(answers: readonly { rating: number; category: FeedbackCategory }[]): Tally {
  const tally: Tally = { ratings: [0, 0, 0, 0, 0], categories: {} };
  for (const { rating, category } of answers) {
    tally.ratings[rating - LOWEST_RATING]! += 1;
    tally.categories[category] = (tally.categories[category] ?? 0) + 1;
  }
  return tally;
}

export function addTallies(tallies: readonly Tally[]): Tally {
  const sum = tallyOf([]);
  for (const { ratings, categories } of tallies) {
    ratings.forEach((count, index) => {
      sum.ratings[index]! += count;
    });
    for (const category of FEEDBACK_CATEGORIES) {
      const count = categories[category];
      if (count) sum.categories[category] = (sum.categories[category] ?? 0) + count;
    }
  }
  return sum;
}

export function answersIn({ ratings }: Tally): number {
  return ratings.reduce((sum, count) => sum + count, 0);
}

/** Two-sided 95 % of the normal distribution. */
const Z95 = 1.96;

/** Answers of each kind that the interval adds to those that were given. */
const ADDED_ANSWERS = 1;

/**
 * eNPS by the operations guide: (promoters − detractors) / total × 100, a rating ≥ 4 being a promoter and ≤ 2 a detractor.
 * With the shares p and d, its standard error is √((p + d − (p − d)²) / n) × 100: the spread of a variable that is 1, 0 or −1,
 * over the root of the number of answers.
 *
 * The interval is an adjusted Wald interval: as Agresti and Coull do for one share, it adds an answer of each kind before the
 * formula is applied, since of five equal answers the plain one would say that everybody thinks so. It covers the truth in
 * 92 to 97 % of cases on average from 5 answers on.
 *
 * @returns null when there is no answer
 */
export function enpsOf(tally: Tally): EnpsFigures | null {
  const responses = answersIn(tally);
  if (responses === 0) return null;
  const count = (from: number, to: number) =>
    tally.ratings.slice(from - LOWEST_RATING, to - LOWEST_RATING + 1).reduce((sum, answers) => sum + answers, 0);
  const promoters = count(PROMOTER_FROM, HIGHEST_RATING);
  const detractors = count(LOWEST_RATING, DETRACTOR_UP_TO);
  const p = promoters / responses;
  const d = detractors / responses;
  const ratingSum = tally.ratings.reduce((sum, answers, index) => sum + answers * (index + LOWEST_RATING), 0);
  return {
    responses,
    promoters,
    passives: responses - promoters - detractors,
    detractors,
    enps: round1((p - d) * 100),
    margin: round1(standardError(p, d, responses) * 100),
    ...interval(promoters, detractors, responses),
    averageRating: Math.round((ratingSum / responses) * 100) / 100,
    topCategories: FEEDBACK_CATEGORIES.map((category) => ({ category, responses: tally.categories[category] ?? 0 }))
      .filter((entry) => entry.responses > 0)
      .sort((a, b) => b.responses - a.responses),
  };
}

function standardError(p: number, d: number, answers: number): number {
  return Math.sqrt(Math.max(0, p + d - (p - d) ** 2) / answers);
}

function interval(promoters: number, detractors: number, responses: number): Pick<EnpsFigures, 'low' | 'high'> {
  const answers = responses + 3 * ADDED_ANSWERS;
  const p = (promoters + ADDED_ANSWERS) / answers;
  const d = (detractors + ADDED_ANSWERS) / answers;
  const reach = Z95 * standardError(p, d, answers);
  return {
    low: round1(Math.max(-1, p - d - reach) * 100),
    high: round1(Math.min(1, p - d + reach) * 100),
  };
}

/** Fewer pairs make any coefficient meaningless. */
const LEAST_PAIRS = 3;

/** Pearson's correlation coefficient, −1 to 1; null when there are too few pairs or one side does not vary. */
export function correlation(pairs: readonly (readonly [number, number])[]): number | null {
  if (pairs.length < LEAST_PAIRS) return null;
  const mean = (index: 0 | 1) => pairs.reduce((sum, pair) => sum + pair[index], 0) / pairs.length;
  const [meanX, meanY] = [mean(0), mean(1)];
  let [xy, xx, yy] = [0, 0, 0];
  for (const [x, y] of pairs) {
    xy += (x - meanX) * (y - meanY);
    xx += (x - meanX) ** 2;
    yy += (y - meanY) ** 2;
  }
  if (xx === 0 || yy === 0) return null;
  return Math.round(Math.max(-1, Math.min(1, xy / Math.sqrt(xx * yy))) * 100) / 100;
}

export const AGREEMENTS = ['agree', 'people_unhappy', 'machines_unwell', 'unclear'] as const;

/** `people_unhappy`: although the machines do well; `machines_unwell`: although people are content. */
export type Agreement = (typeof AGREEMENTS)[number];

/** From fewer answers nothing is concluded, however clear they are. */
const LEAST_ANSWERS_FOR_VERDICT = 10;

/**
 * Where people and machines disagree. People count as content or unhappy only when the whole interval of the eNPS lies on one
 * side of zero and enough of them answered; otherwise nothing can be said.
 *
 * @param dexScore average score of the group's machines, 0–100; null when none has a score
 * @param wellFrom score from which machines do well
 */
export function agreement(
  { responses, low, high }: Pick<EnpsFigures, 'responses' | 'low' | 'high'>,
  dexScore: number | null,
  wellFrom: number,
): Agreement {
  if (dexScore === null || responses < LEAST_ANSWERS_FOR_VERDICT || low * high <= 0) return 'unclear';
  const machinesWell = dexScore >= wellFrom;
  if (high < 0 && machinesWell) return 'people_unhappy';
  if (low > 0 && !machinesWell) return 'machines_unwell';
  return 'agree';
}
