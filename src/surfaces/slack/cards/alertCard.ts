/** The card of an alert: what is wrong where, since when, how it stands, and what can be done about it by a click. */
import type { types } from '@slack/bolt';
import { z } from 'zod';
import type { RelatedCall } from '../../../core/presentation.ts';
import { relatedBlocks } from './related.ts';
import {
  type Block,
  clip,
  dateElement,
  escapeText,
  header,
  pageBlocks,
  paragraph,
  type Reply,
  textElement,
  who,
} from './text.ts';

/** What a card shows of an alert; the wire shape has more. */
const alertShown = z.object({
  id: z.number().int(),
  hostname: z.string(),
  alert_name: z.string(),
  severity: z.string(),
  message: z.string(),
  status: z.string(),
  acknowledged_until: z.string().nullish(),
  acknowledged_by: z.string().nullish(),
  predicted_time_to_impact: z.string().nullish(),
  ticket: z.object({ id: z.string(), url: z.string().nullable() }).nullish(),
  flaps: z.number().default(0),
  created_at: z.string(),
  resolved_at: z.string().nullish(),
  resolution: z.string().nullish(),
  stale: z.boolean().optional(),
});
export type AlertShown = z.output<typeof alertShown>;

/** Signs distinguished by shape, not only by colour. */
export const SEVERITY_SIGNS: Record<string, string> = { critical: '⛔', warning: '⚠️', info: 'ℹ️' };

const STATUS_WORDS: Record<string, string> = {
  active: 'open',
  acknowledged: 'acknowledged',
  pending_approval: 'waiting for an approval',
  remediating: 'being repaired',
  needs_human: 'needs a person',
  resolved: 'resolved',
};

const RESOLUTION_WORDS: Record<string, string> = {
  clear: 'a scan found it gone',
  source: 'its source says it is over',
  auto: 'repaired, and a scan confirmed it',
  ticket: 'its ticket was closed',
  person: 'closed by a person',
  deregistered: 'the machine is no longer watched',
};

const MAX_MESSAGE_CHARS = 2000;
const MAX_WHY_CHARS = 300;

/**
 * @param related what can be done about it; what that answers goes to the card's thread
 * @param page where the page shows it
 */
export function alertCard(alert: AlertShown, related: readonly RelatedCall[], page: string | null): Reply {
  return {
    text: escapeText(
      `${alert.severity} ${alert.alert_name} on ${alert.hostname}: ${alert.message} (${statusText(alert)})`,
    ),
    blocks: [...alertBody(alert), ...pageBlocks(page), ...relatedBlocks(related, { action: 'thread' })],
  };
}

export function alertBody(alert: AlertShown): Block[] {
  const sign = alert.resolved_at ? '✅' : (SEVERITY_SIGNS[alert.severity] ?? '');
  const fact = (label: string, ...value: Parameters<typeof paragraph>) => [
    textElement(`\n${label} `, { bold: true }),
    ...value,
  ];
  return [
    header(`${sign} ${alert.alert_name} on ${alert.hostname}`),
    paragraph(
      textElement(clip(alert.message, MAX_MESSAGE_CHARS)),
      ...fact('Alert', textElement(String(alert.id))),
      ...fact('Severity', textElement(alert.severity)),
      ...fact('Status', textElement(statusText(alert)), ...acknowledgement(alert)),
      ...fact('Since', dateElement(alert.created_at)),
      ...(alert.resolved_at ? fact('Resolved', dateElement(alert.resolved_at)) : []),
      ...(alert.predicted_time_to_impact && !alert.resolved_at
        ? fact('Expected in', textElement(alert.predicted_time_to_impact))
        : []),
      ...(alert.ticket ? fact('Ticket', ticketText(alert.ticket)) : []),
      ...(alert.flaps > 0 ? fact('Came back', textElement(`${alert.flaps} time${alert.flaps === 1 ? '' : 's'}`)) : []),
    ),
  ];
}

function statusText(alert: AlertShown): string {
  const status = STATUS_WORDS[alert.status] ?? alert.status;
  const how =
    alert.resolution && alert.status === 'resolved'
      ? `: ${RESOLUTION_WORDS[alert.resolution] ?? alert.resolution}`
      : '';
  return `${status}${how}${alert.stale ? '; the machine has not answered lately' : ''}`;
}

/** By whom, and until when. */
function acknowledgement(alert: AlertShown): Parameters<typeof paragraph> {
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

export interface AlertMove {
  from: string | null;
  to: string;
  why: string;
}

const timelineShown = z.array(
  z.object({ from: z.string().nullable(), to: z.string(), why: z.string(), actor: z.string() }),
);

/** What happened to an alert, as lines of its thread. @param facts an answer that shows the alert, whose timeline says who */
export function alertMoves(facts: Record<string, unknown>, moves: AlertMove[]): Reply {
  const alert = alertIn(facts);
  const timeline = timelineShown.parse(facts.timeline);
  const lines = moves.map(({ from, to, why }) => {
    const step = from === null || from === to ? '' : `${STATUS_WORDS[from] ?? from} → `;
    const text = `${alert.alert_name} on ${alert.hostname}: ${step}${STATUS_WORDS[to] ?? to} (${clip(why, MAX_WHY_CHARS)})`;
    const entry = timeline.findLast((event) => event.from === from && event.to === to && event.why === why);
    return { text, by: entry && [textElement(' by '), who(entry.actor)] };
  });
  const elements = lines.flatMap(({ text, by }, i) => [textElement(`${i > 0 ? '\n' : ''}${text}`), ...(by ?? [])]);
  return { text: escapeText(lines.map(({ text }) => text).join('\n')), blocks: [paragraph(...elements)] };
}

/** The alert in an answer that shows one. */
export function alertIn(facts: Record<string, unknown>): AlertShown {
  return alertShown.parse(facts.alert);
}
