/** Which runbook comes first: names, then five equal signals; and the words that say why. */

import { MAX_QUERY_CHARS, splitCamelCase, terms } from './lexicon.ts';
import type { RunbookFacts } from './runbook.ts';

/** What each index found, doc_id → raw score (higher is better, any scale); absent means not found. */
export interface Signals {
  textDocument: ReadonlyMap<string, number>;
  textSection: ReadonlyMap<string, number>;
  vectorDocument: ReadonlyMap<string, number>;
  vectorSection: ReadonlyMap<string, number>;
}

/** A page's names, prepared once per state of the index. */
export interface NameBook {
  /** Folded name → the pages that carry it, and where. */
  byName: ReadonlyMap<string, readonly NamedPage[]>;
  /** doc_id → the search keys of its title, then of each of its alerts. */
  words: ReadonlyMap<string, readonly (readonly string[])[]>;
  /** How much a key in a name says, rarer is more (inverse document frequency). */
  weight: ReadonlyMap<string, number>;
}
interface NamedPage {
  docId: string;
  by: 'title' | 'alerts';
}

interface NameMatch {
  /** 0 is the name asked for; 1, 2 … are names mentioned later in the text. */
  rank: number;
  name: string;
  by: 'title' | 'alerts';
}

export interface Ranked {
  docId: string;
  /** 1 for a page that carries the name asked for; otherwise 0 to 1, comparable within one answer only. */
  score: number;
  named: NameMatch | null;
}

/** Most that people's votes on a page may move its score: enough to order near-equals, not to lift a wrong page. */
export const PRIOR_WEIGHT = 0.05;

export function nameBook(pages: readonly ({ docId: string } & Pick<RunbookFacts, 'title' | 'alerts'>)[]): NameBook {
  const byName = new Map<string, NamedPage[]>();
  const words = new Map<string, string[][]>();
  const documentsWith = new Map<string, number>();
  for (const { docId, title, alerts } of pages) {
    const add = (name: string, by: NamedPage['by']) => {
      const key = folded(name);
      const carriers = byName.get(key) ?? [];
      if (key !== '' && !carriers.some((page) => page.docId === docId)) byName.set(key, [...carriers, { docId, by }]);
    };
    for (const alert of alerts) add(alert, 'alerts');
    add(title, 'title');
    add(docId, 'title');
    const names = [title, ...alerts].map((name) => [...new Set(terms(name))]);
    words.set(docId, names);
    for (const word of new Set(names.flat())) documentsWith.set(word, (documentsWith.get(word) ?? 0) + 1);
  }
  const weight = new Map([...documentsWith].map(([word, count]) => [word, Math.log(1 + pages.length / count)]));
  return { byName, words, weight };
}

/**
 * The pages whose name (front-matter alert, title or doc_id) is asked for. A name counts when it is `alertName`, the
 * whole query, what stands before the query's first colon, or a word of several parts inside it (`DiskFull`,
 * `disk_full`); a plain word such as "printer" inside a sentence is no name.
 */
export function namedPages(query: string, alertName: string | null, book: NameBook): Map<string, NameMatch> {
  const head = query.slice(0, 300).split(':', 1)[0] ?? '';
  const compound = (query.slice(0, MAX_QUERY_CHARS).match(/[\p{L}\p{N}_-]+/gu) ?? []).filter((word) =>
    /[\s_-]\S/.test(splitCamelCase(word)),
  );
  const asked = [
    ...(alertName === null ? [] : [alertName]),
    ...(query.length <= 300 ? [query] : []),
    head,
    ...compound,
  ];
  const found = new Map<string, NameMatch>();
  const said = new Set<string>();
  for (const name of asked) {
    const key = folded(name);
    const pages = book.byName.get(key);
    if (pages === undefined || said.has(key)) continue;
    for (const { docId, by } of pages)
      if (!found.has(docId)) found.set(docId, { rank: said.size, name: name.trim(), by });
    said.add(key);
  }
  return found;
}

/**
 * Orders the pages: those that are named first, then by the mean of five signals, each divided by its best value:
 * full text and vectors, over the whole page and over its best section, and how much of the page's name the query says.
 * Equal weights were as good as any tuned ones on real alerts, and dividing by the best keeps "found nothing" at zero,
 * which plain ranks or a minimum would not. `prior` (−1 to 1 by doc_id, from votes) moves a score by ±{@link PRIOR_WEIGHT}.
 */
export function rank(
  queryKeys: readonly string[],
  signals: Signals,
  named: ReadonlyMap<string, NameMatch>,
  book: NameBook,
  prior: (docId: string) => number = () => 0,
): Ranked[] {
  const lists = [signals.textDocument, signals.textSection, signals.vectorDocument, signals.vectorSection];
  const best = lists.map((list) => Math.max(0, ...list.values()));
  const asked = new Set(queryKeys);
  const docIds = new Set([...named.keys(), ...lists.flatMap((list) => [...list.keys()])]);
  const ranked = [...docIds].map((docId) => {
    const parts = lists.map((list, index) => share(list.get(docId) ?? 0, best[index] ?? 0));
    const mean = (parts.reduce((sum, part) => sum + part, 0) + nameSaid(docId, asked, book)) / (lists.length + 1);
    const moved = mean + PRIOR_WEIGHT * Math.min(1, Math.max(-1, prior(docId)));
    const match = named.get(docId) ?? null;
    return { docId, named: match, order: moved, score: match?.rank === 0 ? 1 : Math.min(1, Math.max(0, moved)) };
  });
  ranked.sort(
    (a, b) =>
      (a.named?.rank ?? Number.MAX_SAFE_INTEGER) - (b.named?.rank ?? Number.MAX_SAFE_INTEGER) ||
      b.order - a.order ||
      a.docId.localeCompare(b.docId),
  );
  return ranked.map(({ docId, score, named: match }) => ({ docId, score, named: match }));
}

/** Why a page was found, for a human: the name, else the query's own words that its text shares, else likeness. */
export function whyFound(named: NameMatch | null, query: string, pageText: string): string {
  if (named) {
    return named.by === 'alerts' ? `answers the alert ${named.name}` : `its title is ${named.name}`;
  }
  const shared = sharedWords(query, pageText);
  return shared.length > 0 ? `shares the words ${shared.slice(0, 6).join(', ')}` : 'reads like the question';
}

/** The stretch of a text, at most `maxChars` long and starting at a line or sentence, that holds most of the query's keys. */
export function excerptOf(text: string, queryKeys: readonly string[], maxChars = 280): string {
  const asked = new Set(queryKeys);
  const pieces = text
    .split(/\n+|(?<=[.!?])\s+/)
    .map((piece) => piece.trim())
    .filter((piece) => piece !== '' && !/^(?:```|~~~)/.test(piece));
  const hits = pieces.map((piece) => new Set(terms(piece).filter((key) => asked.has(key))));
  let bestStart = 0;
  let bestCount = -1;
  for (let start = 0; start < pieces.length; start += 1) {
    if (hits[start]?.size === 0) continue;
    const seen = new Set<string>();
    for (let end = start, length = 0; end < pieces.length; end += 1) {
      length += (pieces[end]?.length ?? 0) + 1;
      if (end > start && length > maxChars) break;
      for (const key of hits[end] ?? []) seen.add(key);
    }
    if (seen.size > bestCount) [bestStart, bestCount] = [start, seen.size];
  }
  const joined = pieces.slice(bestStart).join(' ').replace(/\s+/g, ' ');
  if (joined.length <= maxChars) return joined;
  const room = joined.slice(0, maxChars - 1);
  return `${room.slice(0, Math.max(room.lastIndexOf(' '), maxChars / 2))}…`;
}

function sharedWords(query: string, pageText: string): string[] {
  const keys = new Set(terms(pageText));
  const words = splitCamelCase(query.slice(0, 1_000)).match(/[\p{L}\p{N}]+/gu) ?? [];
  const seen = new Set<string>();
  return words
    .map((word) => word.toLowerCase())
    .filter((word) => {
      const key = terms(word)[0];
      if (key === undefined || seen.has(key) || !keys.has(key)) return false;
      seen.add(key);
      return true;
    });
}

/** How much of the title the query says, averaged with the alert name it says most of: pages may share alerts, not titles. */
function nameSaid(docId: string, asked: ReadonlySet<string>, book: NameBook): number {
  const weigh = (keys: readonly string[]) => keys.reduce((sum, key) => sum + (book.weight.get(key) ?? 0), 0);
  const [title = 0, ...alerts] = (book.words.get(docId) ?? []).map((keys) =>
    share(weigh(keys.filter((key) => asked.has(key))), weigh(keys)),
  );
  return alerts.length === 0 ? title : (title + Math.max(...alerts)) / 2;
}

function share(part: number, whole: number): number {
  return whole > 0 ? Math.max(0, part) / whole : 0;
}

function folded(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
}
