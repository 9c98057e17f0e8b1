/** The runbook index on disk: two LanceDB tables (pages, sections) with full text and vectors, one writer, replaced as a whole when it must be. */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Connection, Table } from '@lancedb/lancedb';
import { AppError } from '../../core/errors.ts';
import type { Log } from '../../core/ports/ports.ts';
import type {
  EmbeddingModel,
  IndexContents,
  IndexedPage,
  IndexLevel,
  IndexSnapshot,
  IndexWriter,
  RunbookIndex,
} from '../../core/ports/runbookPorts.ts';
import { INDEX_FORMAT } from '../../domain/runbooks/runbook.ts';
import { formatShape, parsed, type State, stateShape } from './indexState.ts';
import { factsShape, oneOf, pageRow, schemaOf, sectionId, sectionRows } from './rows.ts';
import { createPageWords, type TableReads, tableReads } from './tableReads.ts';
import { lockWriter } from './writerLock.ts';

/**
 * Every vector is compared, which is exact. So many are kept in memory for that from the first search on (40 MB with 512
 * numbers each); a larger table is read from disk each time, which is slower but needs no index of vectors.
 */
const IN_MEMORY_ROWS = 20_000;
/** Rows that the full-text index does not hold yet are read one by one: fold them in before that is felt. */
const OPTIMIZE_FROM_ROWS = 256;
/** Old versions of a table are kept this long for readers that still use them. */
const KEEP_VERSIONS_MS = 10 * 60_000;

interface Serving {
  state: State;
  pages: Table;
  sections: Table;
  reads: Record<IndexLevel, TableReads>;
}

/**
 * `dir` holds the tables and `index.json`, which names the two that serve. Nothing is opened or loaded before first
 * use. `lockWaitMs` bounds how long a second writer, also of another process, waits for the first; `inMemoryRows` is the
 * largest table whose vectors are compared in memory.
 */
export function createRunbookIndex(options: {
  dir: string;
  log: Log;
  lockWaitMs?: number;
  inMemoryRows?: number;
}): RunbookIndex & { close(): void } {
  const { log, lockWaitMs = 300_000, inMemoryRows = IN_MEMORY_ROWS } = options;
  // Absolute, because LanceDB takes a path that begins with "db" for an address in its cloud.
  const dir = resolve(options.dir);
  const stateFile = join(dir, 'index.json');
  let connection: Promise<Connection> | null = null;
  let serving: Serving | null = null;
  let catalogue: { key: string; pages: readonly IndexedPage[] } | null = null;
  const wordsOf = createPageWords();

  function connect(): Promise<Connection> {
    // 0: other processes' commits are seen at the next read.
    connection ??= import('@lancedb/lancedb').then((lance) => lance.connect(dir, { readConsistencyInterval: 0 }));
    return connection;
  }

  async function openServing(state: State): Promise<Serving> {
    if (serving?.state.name === state.name) {
      serving.state = state;
      return serving;
    }
    const db = await connect();
    const pages = await db.openTable(`pages_${state.name}`);
    const sections = await db.openTable(`sections_${state.name}`);
    closeServing();
    serving = {
      state,
      pages,
      sections,
      reads: {
        page: tableReads(pages, 'doc_id', state.dimensions, inMemoryRows),
        section: tableReads(sections, 'id', state.dimensions, inMemoryRows),
      },
    };
    return serving;
  }

  function closeServing(): void {
    serving?.pages.close();
    serving?.sections.close();
    serving = null;
  }

  async function cataloguePages({ state, pages }: Serving): Promise<readonly IndexedPage[]> {
    const key = `${state.name}@${await pages.version()}`;
    if (catalogue?.key === key) return catalogue.pages;
    const rows: { facts: string }[] = await pages.query().select(['facts']).toArray();
    catalogue = { key, pages: rows.map(({ facts }) => factsShape.parse(JSON.parse(facts))) };
    return catalogue.pages;
  }

  async function contents(): Promise<IndexContents | null> {
    const text = await readFile(stateFile, 'utf8').catch(() => 'null');
    const state = stateShape.safeParse(parsed(text)).data;
    if (state?.format !== INDEX_FORMAT || state.hashes === null) return null;
    return { modelId: state.modelId, mode: state.mode, hashes: new Map(state.hashes) };
  }

  /** The index that serves, proved readable; otherwise why not (null: there is none yet). */
  async function look(): Promise<
    { found: Serving; pages: readonly IndexedPage[] } | { found: null; why: string | null }
  > {
    let text: string;
    try {
      text = await readFile(stateFile, 'utf8');
    } catch (error) {
      return { found: null, why: isMissing(error) ? null : `index.json cannot be read: ${messageOf(error)}` };
    }
    try {
      const stored = JSON.parse(text);
      const { format } = formatShape.parse(stored);
      if (format !== INDEX_FORMAT)
        return { found: null, why: `it has format ${format}, this version writes ${INDEX_FORMAT}` };
      const state = stateShape.parse(stored);
      const found = await openServing(state);
      return { found, pages: await cataloguePages(found) };
    } catch (error) {
      return { found: null, why: `it is damaged: ${messageOf(error)}` };
    }
  }

  async function snapshot(): Promise<IndexSnapshot | null> {
    const at = await look();
    if (at.found === null) return null;
    const { found, pages } = at;

    /** A read that fails means a broken or replaced index; a broken one is taken out of service. */
    const reading = async <T>(read: () => Promise<T>): Promise<T> => {
      try {
        return await read();
      } catch (error) {
        const now = await look();
        if (now.found?.state.name === found.state.name) await rm(stateFile, { force: true });
        closeServing();
        throw new AppError('unavailable', `The runbook index cannot be read: ${messageOf(error)}`, undefined, {
          cause: error,
        });
      }
    };
    return {
      modelId: found.state.modelId,
      mode: found.state.mode,
      pages,
      byText: (level, keys, options) => reading(() => found.reads[level].byText(keys, options)),
      byVector: (level, vector, options) => reading(() => found.reads[level].byVector(vector, options)),
      words: () => reading(() => wordsOf(found.pages, found.state.name)),
      sections: (ids, firstOf) =>
        reading(async () => {
          const wanted = [...ids, ...firstOf.map((docId) => sectionId(docId, 0))];
          if (wanted.length === 0) return [];
          const rows: { doc_id: string; id: string; heading: string; text: string }[] = await found.sections
            .query()
            .where(oneOf('id', wanted))
            .select(['doc_id', 'id', 'heading', 'text'])
            .toArray();
          return rows.map((row) => ({ docId: row.doc_id, id: row.id, heading: row.heading, text: row.text }));
        }),
    };
  }

  async function write<T>(model: EmbeddingModel, work: (writer: IndexWriter) => Promise<T>): Promise<T> {
    await mkdir(dir, { recursive: true });
    const release = await lockWriter(join(dir, 'writer.lock'), lockWaitMs);
    try {
      const at = await look();
      if (at.found !== null && at.found.state.modelId === model.id) return await update(at.found, at.pages, work);
      const why = at.found ? `the embedding model is ${model.id} and was ${at.found.state.modelId}` : at.why;
      if (why === null) log.info({ dir }, 'there is no runbook index yet: making it');
      else log.warn({ dir, why }, 'the runbook index is made anew');
      return await rebuild(model, why ?? 'there was none', work);
    } finally {
      release();
    }
  }

  async function update<T>(
    found: Serving,
    before: readonly IndexedPage[],
    work: (writer: IndexWriter) => Promise<T>,
  ): Promise<T> {
    const { pages, sections, state } = found;
    let told = state.hashes !== null;
    /** From here on the tables are neither what they were nor what they will be. */
    const change = async () => {
      if (told) await keepState({ ...state, hashes: null });
      told = false;
    };
    const result = await work({
      rebuilding: null,
      known: new Map(hashesOf(before)),
      // Sections first: the page row carries the hash, so a death in between leaves a page that is indexed again.
      async put(entries) {
        await change();
        const docIds = entries.map(({ page }) => page.docId);
        const rows = entries.flatMap(sectionRows);
        if (rows.length === 0) await sections.delete(oneOf('doc_id', docIds));
        else {
          await sections
            .mergeInsert('id')
            .whenMatchedUpdateAll()
            .whenNotMatchedInsertAll()
            .whenNotMatchedBySourceDelete({ where: oneOf('doc_id', docIds) })
            .execute(rows);
        }
        await pages
          .mergeInsert('doc_id')
          .whenMatchedUpdateAll()
          .whenNotMatchedInsertAll()
          .execute(entries.map(pageRow));
      },
      async remove(docIds) {
        await change();
        await sections.delete(oneOf('doc_id', docIds));
        await pages.delete(oneOf('doc_id', docIds));
      },
    });
    for (const table of [pages, sections]) {
      const unindexed = (await table.indexStats('words_idx'))?.numUnindexedRows ?? 0;
      if (unindexed >= OPTIMIZE_FROM_ROWS) await optimize(table);
    }
    if (!told) await keepState({ ...state, hashes: hashesOf(await cataloguePages(found)) });
    return result;
  }

  async function rebuild<T>(model: EmbeddingModel, why: string, work: (writer: IndexWriter) => Promise<T>): Promise<T> {
    const { Index } = await import('@lancedb/lancedb');
    const db = await connect();
    const name = randomBytes(6).toString('hex');
    const pages = await db.createEmptyTable(`pages_${name}`, await schemaOf(['doc_id', 'facts'], model.dimensions));
    const sections = await db.createEmptyTable(
      `sections_${name}`,
      await schemaOf(['id', 'doc_id', 'heading', 'text'], model.dimensions),
    );
    const hashes: [string, string][] = [];
    try {
      const result = await work({
        rebuilding: why,
        known: new Map(),
        async put(entries) {
          const rows = entries.flatMap(sectionRows);
          if (rows.length > 0) await sections.add(rows);
          await pages.add(entries.map(pageRow));
          hashes.push(...hashesOf(entries.map(({ page }) => page)));
        },
        // Nothing is known here, so there is nothing to take out.
        async remove() {},
      });
      for (const table of [pages, sections]) {
        // The words are search keys already: nothing is left for LanceDB's own tokenizer to do but to split at spaces.
        const config = Index.fts({
          baseTokenizer: 'whitespace',
          lowercase: false,
          stem: false,
          removeStopWords: false,
          asciiFolding: false,
          withPosition: false,
        });
        await table.createIndex('words', { config });
        await optimize(table);
      }
      const { id: modelId, dimensions, mode } = model;
      await keepState({ format: INDEX_FORMAT, modelId, dimensions, mode, name, hashes });
      return result;
    } finally {
      pages.close();
      sections.close();
      await dropUnused(db);
    }
  }

  async function keepState(state: State): Promise<void> {
    await replaceFile(stateFile, JSON.stringify(state));
    if (serving?.state.name === state.name) serving.state = state;
  }

  /** Also clears what a run that died has left behind. What cannot be dropped now is dropped next time. */
  async function dropUnused(db: Connection): Promise<void> {
    const at = await look();
    const used = at.found ? [`pages_${at.found.state.name}`, `sections_${at.found.state.name}`] : [];
    for (const table of await db.tableNames()) {
      if (used.includes(table)) continue;
      await db
        .dropTable(table)
        .catch((error: unknown) => log.warn({ err: error, table }, 'an unused runbook table stays on disk'));
    }
  }

  function close(): void {
    closeServing();
    connection?.then((db) => db.close()).catch(() => {});
    connection = null;
  }

  return { contents, snapshot, write, close };
}

async function optimize(table: Table): Promise<void> {
  await table.optimize({ cleanupOlderThan: new Date(Date.now() - KEEP_VERSIONS_MS) });
}

function hashesOf(pages: readonly IndexedPage[]): [docId: string, hash: string][] {
  return pages.map(({ docId, hash }) => [docId, hash]);
}

/** Whole or not at all, also across a power cut. */
async function replaceFile(path: string, content: string): Promise<void> {
  const draft = `${path}.new`;
  const file = await open(draft, 'w');
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : String(error);
}
