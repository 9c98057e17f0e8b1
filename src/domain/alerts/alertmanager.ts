/** Reading what Alertmanager sends: every word of it is untrusted, so it is cut to size and cleaned before it is kept. */
import { hostsOfLabels } from '../fleet/hostIdentity.ts';
import type { Severity } from './alert.ts';
import type { Clear, Firing } from './alertMoves.ts';

/** Limits on untrusted text, in characters; what is longer is cut. */
const MAX_NAME = 200;
const MAX_LABEL = 1000;
const MAX_LABELS = 64;
const MAX_MESSAGE = 2000;

/** A start further back than this is a mistake of the sender's clock, not a problem that old. Milliseconds. */
const OLDEST_START_MS = 366 * 86_400_000;

export interface IncomingAlert {
  alertName: string;
  /** What the endpoint may be known by, best first; canonical. */
  hosts: string[];
  /** Alertmanager's fingerprint; empty when the sender gives none. */
  series: string;
  what: Firing | Clear;
}

export interface Unreadable {
  alertName: string;
  reason: string;
}

/** What a delivery says for all its alerts, and how this service reads them. */
interface Reading {
  /** The status of the whole delivery, for senders that leave it out of the alert. */
  groupStatus: unknown;
  /** Labels that name the machine, best first. */
  hostLabels: readonly string[];
  now: Date;
}

export function readAlert(raw: unknown, { groupStatus, hostLabels, now }: Reading): IncomingAlert | Unreadable {
  if (!isRecord(raw)) return { alertName: '', reason: 'it is not an object' };
  const labels = cleanLabels(raw.labels, { first: [...MEANT, ...hostLabels] });
  const alertName = nameOf(labels).slice(0, MAX_NAME);
  if (alertName === '') return { alertName, reason: 'it has no label alertname' };
  const hosts = hostsOfLabels(labels, hostLabels);
  if (hosts.length === 0)
    return { alertName, reason: 'it has none of the labels that name a machine (DEX_HOST_LABELS)' };
  const status = raw.status ?? groupStatus;
  const series = typeof raw.fingerprint === 'string' ? clean(raw.fingerprint, 64) : '';
  const startsAt = timestampOf(raw.startsAt, now);
  if (status === 'firing') {
    const what: Firing = {
      state: 'firing',
      alertType: 'prometheus',
      severity: severityOf(labels.severity),
      message: `${messageOf(cleanLabels(raw.annotations, { maxLength: MAX_MESSAGE }), labels)}${cutNote(raw.labels)}`,
      labels,
      startsAt,
    };
    return { alertName, hosts, series, what };
  }
  if (status === 'resolved') {
    const endedAt = timestampOf(raw.endsAt, now);
    const what: Clear = {
      state: 'clear',
      resolution: 'source',
      why: 'Alertmanager says that it is over',
      startsAt,
      endedAt,
    };
    return { alertName, hosts, series, what };
  }
  return { alertName, reason: 'its status is neither firing nor resolved' };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Text without control characters and broken surrogates, which databases refuse and terminals obey. */
function clean(text: string, maxLength: number): string {
  const printable = text
    .slice(0, maxLength * 2)
    .toWellFormed()
    .replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ')
    .trim();
  return printable.length > maxLength ? `${printable.slice(0, maxLength - 1).toWellFormed()}…` : printable;
}

/** Labels that this service reads itself; the rest is for people. */
const MEANT = ['alertname', 'rulename', 'severity'];

/** @param options.first labels that are kept whatever else has to be cut */
function cleanLabels(
  raw: unknown,
  { maxLength = MAX_LABEL, first = [] }: { maxLength?: number; first?: readonly string[] } = {},
): Record<string, string> {
  if (!isRecord(raw)) return {};
  const isFirst = (name: string) => first.includes(name);
  const given = Object.entries(raw).filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value));
  const kept =
    given.length <= MAX_LABELS
      ? given
      : [...given.filter(([name]) => isFirst(name)), ...given.filter(([name]) => !isFirst(name))].slice(0, MAX_LABELS);
  const labels = kept
    .map(([name, value]): [string, string] => [clean(name, MAX_NAME), clean(String(value), maxLength)])
    // Whoever copies labels one by one would set the copy's prototype with it.
    .filter(([name]) => name !== '__proto__');
  return Object.fromEntries(labels);
}

function cutNote(labels: unknown): string {
  const given = isRecord(labels) ? Object.keys(labels).length : 0;
  return given > MAX_LABELS ? ` (${given - MAX_LABELS} of its ${given} labels were left out)` : '';
}

/** Null for what is no time, lies in the future, or so far back that it is a mistake. */
function timestampOf(raw: unknown, now: Date): Date | null {
  if (typeof raw !== 'string') return null;
  const at = new Date(raw);
  const age = now.getTime() - at.getTime();
  return age >= 0 && age <= OLDEST_START_MS ? at : null;
}

const SEVERITY_WORDS: Readonly<Record<string, Severity>> = {
  critical: 'critical',
  crit: 'critical',
  page: 'critical',
  error: 'critical',
  emergency: 'critical',
  info: 'info',
  information: 'info',
  informational: 'info',
  none: 'info',
  notice: 'info',
};

/** Prometheus has no fixed words for severity; what is not known is a warning. */
function severityOf(label: string | undefined): Severity {
  const word = (label ?? '').toLowerCase();
  return Object.hasOwn(SEVERITY_WORDS, word) ? (SEVERITY_WORDS[word] as Severity) : 'warning';
}

/** What Grafana calls every alert that says only that a rule could not be evaluated, and what that means. */
const UNEVALUATED: ReadonlyMap<string, string> = new Map([
  ['DatasourceNoData', 'No data'],
  ['DatasourceError', 'The query failed'],
]);

/** Whether these labels are of an alert that says that its rule found no data or failed, and nothing about the machine. */
export function isUnevaluated({ alertname = '' }: Readonly<Record<string, string>>): boolean {
  return UNEVALUATED.has(alertname);
}

/** The rule's own name where Grafana gives its own to all rules that could not be evaluated. */
function nameOf({ alertname = '', rulename = '' }: Record<string, string>): string {
  return (UNEVALUATED.has(alertname) && rulename) || alertname;
}

function messageOf(annotations: Record<string, string>, labels: Record<string, string>): string {
  const { summary, description, message, Error: error } = annotations;
  const text = summary || description || message || error || nameOf(labels);
  const problem = UNEVALUATED.get(labels.alertname ?? '');
  return problem ? `${problem}: ${text}`.slice(0, MAX_MESSAGE) : text;
}
