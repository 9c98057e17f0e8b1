/** What runbook search needs from outside (files, an embedding model, an index) and what it answers. */
import type { Platform, RunbookFacts } from '../../domain/runbooks/runbook.ts';

/** One page as it lies on disk, its front-matter already parsed (null when it has none). */
export interface RunbookSource {
  docId: string;
  /** For humans: relative to the project. */
  path: string;
  /** Changes whenever the page or its path does. */
  hash: string;
  frontMatter: unknown;
  body: string;
  /** What is wrong with the page without keeping it out of the index. */
  problems: string[];
}
export interface RefusedRunbook {
  path: string;
  reason: string;
}

/** The pages on disk: those shipped, and those handed in over the API. */
export interface RunbookFiles {
  /** Throws AppError unavailable when the folder of shipped pages cannot be read at all. */
  list(): Promise<{ sources: RunbookSource[]; refused: RefusedRunbook[] }>;
  /** Null when there is no such page. Throws AppError refused when its file is none that can be read. */
  read(docId: string): Promise<RunbookSource | null>;
  /** Keeps a page for good, replacing one of the same doc_id. */
  save(docId: string, content: string): Promise<RunbookSource>;
  /** Reports changes to the pages, some time after the last of several. */
  watch(changed: () => void): Promise<{ close(): void }>;
}

export interface EmbeddingModel {
  /** Two models never share it; vectors of different ids are never compared. */
  id: string;
  dimensions: number;
  mode: 'semantic' | 'lexical';
  /** Cosines below it say nothing: unrelated texts reach it. */
  floor: number;
  /** Unit vectors, one a text, in order. */
  embed(texts: readonly string[]): Promise<Float32Array[]>;
}
export interface EmbedderStatus {
  /** `idle` until the first use: loading is lazy. */
  state: 'idle' | 'ready';
  mode: 'semantic' | 'lexical' | null;
  model: string;
  /** Why the built-in vectors are used, null when a model is. */
  note: string | null;
}
export interface Embedder {
  /** Loads on first use; never fails, it falls back. */
  open(): Promise<EmbeddingModel>;
  status(): EmbedderStatus;
}

export type IndexLevel = 'page' | 'section';
export interface IndexedPage extends RunbookFacts {
  docId: string;
  path: string;
  hash: string;
}
export interface IndexedSection {
  id: string;
  heading: string;
  text: string;
}
export interface IndexEntry {
  page: IndexedPage;
  /** Search keys separated by spaces. */
  words: string;
  vector: Float32Array;
  sections: { heading: string; text: string; words: string; vector: Float32Array }[];
}
export interface Found {
  docId: string;
  /** Set on section level. */
  sectionId: string | null;
  /** BM25, or the cosine of two vectors. */
  score: number;
}
export interface FindOptions {
  limit: number;
  platform: Platform | null;
}

/** A readable index. Reads throw AppError unavailable when it turns out broken; it is then no longer served. */
export interface IndexSnapshot {
  modelId: string;
  mode: 'semantic' | 'lexical';
  /** The same array as long as the pages are the same. */
  pages: readonly IndexedPage[];
  byText(level: IndexLevel, keys: readonly string[], options: FindOptions): Promise<Found[]>;
  byVector(level: IndexLevel, vector: Float32Array, options: FindOptions): Promise<Found[]>;
  /** The search keys of each page by doc_id; the same map as long as the pages are the same. */
  words(): Promise<ReadonlyMap<string, ReadonlySet<string>>>;
  /** The named sections, and for pages in `firstOf` the section they begin with. */
  sections(ids: readonly string[], firstOf: readonly string[]): Promise<(IndexedSection & { docId: string })[]>;
}
export interface IndexWriter {
  /** Why everything is indexed anew, null when the index that serves is being updated. */
  rebuilding: string | null;
  /** doc_id → hash of what is in the index being written. */
  known: ReadonlyMap<string, string>;
  /** Adds or replaces pages. A page is complete or as it was, whenever the process dies. */
  put(entries: readonly IndexEntry[]): Promise<void>;
  remove(docIds: readonly string[]): Promise<void>;
}
/** What an index holds, told without opening it. */
export interface IndexContents {
  modelId: string;
  mode: 'semantic' | 'lexical';
  /** doc_id → hash */
  hashes: ReadonlyMap<string, string>;
}
export interface RunbookIndex {
  /** Costs next to nothing; null when there is no index, or when the last writer did not live to say what it left. */
  contents(): Promise<IndexContents | null>;
  /** What can be searched now; null when there is nothing readable. */
  snapshot(): Promise<IndexSnapshot | null>;
  /**
   * Runs `work` as the only writer, across processes. A new index (none yet, unreadable, other format, other model)
   * replaces the one that serves only after `work` is done. AppError conflict when another writer does not finish.
   */
  write<T>(model: EmbeddingModel, work: (writer: IndexWriter) => Promise<T>): Promise<T>;
}

export interface IndexProgress {
  done: number;
  total: number;
}
export interface IndexReport {
  documents: number;
  /** Pages embedded in this run; 0 when nothing changed. */
  embedded: number;
  removed: number;
  /** Vectors made in this run. */
  chunks: number;
  mode: 'semantic' | 'lexical';
  modelId: string;
  /** Why the whole index was made anew, null when it was not. */
  rebuilt: string | null;
  refused: RefusedRunbook[];
  problems: { path: string; problem: string }[];
}

/** What indexing in another process came to. */
export interface IndexedApart {
  report: IndexReport;
  /** Why only words are compared, null when meaning is. */
  note: string | null;
}

export interface RunbookHit {
  docId: string;
  title: string;
  heading: string;
  excerpt: string;
  score: number;
  why: string;
  path: string;
  playbook: string | null;
}
export interface RunbookAnswer {
  mode: 'semantic' | 'lexical';
  /** Said to whoever asked: why the search is only lexical, or null. */
  note: string | null;
  /** False when no page fits the question well: the results are then only the nearest. */
  confident: boolean;
  results: RunbookHit[];
}
export interface SearchOptions {
  /** Pages wanted, 1 to 20. */
  k?: number;
  /** Leaves out pages written for other platforms. */
  platform?: Platform | null;
  /** The alert the page should answer; goes before everything else. */
  alertName?: string | null;
  /** −1 (never helped) to 1 (always helped) by doc_id, from people's votes. */
  prior?: (docId: string) => number;
}

/** A page without its text. */
export interface RunbookPage extends RunbookFacts {
  docId: string;
  path: string;
}

export interface RunbookStatus {
  /** `idle`: not looked at yet, because nobody has searched. */
  state: 'idle' | 'indexing' | 'ready' | 'failed';
  mode: 'semantic' | 'lexical' | null;
  documents: number | null;
  model: string | null;
  /** Why only words are compared, null when meaning is. */
  note: string | null;
  /** Why the last indexing failed. */
  problem: string | null;
}

export interface Runbooks {
  /** Brings the index in line with the files; only what changed is embedded. A call during a run joins it. */
  indexAll(progress?: (at: IndexProgress) => void): Promise<IndexReport>;
  /** Keeps one page and indexes it. AppError invalid (doc_id, empty), too_large. */
  indexOne(docId: string, content: string): Promise<{ docId: string; chunks: number; problems: string[] }>;
  /** One result a page, best first. AppError invalid for an empty query. Indexes first when there is no index. */
  search(query: string, options?: SearchOptions): Promise<RunbookAnswer>;
  /** Every page, by doc_id, as it lies on disk. */
  list(): Promise<RunbookPage[]>;
  /** Null when there is no such page. */
  read(docId: string): Promise<(RunbookPage & { content: string }) | null>;
  /** Opens nothing: safe to ask often. */
  status(): RunbookStatus;
  /**
   * From now on brings the index in line by itself, in the background: now, when a page changes, and when a search meets an
   * index of another model. Loads neither the index nor a model while nothing has changed.
   */
  follow(): Promise<void>;
  /** Ends an indexing under way between two batches of pages and waits for that. */
  close(): Promise<void>;
}
