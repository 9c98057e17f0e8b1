/** Many alerts in one message: how they stand, a line for each cause, and a menu that opens one with its buttons. */
import type { ToolCall } from '../../../core/presentation.ts';
import { type AlertShown, SEVERITY_SIGNS, STATUS_WORDS } from './alertFacts.ts';
import { callMenu } from './related.ts';
import { type Block, clip, escapeText, header, lineBlocks, note, type Reply } from './text.ts';

interface DigestEntry {
  alert: AlertShown;
  call: ToolCall;
}

const SEVERITY_ORDER = ['critical', 'warning', 'info'];

/** Slack refuses a message whose texts and menus are too long together; these keep fifty long names at half of that. */
const MAX_HOST_CHARS = 48;
const MOST_HOSTS_A_CAUSE = 25;
const MOST_OPTIONS = 20;

export function alertDigest(shown: readonly DigestEntry[]): Reply {
  const open = shown.filter(({ alert }) => alert.status !== 'resolved');
  const title = titleOf(shown, open);
  const order = ({ alert }: DigestEntry) => SEVERITY_ORDER.indexOf(alert.severity);
  const causes = [...Map.groupBy(shown, ({ alert }) => `${alert.severity} ${alert.alert_name}`).values()];
  const lines = causes.toSorted((a, b) => order(a[0]!) - order(b[0]!)).map(causeLine);
  const choices = open.toSorted((a, b) => order(a) - order(b)).slice(0, MOST_OPTIONS);
  const menu = callMenu(
    'run:open',
    open.length > choices.length ? `Open one of the first ${choices.length}` : 'Open an alert',
    choices.map(({ alert, call }) => ({ label: `${signOf(alert)} ${alert.alert_name} on ${hostOf(alert)}`, call })),
  );
  const blocks: Block[] = [header(title), ...states(shown), ...lineBlocks(lines)];
  return {
    text: escapeText([title, ...lines].join('\n')),
    blocks: menu.options?.length ? [...blocks, { type: 'actions', elements: [menu] }] : blocks,
  };
}

function titleOf(shown: readonly DigestEntry[], open: readonly DigestEntry[]): string {
  const bySeverity = SEVERITY_ORDER.map(
    (severity) => [severity, open.filter(({ alert }) => alert.severity === severity).length] as const,
  )
    .filter(([, count]) => count > 0)
    .map(([severity, count]) => `${count} ${severity}`);
  if (open.length === shown.length && open.every(({ alert }) => alert.status === 'active'))
    return `${shown.length} new alerts: ${bySeverity.join(', ')}`;
  if (open.length === 0) return `✅ All ${shown.length} alerts are resolved`;
  return `${shown.length - open.length} of ${shown.length} alerts are resolved; open: ${bySeverity.join(', ')}`;
}

/** How many stand where, while they do not all stand alike: `30 open, 6 waiting for an approval, 4 resolved`. */
function states(shown: readonly DigestEntry[]): Block[] {
  const counts = [...Map.groupBy(shown, ({ alert }) => alert.status)];
  if (counts.length < 2) return [];
  const order = Object.keys(STATUS_WORDS);
  return [
    note(
      counts
        .toSorted(([a], [b]) => order.indexOf(a) - order.indexOf(b))
        .map(([status, of]) => `${of.length} ${STATUS_WORDS[status] ?? status}`)
        .join(', '),
    ),
  ];
}

/** `⛔ DiskFull: 18 of 20 resolved; open on a, b`. */
function causeLine(entries: readonly DigestEntry[]): string {
  const [first] = entries as [DigestEntry];
  const open = entries.filter(({ alert }) => alert.status !== 'resolved');
  const resolved = entries.length - open.length;
  const hosts = open.slice(0, MOST_HOSTS_A_CAUSE).map(({ alert }) => hostOf(alert));
  const more = open.length > hosts.length ? ` and ${open.length - hosts.length} more` : '';
  const counts = resolved > 0 ? [`${resolved} of ${entries.length} resolved`] : [];
  const where = hosts.length > 0 ? [`${resolved > 0 ? 'open on ' : ''}${hosts.join(', ')}${more}`] : [];
  const taken = open.filter(({ alert }) => alert.status === 'acknowledged').length;
  const acknowledged = taken > 0 ? [`${taken} acknowledged`] : [];
  const sign = open.length === 0 ? '✅' : signOf(first.alert);
  return `${sign} ${clip(first.alert.alert_name, 60)}: ${[...counts, ...where, ...acknowledged].join('; ')}`;
}

const signOf = ({ severity }: AlertShown) => SEVERITY_SIGNS[severity] ?? '';
const hostOf = ({ hostname }: AlertShown) => clip(hostname, MAX_HOST_CHARS);
