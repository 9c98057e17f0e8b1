/** The card of an alert: what is wrong where, since when, how it stands, and what can be done about it by a click. */
import type { types } from '@slack/bolt';
import { z } from 'zod';
import {
  type Block,
  button,
  clip,
  escapeText,
  header,
  lineBlocks,
  moment,
  option,
  paragraph,
  type Reply,
  who,
  words,
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
type AlertShown = z.output<typeof alertShown>;

/** Signs told apart by shape, not only by colour. */
const SEVERITY_SIGNS: Record<string, string> = { critical: '⛔', warning: '⚠️', info: 'ℹ️' };

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

/** Choices of the Acknowledge menu; `clear` means until the alert clears by itself. */
const ACKNOWLEDGE_CHOICES = [
  { label: 'for 1 hour', value: '1' },
  { label: 'for 4 hours', value: '4' },
  { label: 'for 24 hours', value: '24' },
  { label: 'until it clears', value: 'clear' },
] as const;

const MAX_MESSAGE_CHARS = 2000;
const MAX_WHY_CHARS = 300;

export function alertCard(alert: AlertShown): Reply {
  return {
    text: escapeText(
      `${alert.severity} ${alert.alert_name} on ${alert.hostname}: ${alert.message} (${statusText(alert)})`,
    ),
    blocks: [...alertBody(alert), ...alertActions(alert)],
  };
}

export function alertBody(alert: AlertShown): Block[] {
  const sign = alert.resolved_at ? '✅' : (SEVERITY_SIGNS[alert.severity] ?? '');
  const fact = (label: string, ...value: Parameters<typeof paragraph>) => [
    words(`\n${label} `, { bold: true }),
    ...value,
  ];
  return [
    header(`${sign} ${alert.alert_name} on ${alert.hostname}`),
    paragraph(
      words(clip(alert.message, MAX_MESSAGE_CHARS)),
      ...fact('Severity', words(alert.severity)),
      ...fact('Status', words(statusText(alert)), ...acknowledgement(alert)),
      ...fact('Since', moment(alert.created_at)),
      ...(alert.resolved_at ? fact('Resolved', moment(alert.resolved_at)) : []),
      ...(alert.predicted_time_to_impact ? fact('Expected in', words(alert.predicted_time_to_impact)) : []),
      ...(alert.ticket ? fact('Ticket', ticketText(alert.ticket)) : []),
      ...(alert.flaps > 0 ? fact('Came back', words(`${alert.flaps} time${alert.flaps === 1 ? '' : 's'}`)) : []),
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
  const by = alert.acknowledged_by ? [words(' by '), who(alert.acknowledged_by)] : [];
  const until = alert.acknowledged_until
    ? [words(' until '), moment(alert.acknowledged_until)]
    : [words(' until it clears')];
  return [...by, ...until];
}

/** Only web addresses become links; anything else stays words. */
function ticketText({ id, url }: { id: string; url: string | null }): types.RichTextLink | ReturnType<typeof words> {
  const web = url !== null && URL.canParse(url) && ['http:', 'https:'].includes(new URL(url).protocol);
  return web ? { type: 'link', url, text: clip(id, 100) } : words(clip(id, 100));
}

export function alertActions(alert: AlertShown): Block[] {
  const value = String(alert.id);
  const runbook = button(
    'alert_runbook',
    'Runbook',
    JSON.stringify({ hostname: alert.hostname, alert: alert.alert_name }),
  );
  const rescan = button('alert_rescan', 'Scan again', alert.hostname);
  if (alert.status === 'resolved') return [{ type: 'actions', elements: [rescan, runbook] }];
  const acknowledge: types.StaticSelect = {
    type: 'static_select',
    action_id: 'alert_acknowledge',
    placeholder: { type: 'plain_text', text: 'Acknowledge' },
    options: ACKNOWLEDGE_CHOICES.map((choice) => option(`Acknowledge ${choice.label}`, `${alert.id}:${choice.value}`)),
  };
  return [{ type: 'actions', elements: [acknowledge, button('alert_resolve', 'Resolve', value), rescan, runbook] }];
}

interface AlertMove {
  from: string | null;
  to: string;
  why: string;
}

const timelineShown = z.array(
  z.object({ from: z.string().nullable(), to: z.string(), why: z.string(), actor: z.string() }),
);

/** What happened to an alert, as lines of its thread. @param facts the answer of get_alert, whose timeline says who */
export function alertMoves(facts: Record<string, unknown>, moves: AlertMove[]): Reply {
  const alert = alertIn(facts);
  const timeline = timelineShown.parse(facts.timeline);
  const lines = moves.map(({ from, to, why }) => {
    const step = from === null || from === to ? '' : `${STATUS_WORDS[from] ?? from} → `;
    const text = `${alert.alert_name} on ${alert.hostname}: ${step}${STATUS_WORDS[to] ?? to} (${clip(why, MAX_WHY_CHARS)})`;
    const entry = timeline.findLast((event) => event.from === from && event.to === to && event.why === why);
    return { text, by: entry && [words(' by '), who(entry.actor)] };
  });
  const elements = lines.flatMap(({ text, by }, i) => [words(`${i > 0 ? '\n' : ''}${text}`), ...(by ?? [])]);
  return { text: escapeText(lines.map(({ text }) => text).join('\n')), blocks: [paragraph(...elements)] };
}

const SEVERITY_ORDER = ['critical', 'warning', 'info'];

/** Many new alerts in one message: counts, a line each, and a menu that opens one with its buttons. */
export function alertDigest(alerts: AlertShown[]): Reply {
  const sorted = alerts.toSorted((a, b) => SEVERITY_ORDER.indexOf(a.severity) - SEVERITY_ORDER.indexOf(b.severity));
  const counts = SEVERITY_ORDER.map(
    (severity) => [severity, alerts.filter((alert) => alert.severity === severity).length] as const,
  )
    .filter(([, count]) => count > 0)
    .map(([severity, count]) => `${count} ${severity}`);
  const title = `${alerts.length} new alerts: ${counts.join(', ')}`;
  const line = (alert: AlertShown) =>
    `${SEVERITY_SIGNS[alert.severity] ?? ''} ${alert.alert_name} on ${alert.hostname}`;
  const menu: types.StaticSelect = {
    type: 'static_select',
    action_id: 'alert_show',
    placeholder: { type: 'plain_text', text: 'Open an alert' },
    // A menu holds at most 100 options.
    options: sorted.slice(0, 100).map((alert) => option(line(alert), String(alert.id))),
  };
  return {
    text: escapeText(title),
    blocks: [header(title), ...lineBlocks(sorted.map(line)), { type: 'actions', elements: [menu] }],
  };
}

/** The alert in the answer of get_alert. */
export function alertIn(facts: Record<string, unknown>): AlertShown {
  return alertShown.parse(facts.alert);
}
