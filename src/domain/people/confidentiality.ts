/**
 * How answers are published without revealing one: they are published in cells, each of at least five answers, and every summary is
 * a sum of whole cells.
 *
 * Answers wait until there are enough of them, are then divided into cells once and for all, and only the cells' counts are
 * kept. A window of days, a persona, a tag, or the same question asked again later, each picks some of the cells; whatever is
 * added to or subtracted from each other, the outcome is again a sum of whole cells, so that nothing finer than a cell can
 * ever be worked out. (The atoms of the Boolean algebra that the published sets generate are the cells: microaggregation with
 * k = 5.) It cannot help where all answers in a cell are alike: then one knows what each of these five or more said.
 */
import { cellsBy, LEAST_IN_CELL } from '../privacy/cells.ts';
import { type FeedbackCategory, type Tally, tallyOf } from './enps.ts';

/** Answers in the smallest cell. */
export const LEAST_ANSWERS = LEAST_IN_CELL;

/** Answers behind the smallest batch of comments, because words betray more than numbers. */
export const LEAST_ANSWERS_FOR_COMMENTS = 10;

const FEEDBACK_SOURCES = ['feedback', 'survey'] as const;

/**
 * Answers of a survey and feedback given unasked never share a cell: whoever holds an API key can give feedback as often as
 * wanted, and a cell of one survey answer among four of one's own would hide nothing.
 */
export type FeedbackSource = (typeof FEEDBACK_SOURCES)[number];

export interface FeedbackAnswer {
  source: FeedbackSource;
  /** 1–5. */
  rating: number;
  category: FeedbackCategory;
  comment: string | null;
  /** Groups of the machine it was given for (`persona:developer`, `tag:team=sales`); none when no machine was named. */
  groups: string[];
}

export interface Cell {
  /** The groups to which all of its answers belong. */
  groups: string[];
  tally: Tally;
}

export function personaGroup(persona: string): string {
  return `persona:${persona}`;
}

/** @param tag `key=value` */
export function tagGroup(tag: string): string {
  return `tag:${tag}`;
}

export function groupsOf(machine: { persona: string; tags: Record<string, string> }): string[] {
  return [
    personaGroup(machine.persona),
    ...Object.entries(machine.tags).map(([key, value]) => tagGroup(`${key}=${value}`)),
  ];
}

/**
 * Divides answers by as many groups as possible so that every cell keeps enough of them; personas go first.
 *
 * @param answers at least LEAST_ANSWERS
 */
export function cellsOf(answers: readonly Pick<FeedbackAnswer, 'rating' | 'category' | 'groups'>[]): Cell[] {
  const isPersona = (group: string) => group.startsWith(personaGroup(''));
  return cellsBy(answers, ({ groups }) => groups, isPersona).map(({ groups, members }) => ({
    groups,
    tally: tallyOf(members),
  }));
}
