/** Reading what Alertmanager sends: every word of it is untrusted, so it is cut to size and cleaned before it is kept. */
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
  /** What the endpoint may be known by, best first; lower case. */
  hosts: string[];
  /** Alertmanager's fingerprint; empty when the sender gives none. */
  series: string;
  what: Firing | Clear;
}

export interface Unreadable {
  alertName: string;
  reason: string;
}

/** @param groupStatus the status of the whole delivery, for senders that leave it out of the alert */
export function readAlert(raw: unknown, groupStatus: unknown, now: Date): IncomingAlert | Unreadable {
  if (!isRecord(raw)) return { alertName: '', reason: 'it is not an object' };
  const labels = cleanLabels(raw.labels);
  const alertName = (labels.alertname ?? '').slice(0, MAX_NAME);
  if (alertName === '') return { alertName, reason: 'it has no label alertname' };
  const hosts = hostCandidates(labels);
  if (hosts.length === 0) return { alertName, reason: 'it has neither a label hostname nor instance' };
  const status = raw.status ?? groupStatus;
  const series = typeof raw.fingerprint === 'string' ? clean(raw.fingerprint, 64) : '';
  const startsAt = timestampOf(raw.startsAt, now);
  if (status === 'firing') {
    const what: Firing = {
      state: 'firing',
      alertType: 'prometheus',
      severity: severityOf(labels.severity),
      message: messageOf(cleanLabels(raw.annotations, MAX_MESSAGE), alertName),
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

function cleanLabels(raw: unknown, maxLength = MAX_LABEL): Record<string, string> {
  if (!isRecord(raw)) return {};
  const labels = Object.entries(raw)
    .filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value))
    .slice(0, MAX_LABELS)
    .map(([name, value]) => [clean(name, MAX_NAME), clean(String(value), maxLength)]);
  return Object.fromEntries(labels);
}

/** The names an endpoint may be registered by: label hostname, then instance without its port. */
function hostCandidates({ hostname, instance }: Record<string, string>): string[] {
  const names = [hostname, instance && withoutPort(instance)]
    .filter((name) => name !== undefined)
    .map((name) => name.toLowerCase().replace(/\.$/, ''))
    .filter((name) => name !== '' && name.length <= 253);
  return [...new Set(names)];
}

/** `host:9100`, `10.0.1.42:9100`, `[2001:db8::1]:9100`, `2001:db8::1` and the URLs that probes use. */
function withoutPort(instance: string): string {
  const address = instance.replace(/^[a-z][a-z0-9+.-]*:\/\//i, '').replace(/[/?#].*$/, '');
  const bracketed = /^\[([^\]]+)\]/.exec(address);
  if (bracketed?.[1]) return bracketed[1];
  // More than one colon and no brackets is a bare IPv6 address.
  return address.indexOf(':') === address.lastIndexOf(':') ? address.replace(/:\d*$/, '') : address;
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

function messageOf({ summary, description, message }: Record<string, string>, alertName: string): string {
  return summary || description || message || alertName;
}
