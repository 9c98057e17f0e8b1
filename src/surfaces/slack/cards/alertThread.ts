/** What stands in the thread of a card: its timeline as one message, and the few things that people have to notice. */
import { person, statusText } from './alertCard.ts';
import { type AlertFacts, byWeight, factsIn, type ShownAnswer, STATUS_WORDS } from './alertFacts.ts';
import { approvalAsk } from './approvalCard.ts';
import { type Block, clip, dateElement, escapeText, paragraph, type Reply, textElement, who } from './text.ts';

interface AlertMove {
  from: string | null;
  to: string;
  why: string;
}

type Elements = Parameters<typeof paragraph>;

const MAX_WHY_CHARS = 300;
/** Older entries are with the alert itself. */
const MOST_ENTRIES = 12;

/** Whether people who read the card once have to notice a move: what was over or acknowledged is open again. */
export function isLoud({ from, to }: AlertMove): boolean {
  return to === 'active' && (from === 'resolved' || from === 'acknowledged');
}

/**
 * What happened to the alerts of a card, oldest first; null while nothing has but their beginning.
 * @param asks approvals that wait and that nobody was asked for yet
 */
export function alertTimeline(
  shown: readonly ShownAnswer[],
  asks: readonly ShownAnswer[],
  approvers: readonly string[],
): Reply | null {
  const all = shown.map(({ output }) => factsIn(output)).toSorted((a, b) => byWeight(a.alert, b.alert));
  const entries = all
    .flatMap(({ alert, timeline }) => timeline.map((event) => ({ alert, event })))
    .filter(({ event }) => event.from !== null)
    .toSorted((a, b) => a.event.at.localeCompare(b.event.at));
  if (entries.length === 0) return null;
  const left = entries.length - MOST_ENTRIES;
  const lines = entries
    .slice(-MOST_ENTRIES)
    .map(
      ({ alert, event }): Elements => [
        dateElement(event.at),
        textElement(` ${all.length > 1 ? `${alert.alert_name}: ` : ''}${moveText(event)} by `),
        who(event.actor),
      ],
    );
  const questions = asks.flatMap((ask) => askBlocks(ask, approvers));
  const [first] = all;
  const last = entries.at(-1);
  return {
    text: escapeText(
      `${first?.alert.alert_name} on ${first?.alert.hostname}: ${last ? moveText(last.event) : statusText(all[0]!.alert)}`,
    ),
    blocks: [
      ...questions,
      paragraph(
        ...(left > 0 ? [textElement(`${left} earlier\n`, { italic: true })] : []),
        ...lines.flatMap((line, i) => [...(i > 0 ? [textElement('\n')] : []), ...line]),
      ),
    ],
  };
}

/** Asks those who may answer for one answer. */
export function alertAsk(shown: ShownAnswer, approvers: readonly string[]): Reply {
  const { approval } = factsIn(shown.output);
  if (!approval) throw new Error('an alert without an approval');
  return { text: escapeText(`Waiting for approval: ${approval.question}`), blocks: askBlocks(shown, approvers) };
}

function askBlocks({ output }: ShownAnswer, approvers: readonly string[]): Block[] {
  const { approval } = factsIn(output);
  return approval ? [approvalAsk(approval, approvers)] : [];
}

/** That an alert is open again, for people to notice. */
export function alertMoves(shown: ShownAnswer, moves: readonly AlertMove[]): Reply {
  const { alert, timeline } = factsIn(shown.output);
  const lines = moves.map((move) => {
    const entry = timeline.findLast(({ from, to, why }) => from === move.from && to === move.to && why === move.why);
    return {
      text: `${alert.alert_name} on ${alert.hostname}: ${moveText(move)}`,
      by: entry ? [textElement(' by '), who(entry.actor)] : [],
    };
  });
  const elements = lines.flatMap(({ text, by }, i) => [textElement(`${i > 0 ? '\n' : ''}${text}`), ...by]);
  return { text: escapeText(lines.map(({ text }) => text).join('\n')), blocks: [paragraph(...elements)] };
}

function moveText({ from, to, why }: AlertMove): string {
  const step = from === null || from === to ? '' : `${STATUS_WORDS[from] ?? from} → `;
  return `${step}${STATUS_WORDS[to] ?? to} (${clip(why, MAX_WHY_CHARS)})`;
}

/** Calls people to what waits for an answer. @param people ids of users and groups, or mail addresses of who is not in Slack */
export function reachPeople(shown: readonly ShownAnswer[], people: readonly string[]): Reply {
  const all = shown.map(({ output }) => factsIn(output));
  const text = waitingText(all);
  return {
    text: escapeText(text),
    blocks: [paragraph(...people.flatMap((id) => [person(id), textElement(' ')]), textElement(text))],
  };
}

function waitingText(all: readonly AlertFacts[]): string {
  const [first] = all;
  if (first && all.length === 1)
    return `${first.alert.alert_name} on ${first.alert.hostname} waits for an answer: ${clip(first.alert.message, MAX_WHY_CHARS)}`;
  const names = [...Map.groupBy(all, ({ alert }) => alert.alert_name)].map(([name, of]) => `${of.length} ${name}`);
  return `${all.length} alerts wait for an answer: ${names.slice(0, 10).join(', ')}`;
}
