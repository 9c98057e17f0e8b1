/** The card of a machine's problem: its alerts, how they stand, what is asked about them, and what can be done by a click. */
import type { types } from '@slack/bolt';
import {
  type AlertFacts,
  type AlertShown,
  byWeight,
  factsIn,
  isScoreAlert,
  SEVERITY_SIGNS,
  type ShownAnswer,
  STATUS_WORDS,
} from './alertFacts.ts';
import { approvalSection } from './approvalCard.ts';
import { relatedBlocks } from './related.ts';
import {
  type Block,
  bullets,
  clip,
  dateElement,
  escapeText,
  header,
  mention,
  pageBlocks,
  paragraph,
  type Reply,
  textElement,
  who,
} from './text.ts';

const RESOLUTION_WORDS: Record<string, string> = {
  clear: 'a scan found it gone',
  source: 'its source says it is over',
  auto: 'repaired, and a scan confirmed it',
  ticket: 'its ticket was closed',
  person: 'closed by a person',
  deregistered: 'the machine is no longer watched',
};

const MAX_MESSAGE_CHARS = 2000;
/** Beside others on one card. */
const MAX_SHORT_MESSAGE_CHARS = 300;
/** Calls by which an approval is answered; they stand with its question. */
const DECISIONS = ['approve', 'deny'];

type Elements = Parameters<typeof paragraph>;

interface Entry extends ShownAnswer {
  facts: AlertFacts;
}

/**
 * One card for all alerts of a machine that came together.
 * @param approvers ids of the users and user groups that may answer what is asked
 */
export function alertCard(shown: readonly ShownAnswer[], approvers: readonly string[]): Reply {
  const entries = shown
    .map((one): Entry => ({ ...one, facts: factsIn(one.output) }))
    .toSorted((a, b) => byWeight(a.facts.alert, b.facts.alert));
  const [first, ...others] = entries;
  if (!first) throw new Error('a card of no alert');
  const { alert } = first.facts;
  const more = others.length > 0 ? ` and ${others.length} more` : '';
  const body = others.length === 0 ? alertBody(first.output) : machineBody(entries);
  return {
    text: escapeText(
      `${alert.severity} ${alert.alert_name} on ${alert.hostname}: ${alert.message} (${statusText(alert)})${more}`,
    ),
    blocks: [
      ...body,
      ...entries.flatMap((entry) => askedAbout(entry, approvers)),
      ...reachedBlocks(entries),
      ...pageBlocks(first.page),
      ...(others.length === 0 ? actionsOf(first) : []),
    ],
  };
}

/** An alert by itself, in an answer to somebody. */
export function alertBody(output: Record<string, unknown>): Block[] {
  const { alert, machine } = factsIn(output);
  return [
    header(`${signOf(alert)} ${alert.alert_name} on ${alert.hostname}`),
    paragraph(
      textElement(clip(alert.message, MAX_MESSAGE_CHARS)),
      ...fact('Alert', textElement(String(alert.id))),
      ...fact('Severity', textElement(alert.severity)),
      ...fact('Status', textElement(statusText(alert)), ...acknowledgement(alert)),
      ...fact('Since', dateElement(alert.created_at)),
      ...(alert.resolved_at ? fact('Resolved', dateElement(alert.resolved_at)) : []),
      ...expected(alert),
      ...(alert.ticket ? fact('Ticket', ticketText(alert.ticket)) : []),
      ...(alert.flaps > 0 ? fact('Came back', textElement(`${alert.flaps} time${alert.flaps === 1 ? '' : 's'}`)) : []),
      ...machineFacts(machine),
    ),
  ];
}

/** What else is known of an alert: what is asked, and who was reached. */
export function alertMore(output: Record<string, unknown>): Block[] {
  const entry = { facts: factsIn(output), output };
  return [...dryRunBlocks(entry.facts), ...approvalBlocks(entry.facts, [])];
}

function machineBody(entries: readonly Entry[]): Block[] {
  const open = entries.filter(({ facts }) => facts.alert.status !== 'resolved');
  const [first] = entries as [Entry];
  const { alert, machine } = first.facts;
  const title =
    open.length === 0
      ? `✅ All ${entries.length} alerts on ${alert.hostname} are resolved`
      : `${signOf(alert)} ${alert.alert_name} on ${alert.hostname} and ${entries.length - 1} more`;
  const about = machineFacts(machine);
  return [
    header(title),
    ...(about.length > 0 ? [paragraph(...about.slice(1))] : []),
    ...entries.flatMap((entry): Block[] => {
      const { alert: one } = entry.facts;
      const joins = isScoreAlert(one) && open.some(({ facts }) => !isScoreAlert(facts.alert));
      const isDone = joins || one.status === 'resolved';
      return [paragraph(...lineOf(one, joins)), ...(isDone ? [] : actionsOf(entry))];
    }),
  ];
}

/** `⛔ 12 DiskFull: disk / at 97 % · open since today 10:31`. */
function lineOf(alert: AlertShown, joins: boolean): Elements {
  const since = alert.resolved_at ?? alert.created_at;
  return [
    textElement(`${signOf(alert)} ${alert.id} ${alert.alert_name}`, { bold: true }),
    textElement(`: ${clip(alert.message, MAX_SHORT_MESSAGE_CHARS)}\n`),
    textElement(joins ? 'follows from the rest; ' : ''),
    textElement(statusText(alert)),
    ...acknowledgement(alert),
    textElement(' since '),
    dateElement(since),
    ...expected(alert),
    ...(alert.ticket ? fact('Ticket', ticketText(alert.ticket)) : []),
  ];
}

/** The menu and buttons of an alert. Taking back is for whoever has just resolved it, who gets a button of their own. */
function actionsOf({ related }: Entry): Block[] {
  const calls = related.filter(({ id }) => !DECISIONS.includes(id) && id !== 'undo');
  return relatedBlocks(calls, { action: 'thread' });
}

/** The approval of an alert's remediation: the question with its buttons while it waits, how it ended afterwards. */
function askedAbout({ facts, related }: Entry, approvers: readonly string[]): Block[] {
  return [
    ...(facts.approval?.status === 'pending' ? dryRunBlocks(facts) : []),
    ...approvalBlocks(facts, approvers),
    ...relatedBlocks(related.filter(({ id }) => DECISIONS.includes(id))),
  ];
}

function approvalBlocks({ approval }: AlertFacts, approvers: readonly string[]): Block[] {
  return approval ? approvalSection(approval, approvers) : [];
}

function dryRunBlocks({ dry_run }: AlertFacts): Block[] {
  if (!dry_run) return [];
  const head = paragraph(textElement('A dry run ', { bold: true }), dateElement(dry_run.at));
  if (dry_run.changes.length === 0) return [head, paragraph(textElement('It would change nothing.'))];
  return [head, bullets(dry_run.changes.map((change) => [textElement(`would change ${change}`)]))];
}

/** Whom the escalation of the alerts has reached, and when it goes on. */
function reachedBlocks(entries: readonly Entry[]): Block[] {
  const waiting = entries.flatMap(({ facts }) => facts.escalation ?? []);
  const people = [...new Set(waiting.flatMap(({ people }) => people))];
  if (people.length === 0) return [];
  const next = waiting
    .flatMap(({ next_at }) => next_at ?? [])
    .toSorted()
    .at(0);
  return [
    paragraph(
      textElement('Reached: '),
      ...people.flatMap((id, i) => [...(i > 0 ? [textElement(', ')] : []), person(id)]),
      ...(next ? [textElement('. Without an answer, next at '), dateElement(next)] : []),
    ),
  ];
}

/** A person or a group by id; mail addresses are shown as they are, since only a delivery looks them up. */
export function person(id: string): ReturnType<typeof textElement> {
  return /^[UWS][A-Z0-9]+$/.test(id) ? mention(id) : textElement(clip(id, 100));
}

function fact(label: string, ...value: Elements): Elements {
  return [textElement(`\n${label} `, { bold: true }), ...value];
}

function machineFacts(machine: AlertFacts['machine']): Elements {
  if (!machine) return [];
  const score = machine.score === null ? 'no score' : `${Math.round(machine.score)} of 100`;
  return fact(
    'Machine',
    textElement(`${machine.owner_email ?? 'no owner'}, tier ${machine.criticality_tier}, ${score}`),
  );
}

/** While it is only predicted. */
function expected({ alert_type, predicted_time_to_impact, resolved_at }: AlertShown): Elements {
  const isPrediction = alert_type === undefined || alert_type === 'predictive';
  return predicted_time_to_impact && isPrediction && !resolved_at
    ? fact('Expected in', textElement(predicted_time_to_impact))
    : ([] as unknown as Elements);
}

function signOf(alert: AlertShown): string {
  return alert.resolved_at ? '✅' : (SEVERITY_SIGNS[alert.severity] ?? '');
}

export function statusText(alert: AlertShown): string {
  const status = STATUS_WORDS[alert.status] ?? alert.status;
  const how =
    alert.resolution && alert.status === 'resolved'
      ? `: ${RESOLUTION_WORDS[alert.resolution] ?? alert.resolution}`
      : '';
  return `${status}${how}${alert.stale ? '; the machine has not answered lately' : ''}`;
}

/** By whom, and until when. */
function acknowledgement(alert: AlertShown): Elements {
  if (alert.status !== 'acknowledged') return [];
  const by = alert.acknowledged_by ? [textElement(' by '), who(alert.acknowledged_by)] : [];
  const until = alert.acknowledged_until
    ? [textElement(' until '), dateElement(alert.acknowledged_until)]
    : [textElement(' until it clears')];
  return [...by, ...until];
}

/** Only web addresses become links; anything else stays words. */
function ticketText({
  id,
  url,
}: {
  id: string;
  url: string | null;
}): types.RichTextLink | ReturnType<typeof textElement> {
  const web = url !== null && URL.canParse(url) && ['http:', 'https:'].includes(new URL(url).protocol);
  return web ? { type: 'link', url, text: clip(id, 100) } : textElement(clip(id, 100));
}
