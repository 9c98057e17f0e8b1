/** Reads chosen metrics out of a page in Prometheus text format (or OpenMetrics) without parsing the rest of it. */

export interface Sample {
  labels: Record<string, string>;
  /** NaN and infinities are passed on as such. */
  value: number;
}

/**
 * Which metrics to read, by name. Of those that are `nonzero`, samples of 0 are passed over unread: of the five states of
 * each systemd unit, four say nothing.
 */
export type WantedMetrics = ReadonlyMap<string, 'all' | 'nonzero'>;

const ZERO = 48;
const NEWLINE = 10;
const TAB = 9;
const SPACE = 32;
const QUOTE = 34;
const HASH = 35;
const COMMA = 44;
const EQUALS = 61;
const BACKSLASH = 92;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;

/**
 * Adds the samples of the wanted metrics to `found`, in page order, by metric name. The text is a whole page or any
 * number of whole lines of one. Comments, other metrics, timestamps and exemplars are
 * passed over; a wanted line that is malformed is left out. Pages run to hundreds of kilobytes of which a few lines
 * matter, so a line is only looked into after its name is known to be wanted.
 */
export function parseSamples(text: string, wanted: WantedMetrics, found: Map<string, Sample[]>): void {
  let at = 0;
  while (at < text.length) {
    let end = text.indexOf('\n', at);
    if (end === -1) end = text.length;
    at = skipBlanks(text, at, end);
    if (at < end && text.charCodeAt(at) !== HASH) {
      const nameEnd = endOfName(text, at, end);
      const name = text.slice(at, nameEnd);
      const which = wanted.get(name);
      if (which !== undefined && !(which === 'nonzero' && isZero(text, end))) {
        const sample = parseRest(text, nameEnd, end);
        if (sample) samplesOf(found, name).push(sample);
      }
    }
    at = end + 1;
  }
}

/** Whether the line that ends here ends in a lone 0. */
const isZero = (text: string, end: number): boolean =>
  text.charCodeAt(end - 1) === ZERO && text.charCodeAt(end - 2) === SPACE;

function samplesOf(found: Map<string, Sample[]>, name: string): Sample[] {
  const existing = found.get(name);
  if (existing) return existing;
  const created: Sample[] = [];
  found.set(name, created);
  return created;
}

function skipBlanks(text: string, from: number, end: number): number {
  let at = from;
  while (at < end && isBlank(text.charCodeAt(at))) at++;
  return at;
}

const isBlank = (code: number): boolean => code === SPACE || code === TAB;

function endOfName(text: string, from: number, end: number): number {
  let at = from;
  for (; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code === OPEN_BRACE || code === SPACE || code === TAB) break;
  }
  return at;
}

/** What follows the name: `{labels} value timestamp?`; null when it is malformed. */
function parseRest(text: string, from: number, end: number): Sample | null {
  const labels: Record<string, string> = Object.create(null);
  let at = skipBlanks(text, from, end);
  if (text.charCodeAt(at) === OPEN_BRACE) {
    const afterLabels = parseLabels(text, at + 1, end, labels);
    if (afterLabels === null) return null;
    at = skipBlanks(text, afterLabels, end);
  }
  const [token] = text.slice(at, end).split(/[ \t\r]/, 1);
  const value = parseValue(token ?? '');
  return value === null ? null : { labels, value };
}

function parseValue(token: string): number | null {
  if (/^[+-]?Inf$/i.test(token)) return token.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (/^NaN$/i.test(token)) return Number.NaN;
  const value = token === '' ? Number.NaN : Number(token);
  return Number.isNaN(value) ? null : value;
}

/** Fills `labels` from `name="value",…}` and returns the place after the brace; null when malformed. */
function parseLabels(text: string, from: number, end: number, labels: Record<string, string>): number | null {
  let at = skipBlanks(text, from, end);
  while (at < end && text.charCodeAt(at) !== CLOSE_BRACE) {
    const nameStart = at;
    while (at < end && text.charCodeAt(at) !== EQUALS && !isBlank(text.charCodeAt(at))) at++;
    const name = text.slice(nameStart, at);
    at = skipBlanks(text, at, end);
    if (text.charCodeAt(at) !== EQUALS || name === '') return null;
    at = skipBlanks(text, at + 1, end);
    if (text.charCodeAt(at) !== QUOTE) return null;
    const valueStart = at + 1;
    const valueEnd = closingQuote(text, valueStart, end);
    if (valueEnd === null) return null;
    labels[name] = unescapeLabel(text.slice(valueStart, valueEnd));
    at = skipBlanks(text, valueEnd + 1, end);
    if (text.charCodeAt(at) === COMMA) at = skipBlanks(text, at + 1, end);
    else if (text.charCodeAt(at) !== CLOSE_BRACE) return null;
  }
  return at < end ? at + 1 : null;
}

function closingQuote(text: string, from: number, end: number): number | null {
  for (let at = from; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at++;
    else if (code === QUOTE) return at;
    else if (code === NEWLINE) return null;
  }
  return null;
}

/** The format knows `\\`, `\"` and `\n`; a backslash before anything else stands for itself. */
function unescapeLabel(raw: string): string {
  if (!raw.includes('\\')) return raw;
  return raw.replace(/\\([\\"n])/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
}
