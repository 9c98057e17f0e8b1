/** Answers a question from a readable runbook index: candidates from text and vectors, ranked, one result a page. */
import { fitOf, isConfident } from '../../domain/runbooks/confidence.ts';
import type { Glossary } from '../../domain/runbooks/glossary.ts';
import { understood } from '../../domain/runbooks/question.ts';
import {
  excerptOf,
  type NameBook,
  nameBook,
  namedPages,
  type Ranked,
  rank,
  type Signals,
  whyFound,
} from '../../domain/runbooks/runbookRanking.ts';
import { type Vocabulary, vocabularyOf } from '../../domain/runbooks/vocabulary.ts';
import type { Reloaded } from '../ports/ports.ts';
import type {
  Embedder,
  Found,
  IndexedPage,
  IndexedSection,
  IndexSnapshot,
  RunbookAnswer,
  RunbookHit,
  SearchOptions,
} from '../ports/runbookPorts.ts';

const MAX_RESULTS = 20;
/** Candidates asked of each index: far more than are shown, since the best page need not lead any single list. */
const PAGE_CANDIDATES = 100;
const SECTION_CANDIDATES = 200;

/** Names prepared once for each state of the index; an index that is gone takes its names along. */
const books = new WeakMap<readonly IndexedPage[], NameBook>();

export async function answer(
  parts: { embedder: Embedder; glossary: Reloaded<Glossary> },
  snapshot: IndexSnapshot,
  query: string,
  { k = 5, platform = null, alertName = null, prior }: SearchOptions,
): Promise<RunbookAnswer> {
  const model = await parts.embedder.open();
  // Until a new model's index is there the old one serves, by its words only.
  const comparable = snapshot.modelId === model.id;
  const text = [alertName, query].filter(Boolean).join(': ');
  const words = await snapshot.words();
  const vocabulary = vocabularyIn(words);
  const question = understood(text, parts.glossary.current(), vocabulary);
  const { keys } = question;
  const pages = new Map(snapshot.pages.map((page) => [page.docId, page]));
  const book = bookOf(snapshot.pages);

  const vector =
    comparable && keys.length > 0 ? (await model.embed([question.text || text.slice(0, 300)]))[0] : undefined;
  const pageOptions = { limit: PAGE_CANDIDATES, platform };
  const sectionOptions = { limit: SECTION_CANDIDATES, platform };
  const [textPages, textSections, vectorPages, vectorSections] = await Promise.all([
    keys.length > 0 ? snapshot.byText('page', keys, pageOptions) : [],
    keys.length > 0 ? snapshot.byText('section', keys, sectionOptions) : [],
    vector ? snapshot.byVector('page', vector, pageOptions) : [],
    vector ? snapshot.byVector('section', vector, sectionOptions) : [],
  ]);
  const known = (found: Found[], floor: number) =>
    found.filter(({ docId, score }) => pages.has(docId) && score > floor);
  const sectionsByText = known(textSections, 0);
  const sectionsByVector = known(vectorSections, model.floor);
  const signals: Signals = {
    textDocument: bestOf(known(textPages, 0)),
    textSection: bestOf(sectionsByText),
    vectorDocument: bestOf(known(vectorPages, model.floor)),
    vectorSection: bestOf(sectionsByVector),
  };
  const named = new Map(
    [...namedPages(query, alertName, book)].filter(([docId]) => {
      const platforms = pages.get(docId)?.platforms ?? [];
      return platform === null || platforms.length === 0 || platforms.includes(platform);
    }),
  );
  const ranked = rank(keys, signals, named, book, prior).slice(0, Math.min(MAX_RESULTS, Math.max(1, Math.trunc(k))));

  const chosen = bestSections(sectionsByText, sectionsByVector);
  for (const { docId } of ranked) {
    // A query that says no more than the page's name fits every section; the shortest would win by being short.
    const name = new Set(book.words.get(docId)?.flat());
    if (keys.every((key) => name.has(key))) chosen.delete(docId);
  }
  const wanted = ranked.flatMap(({ docId }) => chosen.get(docId) ?? []);
  const rest = ranked.map(({ docId }) => docId).filter((docId) => !chosen.has(docId));
  const sections = new Map((await snapshot.sections(wanted, rest)).map((section) => [section.docId, section]));
  const results = ranked.flatMap((found) => {
    const page = pages.get(found.docId);
    return page ? [hitOf(found, page, sections.get(found.docId), text, keys)] : [];
  });
  const [best] = ranked;
  const fitFor = (docId: string) =>
    fitOf(keys, words.get(docId) ?? new Set(), new Set(book.words.get(docId)?.flat()), vocabulary);
  const confident = best !== undefined && (best.named?.rank === 0 || isConfident(fitFor(best.docId)));
  return { mode: comparable ? model.mode : 'lexical', note: noteOf(comparable, parts.embedder), confident, results };
}

/** Counted once for each state of the index. */
const vocabularies = new WeakMap<ReadonlyMap<string, ReadonlySet<string>>, Vocabulary>();

function vocabularyIn(words: ReadonlyMap<string, ReadonlySet<string>>): Vocabulary {
  const known = vocabularies.get(words) ?? vocabularyOf(words.values());
  vocabularies.set(words, known);
  return known;
}

function noteOf(comparable: boolean, embedder: Embedder): string | null {
  if (!comparable)
    return 'The runbooks were indexed for another embedding model; until they are indexed again only their words are compared.';
  return embedder.status().note;
}

function bookOf(pages: readonly IndexedPage[]): NameBook {
  const book = books.get(pages) ?? nameBook(pages);
  books.set(pages, book);
  return book;
}

function bestOf(found: readonly Found[]): Map<string, number> {
  const best = new Map<string, number>();
  for (const { docId, score } of found) best.set(docId, Math.max(score, best.get(docId) ?? 0));
  return best;
}

/** doc_id → its section with the highest sum of text and vector score, each taken as a share of its best. */
function bestSections(byText: readonly Found[], byVector: readonly Found[]): Map<string, string> {
  const sums = new Map<string, { docId: string; sum: number }>();
  for (const list of [byText, byVector]) {
    const top = Math.max(0, ...list.map(({ score }) => score));
    for (const { docId, sectionId, score } of list) {
      if (sectionId === null) continue;
      sums.set(sectionId, { docId, sum: (sums.get(sectionId)?.sum ?? 0) + score / top });
    }
  }
  const best = new Map<string, { id: string; sum: number }>();
  for (const [id, { docId, sum }] of sums) if (sum > (best.get(docId)?.sum ?? 0)) best.set(docId, { id, sum });
  return new Map([...best].map(([docId, { id }]) => [docId, id]));
}

function hitOf(
  { docId, score, named }: Ranked,
  page: IndexedPage,
  section: IndexedSection | undefined,
  query: string,
  keys: readonly string[],
): RunbookHit {
  const heading = section?.heading ?? page.title;
  return {
    docId,
    title: page.title,
    heading,
    excerpt: section ? excerptOf(section.text, keys) : '',
    score: Math.round(score * 1_000) / 1_000,
    why: whyFound(named, query, `${page.title} ${page.alerts.join(' ')} ${heading} ${section?.text ?? ''}`),
    path: page.path,
    playbook: page.playbook,
  };
}
