/** Turns prose, alert names and questions into the words that runbook search compares. */

// Grammar and polite filler; words that name a fault ("no", "not", "down", "off") stay, because runbooks differ by them.
const STOP_WORDS = new Set(
  `a about after again all already also am an and another any are as at be because been before being both but by can
could did do does doing each every few for from get gets got had has have having he her here hers him his how i if in
into is it its itself just let many may me might more most must my of on once only or other our ours own per please
same several shall she should so some still such than that the their them then there these they this those though
through to too until up upon us very was we were what when where whether which while who whom whose why will with
within would yet you your yours s t d ll m re ve don doesn isn didn wasn`.split(/\s+/),
);

/** What people write, and the word it is indexed as. */
const SAME_THING = new Map(
  Object.entries({
    auth: 'authentication',
    cam: 'camera',
    cert: 'certificate',
    config: 'configuration',
    db: 'database',
    fs: 'filesystem',
    hdd: 'disk',
    k8s: 'kubernetes',
    kube: 'kubernetes',
    logon: 'login',
    mic: 'microphone',
    osx: 'macos',
    passwd: 'password',
    processor: 'cpu',
    pwd: 'password',
    ram: 'memory',
    repo: 'repository',
    signin: 'login',
    ssd: 'disk',
    webcam: 'camera',
    wireless: 'wifi',
  }).map(([said, meant]) => [said, stem(meant)]),
);

/** A query longer than this many characters is cut: what an alert means is said at its start. */
export const MAX_QUERY_CHARS = 2_000;
/** More distinct words than this add time and no meaning. */
export const MAX_QUERY_TERMS = 64;

/** `KubePodCPUThrottling` → `Kube Pod CPU Throttling`; letters and digits that belong together (`ipv6`, `p95`) stay whole. */
export function splitCamelCase(text: string): string {
  return text.replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2').replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1 $2');
}

/**
 * A light English stemmer: plural, past, -ing, -ly, and a few noun endings, so that "failed", "failing" and "failure",
 * or "expires" and "expiration", meet. Words under four letters and words with digits are left alone. The result is a key, not a word.
 */
export function stem(word: string): string {
  if (word.length < 4 || !/^[a-z]+$/.test(word)) return word;
  let base = word;
  if (base.endsWith('ies') && base.length > 4) base = `${base.slice(0, -3)}y`;
  else if (/(?:ss|x|z|ch|sh)es$/.test(base)) base = base.slice(0, -2);
  else if (base.endsWith('s') && !/(?:ss|us|is)$/.test(base)) base = base.slice(0, -1);

  const ending =
    /(?:ations?|ators?|itions?|ates?|ated|ating|ments?|ness|ingly|edly|ing|ed|ly|ure|ions?|able|ible|ance|ence|ive|al|er|or)$/.exec(
      base,
    )?.[0];
  if (ending && base.length - ending.length >= 4 && /[aeiouy]/.test(base.slice(0, -ending.length))) {
    base = base.slice(0, -ending.length);
  } else if (/(?:ing|ed)$/.test(base)) {
    const shorter = base.replace(/(?:ing|ed)$/, '');
    if (shorter.length >= 3 && /[aeiouy]/.test(shorter)) base = shorter;
  }
  base = base
    .replace(/([^aeiouylsz])\1$/, '$1')
    .replace(/e$/, '')
    .replace(/y$/, 'i');
  return base;
}

/** The words of a text as search keys, in order, with repeats: camelCase split, accents dropped, stop words gone, stemmed. */
export function terms(text: string): string[] {
  const plain = splitCamelCase(text.normalize('NFKD').replace(/\p{M}/gu, ''))
    .toLowerCase()
    .replace(/wi[- ]fi/g, 'wifi');
  const found: string[] = [];
  for (const word of plain.match(/[\p{L}\p{N}]+/gu) ?? []) {
    // Languages written without spaces come as one long run: pairs of signs are what can match.
    if (/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u.test(word)) {
      for (const pair of pairs(word)) found.push(pair);
      continue;
    }
    if (STOP_WORDS.has(word) || word.length > 40) continue;
    found.push(SAME_THING.get(word) ?? stem(word));
  }
  return found;
}

function pairs(run: string): string[] {
  const signs = [...run];
  if (signs.length === 1) return signs;
  return signs.slice(1).map((sign, index) => `${signs[index]}${sign}`);
}

const LABEL_VALUES = [
  /\b[\w.-]+\s*=~?\s*"[^"]*"/g, // severity="info"
  /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, // UUID
  /(?:[\w.-]+\/)?\b[a-z0-9-]+-[a-f0-9]{7,10}-[a-z0-9]{5}\b/g, // namespace/deployment-hash-hash
  /\b\d{1,3}(?:\.\d{1,3}){3}(?:[:/]\d+)*(?:\/[\w.-]+)?/g, // IPv4, with port or prefix, with a path after it
  /(?<![\w:])(?:[0-9a-f]{0,4}:){3,7}[0-9a-f]{1,4}(?![\w:])/gi, // IPv6
  /(?<![\w.])[\w-]+(?:\.[\w-]+)*:\d{2,5}\b/g, // host:port
  /\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{12,}\b/gi, // digests
  /(?<![\w/])\/(?:[\w.-]+\/?)+/g, // paths
  /\b[a-z]\w*(?:-\w+)*-\d+\b/g, // worker-3, prod-eu-1
  /(?<![\w.])-?\d+(?:[.,]\d+)*\s?(?:%|(?:[kmgt]i?b|ms|[smhdw])(?:\/s)?\b)?(?![\w-])/gi, // numbers with or without a unit
];

/** A query without the values that say where and how much, not what: addresses, pod hashes, label values, numbers. Cut at {@link MAX_QUERY_CHARS}. */
export function withoutLabelValues(query: string): string {
  let text = query.slice(0, MAX_QUERY_CHARS);
  for (const value of LABEL_VALUES) text = text.replace(value, ' ');
  return text.replace(/\s+/g, ' ').trim();
}

/** The distinct search keys of a query, at most {@link MAX_QUERY_TERMS}. Falls back to the whole query when stripping leaves nothing. */
export function queryTerms(query: string): string[] {
  const stripped = terms(withoutLabelValues(query));
  const chosen = stripped.length > 0 ? stripped : terms(query.slice(0, MAX_QUERY_CHARS));
  return [...new Set(chosen)].slice(0, MAX_QUERY_TERMS);
}
