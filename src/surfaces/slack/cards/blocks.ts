/** Answers of tools as Slack shows them: scores with bars and reasons, the fleet, one alert, and lines for everything else. */
import { z } from 'zod';
import { utc } from '../../../core/characters.ts';
import type { Answer } from '../../../core/invoke.ts';
import type { CardKind, ToolCall } from '../../../core/presentation.ts';
import { scoreShape } from '../../../core/shapes.ts';
import { statusText } from '../../../domain/fleet/endpoint.ts';
import { alertBody, alertMore, person } from './alertCard.ts';
import { callButton, relatedBlocks } from './related.ts';
import { reportBody } from './report.ts';
import {
  type Block,
  bullets,
  clip,
  dateElement,
  escapeText,
  header,
  lineBlocks,
  MAX_BLOCKS,
  monospaced,
  note,
  pageBlocks,
  paragraph,
  type Reply,
  textElement,
} from './text.ts';

/** A sign besides the word, distinguished by its shape and not by its colour. */
export const STATUS_SIGNS: Record<string, string> = {
  healthy: '✓',
  at_risk: '▲',
  critical: '✕',
  unreachable: '⊘',
  unknown: '?',
};

const BAR_CELLS = 20;
const MOST_REASONS = 10;

const fleetShown = z.object({
  total: z.number(),
  healthy: z.number(),
  at_risk: z.number(),
  critical: z.number(),
  unknown: z.number(),
  unreachable: z.number(),
  stale: z.number(),
  avg_score: z.number().nullable(),
  worst: z.array(
    z.object({
      hostname: z.string(),
      score: z.number().nullable(),
      score_status: z.string(),
      scored_at: z.string().nullable(),
    }),
  ),
});

const BODIES: Partial<Record<CardKind, (output: Record<string, unknown>, text: string) => Block[]>> = {
  score: (output) => scoreBody(scoreShape.parse(output)),
  fleet: (output) => fleetBody(fleetShown.parse(output)),
  alert: (output) => [...alertBody(output), ...alertMore(output)],
  on_call: (output) => onCallBody(output),
  report: (output, text) => reportBody(text, output),
};

/** More lines than this are behind a button. */
const MOST_LINES = 10;
/** Pages are read as a whole. */
const WHOLE: readonly (CardKind | null)[] = ['runbook', 'runbooks', 'run'];

/**
 * @param image shown below the text, when there is one
 * @param isRead nothing was changed, so that the call can be made again: for everybody in the channel, or to see all of it
 */
export function renderAnswer(
  call: ToolCall,
  answer: Answer,
  image: Block | null,
  { isRead, all = false }: { isRead: boolean; all?: boolean },
): Reply {
  const lines = answer.text.split('\n');
  const isLong = isRead && !all && lines.length > MOST_LINES + 2 && !WHOLE.includes(answer.card);
  const body =
    (answer.card && BODIES[answer.card]?.(answer.output, answer.text)) ??
    lineBlocks(isLong ? lines.slice(0, MOST_LINES) : lines);
  const share = isRead ? callButton('share', 'Share in channel', call) : null;
  const rest =
    isLong && !(answer.card && BODIES[answer.card])
      ? callButton('all', `Show ${lines.length - MOST_LINES} more lines`, call)
      : null;
  const more = [rest, share].filter((it) => it !== null);
  const end = [...(image ? [image] : []), ...pageBlocks(answer.page), ...relatedBlocks(answer.related, { more })];
  return { text: escapeText(answer.text), blocks: fitted(body, MAX_BLOCKS - end.length).concat(end) };
}

function fitted(blocks: Block[], limit: number): Block[] {
  if (blocks.length <= limit) return blocks;
  return [...blocks.slice(0, limit - 1), note(`and ${blocks.length - limit + 1} more`)];
}

function scoreBody(score: z.output<typeof scoreShape>): Block[] {
  const status = `${STATUS_SIGNS[score.status] ?? ''} ${statusText(score.status, score.score)}${score.stale ? ', stale' : ''}`;
  const [best] = score.improvements;
  const reasons = [
    ...score.deductions.map(({ points, reason }) => [
      textElement(`−${points}`, { bold: true }),
      textElement(` ${reason}`),
    ]),
    ...score.caps.map(({ reason }) => [textElement(reason)]),
  ];
  const more = reasons.length - MOST_REASONS;
  return [
    header(`${score.hostname}: ${score.score} of 100 ${status}`),
    monospaced(componentBars(score.components)),
    ...(reasons.length > 0 ? [bullets(reasons.slice(0, MOST_REASONS))] : []),
    ...(more > 0 ? [note(`and ${more} more`)] : []),
    ...(best
      ? [paragraph(textElement('Would raise it most: ', { bold: true }), textElement(`${best.reason} (+${best.gain})`))]
      : []),
    paragraph(
      textElement(`${Math.round(score.coverage * 100)} % of the weight was measured, `, { italic: true }),
      dateElement(score.scored_at),
    ),
  ];
}

function componentBars(components: Record<string, number | null>): string {
  return Object.entries(components)
    .map(([name, value]) => {
      const cells = value === null ? 0 : Math.round((value / 100) * BAR_CELLS);
      const bar = value === null ? '·'.repeat(BAR_CELLS) : '█'.repeat(cells) + '░'.repeat(BAR_CELLS - cells);
      return `${name.padEnd(12)} ${bar} ${value ?? 'not measured'}`;
    })
    .join('\n');
}

function fleetBody(fleet: z.output<typeof fleetShown>): Block[] {
  const count = (label: string, status: string, value: number) =>
    `${STATUS_SIGNS[status]} ${label.padEnd(13)} ${value}`;
  const worst = fleet.worst.filter(({ score_status }) => score_status !== 'healthy');
  return [
    header(`Fleet: ${fleet.total} machine${fleet.total === 1 ? '' : 's'}, average ${fleet.avg_score ?? 'not known'}`),
    monospaced(
      [
        count('healthy', 'healthy', fleet.healthy),
        count('at risk', 'at_risk', fleet.at_risk),
        count('critical', 'critical', fleet.critical),
        ...(fleet.unreachable > 0 ? [count('not reachable', 'unreachable', fleet.unreachable)] : []),
        count('no verdict', 'unknown', fleet.unknown),
        ...(fleet.stale > 0 ? [`  ${'stale'.padEnd(13)} ${fleet.stale}`] : []),
      ].join('\n'),
    ),
    ...(worst.length > 0 ? [bullets(worst.map((machine) => [textElement(machineLine(machine))]))] : []),
  ];
}

const personShown = z.object({ id: z.string(), name: z.string().nullable() });
const onCallShown = z.object({
  rotation: z.string(),
  person: personShown,
  until: z.string(),
  instead_of: personShown.nullable(),
  next: personShown,
});

/** Who is on call, of one rotation or of all. */
function onCallBody(output: Record<string, unknown>): Block[] {
  const list = onCallShown.array().parse(output.on_call ?? [output]);
  if (list.length === 0)
    return [
      paragraph(textElement('Nobody is on call: no rotation is set up. config/escalation.yaml says how to add one.')),
    ];
  return [
    bullets(
      list.map(({ rotation, person: now, until, instead_of, next }) => [
        textElement(`${rotation}: `, { bold: true }),
        person(now.id),
        ...(instead_of ? [textElement(' in place of '), person(instead_of.id)] : []),
        textElement(' until '),
        dateElement(until),
        textElement(', then '),
        person(next.id),
      ]),
    ),
  ];
}

/** @param machine of one that is not reachable, `scored_at` says how old the number is */
export function machineLine(machine: {
  hostname: string;
  score: number | null;
  score_status: string;
  scored_at?: string | null;
}): string {
  const { hostname, score, score_status: status, scored_at: scoredAt } = machine;
  const age = status === 'unreachable' && scoredAt ? `, the score is of ${utc(scoredAt)}` : '';
  const text = score === null ? 'no score yet' : `${score} (${statusText(status, score)}${age})`;
  return `${STATUS_SIGNS[status] ?? ''} ${clip(hostname, 253)}: ${text}`;
}
