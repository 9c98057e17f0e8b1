/** Brings the runbook index in line with the files: what changed is embedded, what is gone leaves. */
import { terms } from '../../domain/runbooks/lexicon.ts';
import { documentText, factsOf, sectionsOf, sectionText } from '../../domain/runbooks/runbook.ts';
import type { Log } from '../ports/ports.ts';
import type {
  EmbeddingModel,
  IndexEntry,
  IndexProgress,
  IndexReport,
  IndexWriter,
  RunbookFiles,
  RunbookSource,
} from '../ports/runbookPorts.ts';

const PAGES_PER_BATCH = 32;

/** The listing is read under the writer's lock: an older one would undo what another writer has just put in. */
export async function bringInLine(
  parts: { files: RunbookFiles; log: Log },
  writer: IndexWriter,
  model: EmbeddingModel,
  progress?: (at: IndexProgress) => void,
): Promise<IndexReport> {
  const { sources, refused } = await parts.files.list();
  const changed = sources.filter(({ docId, hash }) => writer.known.get(docId) !== hash);
  const present = new Set(sources.map(({ docId }) => docId));
  const gone = [...writer.known.keys()].filter((docId) => !present.has(docId));
  if (gone.length > 0) await writer.remove(gone);

  let chunks = 0;
  progress?.({ done: 0, total: changed.length });
  for (let done = 0; done < changed.length; done += PAGES_PER_BATCH) {
    const batch = changed.slice(done, done + PAGES_PER_BATCH);
    const entries = await entriesOf(batch, model);
    await writer.put(entries);
    chunks += entries.reduce((sum, { sections }) => sum + sections.length, 0);
    progress?.({ done: done + batch.length, total: changed.length });
  }

  const problems = [...sources.flatMap(problemsOf), ...sharedTitles(sources)];
  for (const { path, reason } of refused) parts.log.warn({ path, reason }, 'runbook refused');
  for (const { path, problem } of problems) parts.log.warn({ path, problem }, 'runbook indexed in spite of a problem');
  return {
    documents: sources.length,
    embedded: changed.length,
    removed: gone.length,
    chunks,
    mode: model.mode,
    modelId: model.id,
    rebuilt: writer.rebuilding,
    refused,
    problems,
  };
}

/** Whether the index holds these pages as they are, and no others. */
export function isInLine(sources: readonly RunbookSource[], hashes: ReadonlyMap<string, string>): boolean {
  return sources.length === hashes.size && sources.every(({ docId, hash }) => hashes.get(docId) === hash);
}

export async function entriesOf(sources: readonly RunbookSource[], model: EmbeddingModel): Promise<IndexEntry[]> {
  const drafts = sources.map((source) => {
    const { facts } = factsOf(source.docId, source.frontMatter, source.body);
    const sections = sectionsOf(facts.title, source.body);
    return {
      page: { ...facts, docId: source.docId, path: source.path, hash: source.hash },
      text: documentText(facts, source.body),
      sections: sections.map((section) => ({ ...section, whole: sectionText(facts.title, section) })),
    };
  });
  const vectors = await model.embed(
    drafts.flatMap(({ text, sections }) => [text, ...sections.map(({ whole }) => whole)]),
  );
  let at = 0;
  const next = (): Float32Array => {
    const vector = vectors[at];
    at += 1;
    if (vector?.length !== model.dimensions)
      throw new Error(`model ${model.id} returned no vector of ${model.dimensions} numbers`);
    return vector;
  };
  return drafts.map(({ page, text, sections }) => ({
    page,
    words: terms(text).join(' '),
    vector: next(),
    sections: sections.map(({ heading, text: own, whole }) => ({
      heading,
      text: own,
      words: terms(whole).join(' '),
      vector: next(),
    })),
  }));
}

export function sectionsIn({ docId, frontMatter, body }: RunbookSource): number {
  return sectionsOf(factsOf(docId, frontMatter, body).facts.title, body).length;
}

export function problemsOf(source: RunbookSource): { path: string; problem: string }[] {
  const found = [...source.problems, ...factsOf(source.docId, source.frontMatter, source.body).problems];
  return found.map((problem) => ({ path: source.path, problem }));
}

function sharedTitles(sources: readonly RunbookSource[]): { path: string; problem: string }[] {
  const byTitle = Map.groupBy(sources, ({ docId, frontMatter, body }) => factsOf(docId, frontMatter, body).facts.title);
  return [...byTitle].flatMap(([title, carriers]) => {
    const all = carriers.map(({ path }) => path);
    return carriers.length === 1
      ? []
      : all.map((path) => ({ path, problem: `the title "${title}" is used by ${all.join(' and ')}: tell them apart` }));
  });
}
