/** Feedback: taken in, published in cells that hide the single answer, and read as figures. */
import {
  cellsOf,
  type FeedbackAnswer,
  type FeedbackSource,
  groupsOf,
  LEAST_ANSWERS,
  LEAST_ANSWERS_FOR_COMMENTS,
  personaGroup,
  tagGroup,
} from '../../domain/people/confidentiality.ts';
import {
  type Agreement,
  addTallies,
  agreement,
  correlation,
  type EnpsFigures,
  enpsOf,
} from '../../domain/people/enps.ts';
import { dayOf } from '../../domain/people/survey.ts';
import { round1 } from '../../domain/scores/score.ts';
import type { Actor } from '../actor.ts';
import { hasRole } from '../policy.ts';
import type { Comment, StoredCell } from '../ports/feedbackPorts.ts';
import type { Ports } from '../ports/ports.ts';

const DAY_MS = 86_400_000;

/** More is not read by anybody. */
const MOST_COMMENTS = 100;
const MOST_GROUPS = 50;

/**
 * Takes feedback that was given unasked. Until answers are published a caller is one voice, whose newest answer counts: whoever
 * gives four of five must not read the fifth. An administrator on REST or the command line could make as many keys as they like,
 * and is taken for what such a key is for: a form that passes on the answers of many.
 */
export async function addFeedback(
  { store, tokens }: Pick<Ports, 'store' | 'tokens'>,
  actor: Actor,
  answer: FeedbackAnswer,
): Promise<{ id: number; replaced: boolean }> {
  const passesOn = hasRole(actor, 'admin') && (actor.via === 'rest' || actor.via === 'cli');
  if (!passesOn) return store.feedback.addOf(tokens.pseudonym(actor.id), answer);
  const [id] = await store.feedback.add([answer]);
  return { id: id as number, replaced: false };
}

/** How many answers of a source wait until there are enough. */
export async function waitingAnswers({ store }: Pick<Ports, 'store'>): Promise<number> {
  return (await store.feedback.waiting('feedback')) + (await store.feedback.waiting('survey'));
}

/**
 * Publishes the waiting answers of a source once there are enough: from then on only counts are kept of them. Comments
 * follow when there are enough answers behind them. Doing it twice, or at once in two places, changes nothing.
 */
export async function giveOut({ store }: Pick<Ports, 'store'>, source: FeedbackSource, now: Date): Promise<void> {
  if ((await store.feedback.waiting(source)) < LEAST_ANSWERS) return;
  await store.transaction(async ({ feedback }) => {
    const answers = await feedback.take(source);
    if (answers.length < LEAST_ANSWERS) {
      await feedback.add(answers); // another process was faster and left the newcomers
      return;
    }
    const on = dayOf(now);
    await feedback.addCells(cellsOf(answers).map((cell) => ({ ...cell, source, on })));
    await feedback.addComments(source, commentsOf(answers));
    if ((await feedback.answersWithheld(source)) >= LEAST_ANSWERS_FOR_COMMENTS)
      await feedback.giveOutComments(source, on);
  });
}

function commentsOf(answers: readonly FeedbackAnswer[]): Comment[] {
  return answers.flatMap(({ category, comment }) => (comment === null ? [] : [{ category, text: comment }]));
}

interface FeedbackQuery {
  lookbackDays: number;
  persona?: string | undefined;
  /** `key=value` */
  tag?: string | undefined;
}

interface GroupFigures {
  /** `persona:developer`, `tag:team=sales` */
  group: string;
  figures: EnpsFigures;
  /** Average score of the group's machines as they are registered now, so that it tells nothing of who answered. */
  dexScore: number | null;
  agreement: Agreement;
}

interface FeedbackSummary {
  /** Null when too few answers were published. */
  figures: EnpsFigures | null;
  dexScore: number | null;
  groups: GroupFigures[];
  /** Between eNPS and DEX score over the groups; null when there are too few or one side does not vary. */
  correlation: number | null;
  /** By the day on which answers were published, oldest first. */
  history: { on: string; figures: EnpsFigures; dexScore: number | null }[];
  /** Null while there are too few answers for any. */
  comments: Comment[] | null;
}

/** What was published in the last days, for everybody or for one group. */
export async function feedbackSummary(
  { store, settings }: Pick<Ports, 'store' | 'settings'>,
  query: FeedbackQuery,
  now: Date,
): Promise<FeedbackSummary> {
  const since = new Date(now.getTime() - query.lookbackDays * DAY_MS);
  const wanted = [
    ...(query.persona === undefined ? [] : [personaGroup(query.persona)]),
    ...(query.tag === undefined ? [] : [tagGroup(query.tag)]),
  ];
  const [given, machines, fleetHistory] = await Promise.all([
    store.feedback.cells(dayOf(since)),
    store.endpoints.scored(),
    wanted.length === 0 ? store.fleetScores.since(new Date(dayOf(since))) : [],
  ]);
  const cells = given.filter(({ groups }) => wanted.every((group) => groups.includes(group)));
  const scores = averageScores(machines.filter((machine) => isIn(machine, wanted)));
  const figures = enpsOf(addTallies(cells.map(({ tally }) => tally)));
  const groups = groupFigures(cells, wanted, scores, settings.thresholds.warning);
  const enough = wanted.length === 0 && figures !== null && figures.responses >= LEAST_ANSWERS_FOR_COMMENTS;
  return {
    figures,
    dexScore: scores.get(EVERYBODY) ?? null,
    groups,
    correlation: correlation(
      groups.flatMap(({ figures: { enps }, dexScore }) => (dexScore === null ? [] : [[dexScore, enps] as const])),
    ),
    history: [...Map.groupBy(cells, ({ on }) => on)].map(([on, ofDay]) => ({
      on,
      figures: enpsOf(addTallies(ofDay.map(({ tally }) => tally))) as EnpsFigures,
      dexScore: fleetHistory.findLast(({ at }) => dayOf(at) <= on)?.average ?? null,
    })),
    comments: enough ? await store.feedback.comments(dayOf(since), MOST_COMMENTS) : null,
  };
}

function groupFigures(
  cells: readonly StoredCell[],
  wanted: readonly string[],
  scores: ReadonlyMap<string, number>,
  wellFrom: number,
): GroupFigures[] {
  const names = new Set(cells.flatMap(({ groups }) => groups).filter((group) => !wanted.includes(group)));
  return [...names]
    .map((group) => {
      const members = cells.filter(({ groups }) => groups.includes(group));
      const figures = enpsOf(addTallies(members.map(({ tally }) => tally))) as EnpsFigures;
      const dexScore = scores.get(group) ?? null;
      return { group, figures, dexScore, agreement: agreement(figures, dexScore, wellFrom) };
    })
    .sort((a, b) => b.figures.responses - a.figures.responses || (a.group < b.group ? -1 : 1))
    .slice(0, MOST_GROUPS);
}

const EVERYBODY = '';

type Machine = { persona: string; tags: Record<string, string>; score: number };

function isIn(machine: Machine, wanted: readonly string[]): boolean {
  const groups = groupsOf(machine);
  return wanted.every((group) => groups.includes(group));
}

/** Average score by group, and of all. */
function averageScores(machines: readonly Machine[]): Map<string, number> {
  const sums = new Map<string, { sum: number; count: number }>();
  for (const machine of machines) {
    for (const group of [EVERYBODY, ...groupsOf(machine)]) {
      const entry = sums.get(group) ?? { sum: 0, count: 0 };
      sums.set(group, { sum: entry.sum + machine.score, count: entry.count + 1 });
    }
  }
  return new Map([...sums].map(([group, { sum, count }]) => [group, round1(sum / count)]));
}
