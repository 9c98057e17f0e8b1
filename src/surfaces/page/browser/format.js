/** Numbers, times and the API's values as people read them. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How long ago, or how far ahead: `3 min ago`, `in 2 h`. */
export function relative(iso, now = Date.now()) {
  if (!iso) return 'never';
  const ms = now - new Date(iso).getTime();
  const size = Math.abs(ms);
  if (size < 45_000) return ms >= 0 ? 'just now' : 'in a moment';
  const text =
    size < HOUR
      ? `${Math.round(size / MINUTE)} min`
      : size < DAY
        ? `${Math.round(size / HOUR)} h`
        : `${Math.round(size / DAY)} day${Math.round(size / DAY) === 1 ? '' : 's'}`;
  return ms >= 0 ? `${text} ago` : `in ${text}`;
}

const DATE_TIME = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const SHORT = new Intl.DateTimeFormat(undefined, {
  month: 'short',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
});
const TIME_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

export const dateTime = (iso) => (iso ? `${DATE_TIME.format(new Date(iso))} (${TIME_ZONE})` : '');
export const shortTime = (iso) => (iso ? SHORT.format(new Date(iso)) : '');

/** `at_risk` is `at risk`. */
export const words = (value) => String(value ?? '').replaceAll('_', ' ');
export const sentence = (text) => (text ? text[0].toUpperCase() + text.slice(1) : '');
export const count = (number, one, many = `${one}s`) => `${whole(number)} ${number === 1 ? one : many}`;
const NUMBER = new Intl.NumberFormat('en');
export const whole = (number) => NUMBER.format(number);
export const one = (number) => (number === null || number === undefined ? '–' : String(Math.round(number * 10) / 10));

/** Minutes as people say them. */
export function minutes(value) {
  if (value === null || value === undefined) return '–';
  if (value < 1) return `${Math.round(value * 60)} s`;
  if (value < 120) return `${one(value)} min`;
  if (value < 2880) return `${one(value / 60)} h`;
  return `${one(value / 1440)} days`;
}

export const STATUS_NAMES = {
  healthy: 'Healthy',
  at_risk: 'At risk',
  critical: 'Critical',
  unreachable: 'Not reachable',
  unknown: 'No verdict',
};

/** A score's status by name: a number that less than half of the weight stands behind is partial. */
export function statusName(status, score) {
  if (status !== 'unknown') return STATUS_NAMES[status] ?? sentence(words(status));
  return score === null || score === undefined ? 'No score' : 'Partial';
}

/** How a score stands, on the default limits of the fleet's colours. */
export function statusOfScore(score) {
  if (score === null || score === undefined) return 'unknown';
  return score >= 80 ? 'healthy' : score >= 60 ? 'at_risk' : 'critical';
}

const BUSY = new Set(['queued', 'running', 'waiting_approval', 'verifying', 'pending']);
export const isBusy = (status) => BUSY.has(status);
