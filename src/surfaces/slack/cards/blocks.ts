/** Answers of tools as Slack shows them: scores with bars and reasons, the fleet, one alert, and lines for everything else. */
import { z } from 'zod';
import type { Answer } from '../../../core/invoke.ts';
import { scoreShape } from '../../../core/shapes.ts';
import { isValidHostname } from '../../../domain/fleet/address.ts';
import type { ToolCall } from '../context.ts';
import { alertActions, alertBody, alertIn } from './alertCard.ts';
import {
  type Block,
  bullets,
  button,
  clip,
  escapeText,
  header,
  lineBlocks,
  MAX_BLOCKS,
  moment,
  monospaced,
  note,
  paragraph,
  type Reply,
  words,
} from './text.ts';

/** A sign besides the word, told apart by its shape and not by its colour. */
export const STATUS_SIGNS: Record<string, string> = { healthy: '✓', at_risk: '▲', critical: '✕', unknown: '?' };

/** Slack refuses longer values. */
const MAX_VALUE_CHARS = 2000;
const BAR_CELLS = 20;
const MOST_REASONS = 10;
const MOST_THUMBS = 3;

const fleetShown = z.object({
  total: z.number(),
  healthy: z.number(),
  at_risk: z.number(),
  critical: z.number(),
  unknown: z.number(),
  stale: z.number(),
  avg_score: z.number().nullable(),
  worst: z.array(z.object({ hostname: z.string(), score: z.number().nullable(), score_status: z.string() })),
});

const BODIES: Record<string, (output: Record<string, unknown>) => Block[]> = {
  get_score: (output) => scoreBody(scoreShape.parse(output)),
  get_fleet: (output) => fleetBody(fleetShown.parse(output)),
  get_alert: (output) => {
    const alert = alertIn(output);
    return [...alertBody(alert), ...alertActions(alert)];
  },
};

/** @param image shown below the words, when there is one */
export function renderAnswer(call: ToolCall, answer: Answer, image: Block | null, shareable: boolean): Reply {
  const body = BODIES[call.tool]?.(answer.output) ?? lineBlocks(answer.text.split('\n'));
  const end = [
    ...(image ? [image] : []),
    ...thumbs(call, answer.output),
    ...unknownHostButtons(call, answer.output),
    ...answerButtons(call, shareable),
  ];
  return { text: escapeText(answer.text), blocks: fitted(body, MAX_BLOCKS - end.length).concat(end) };
}

function fitted(blocks: Block[], limit: number): Block[] {
  if (blocks.length <= limit) return blocks;
  return [...blocks.slice(0, limit - 1), note(`and ${blocks.length - limit + 1} more`)];
}

const pagesFound = z.union([
  z.object({ results: z.array(z.object({ doc_id: z.string() })) }).transform(({ results }) => results),
  z.object({ runbooks: z.array(z.object({ doc_id: z.string() })) }).transform(({ runbooks }) => runbooks),
]);

/** Asks whether a runbook helped, for the first of those found. */
function thumbs({ tool }: ToolCall, output: Record<string, unknown>): Block[] {
  if (tool !== 'search_runbooks' && tool !== 'endpoint_runbooks') return [];
  return pagesFound
    .parse(output)
    .slice(0, MOST_THUMBS)
    .flatMap(({ doc_id }, index) => {
      const vote = (helped: boolean, label: string) =>
        callButton(`run:${helped ? 'helped' : 'useless'}${index}`, label, {
          tool: 'rate_runbook',
          input: { doc_id, helped },
        });
      const buttons = [vote(true, `👍 ${doc_id} helped`), vote(false, '👎 It did not')].filter((it) => it !== null);
      return buttons.length > 0 ? [{ type: 'actions' as const, elements: buttons }] : [];
    });
}

/** Unknown hosts that get buttons; each takes a block of its own. */
const MOST_HOSTS = 8;
/** Slack takes up to 25 in a block; more than a few are not read. */
const MOST_ALIASES = 3;

const hostsUnknown = z.object({
  unknown_hosts: z.array(z.object({ hostname: z.string(), may_be: z.array(z.string()) })),
});

/** One click each: whose other name an unknown host is, or that it is a machine of its own. */
function unknownHostButtons({ tool }: ToolCall, output: Record<string, unknown>): Block[] {
  if (tool !== 'list_unknown_hosts') return [];
  const { unknown_hosts: hosts } = hostsUnknown.parse(output);
  const byName = new Map(hosts.map((host) => [host.hostname, host]));
  return [...byName.values()].slice(0, MOST_HOSTS).flatMap(({ hostname, may_be }, index) => {
    const aliases = may_be.slice(0, MOST_ALIASES).map((of, at) =>
      callButton(`run:alias${index}-${at}`, `${hostname} is ${of}`, {
        tool: 'add_alias',
        input: { alias: hostname, hostname: of },
      }),
    );
    const register = isValidHostname(hostname)
      ? callButton(`run:register${index}`, `Register ${hostname}`, { tool: 'register_endpoint', input: { hostname } })
      : null;
    const elements = [...aliases, register].filter((it) => it !== null);
    return elements.length > 0 ? [{ type: 'actions' as const, elements }] : [];
  });
}

function answerButtons(call: ToolCall, shareable: boolean): Block[] {
  const { hostname } = call.input;
  const next =
    call.tool === 'get_score' && typeof hostname === 'string'
      ? [
          callButton('run:rescan', 'Scan again', { tool: 'scan_endpoint', input: { hostname } }),
          callButton('run:history', 'History', { tool: 'get_score_history', input: { hostname } }),
        ]
      : [];
  const buttons = [...next, shareable ? callButton('share', 'Share in channel', call) : null].filter(
    (it) => it !== null,
  );
  return buttons.length > 0 ? [{ type: 'actions', elements: buttons }] : [];
}

/** A button that carries a call of a tool, so that it works after a restart too; null when the call is too long for one. */
export function callButton(actionId: string, label: string, call: ToolCall) {
  const value = JSON.stringify({ tool: call.tool, input: call.input });
  return value.length > MAX_VALUE_CHARS ? null : button(actionId, label, value);
}

export function scoreBody(score: z.output<typeof scoreShape>): Block[] {
  const status = `${STATUS_SIGNS[score.status] ?? ''} ${score.status.replace('_', ' ')}${score.stale ? ', stale' : ''}`;
  const [best] = score.improvements;
  const reasons = [
    ...score.deductions.map(({ points, reason }) => [words(`−${points}`, { bold: true }), words(` ${reason}`)]),
    ...score.caps.map(({ reason }) => [words(reason)]),
  ];
  const more = reasons.length - MOST_REASONS;
  return [
    header(`${score.hostname}: ${score.score} of 100 ${status}`),
    monospaced(componentBars(score.components)),
    ...(reasons.length > 0 ? [bullets(reasons.slice(0, MOST_REASONS))] : []),
    ...(more > 0 ? [note(`and ${more} more`)] : []),
    ...(best
      ? [paragraph(words('Would raise it most: ', { bold: true }), words(`${best.reason} (+${best.gain})`))]
      : []),
    paragraph(
      words(`${Math.round(score.coverage * 100)} % of the weight was measured, `, { italic: true }),
      moment(score.scored_at),
    ),
  ];
}

export function componentBars(components: Record<string, number | null>): string {
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
    `${STATUS_SIGNS[status]} ${label.padEnd(10)} ${value}`;
  const worst = fleet.worst.filter(({ score_status }) => score_status !== 'healthy');
  return [
    header(`Fleet: ${fleet.total} machine${fleet.total === 1 ? '' : 's'}, average ${fleet.avg_score ?? 'not known'}`),
    monospaced(
      [
        count('healthy', 'healthy', fleet.healthy),
        count('at risk', 'at_risk', fleet.at_risk),
        count('critical', 'critical', fleet.critical),
        count('no score', 'unknown', fleet.unknown),
        ...(fleet.stale > 0 ? [`  stale      ${fleet.stale}`] : []),
      ].join('\n'),
    ),
    ...(worst.length > 0 ? [bullets(worst.map((machine) => [words(machineLine(machine))]))] : []),
  ];
}

export function machineLine(machine: { hostname: string; score: number | null; score_status: string }): string {
  const sign = STATUS_SIGNS[machine.score_status] ?? '';
  const score =
    machine.score === null ? 'no score yet' : `${machine.score} (${machine.score_status.replace('_', ' ')})`;
  return `${sign} ${clip(machine.hostname, 253)}: ${score}`;
}
