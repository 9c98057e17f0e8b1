/** The use cases of runbooks: index all, index one, search, read; what holds between them (one run at a time, repair on reading). */

import type { Glossary } from '../../domain/runbooks/glossary.ts';
import { factsOf, isDocId, MAX_RUNBOOK_BYTES } from '../../domain/runbooks/runbook.ts';
import { AppError } from '../errors.ts';
import type { Log, Reloaded } from '../ports/ports.ts';
import type {
  Embedder,
  IndexedApart,
  IndexProgress,
  IndexReport,
  IndexSnapshot,
  RunbookAnswer,
  RunbookFiles,
  RunbookIndex,
  RunbookPage,
  RunbookSource,
  RunbookStatus,
  Runbooks,
  SearchOptions,
} from '../ports/runbookPorts.ts';
import type { Probe } from '../processes/health.ts';
import { bringInLine, entriesOf, isInLine, problemsOf, sectionsIn } from './runbookIndexing.ts';
import { answer } from './runbookSearch.ts';

/** Reading the pages takes processor time, which a service that starts has better use for. */
const FIRST_LOOK_AFTER_MS = 1_000;

export function createRunbooks(parts: {
  files: RunbookFiles;
  index: RunbookIndex;
  embedder: Embedder;
  glossary: Reloaded<Glossary>;
  log: Log;
  /** Does what `indexAll` does, in a process whose memory is given back; what happens in the background happens there. */
  indexApart?(stop: AbortSignal): Promise<IndexedApart>;
}): Runbooks {
  const { files, index, embedder, log } = parts;
  let running: Promise<IndexReport> | null = null;
  let lastSeen: Pick<RunbookStatus, 'documents' | 'model' | 'mode'> | null = null;
  let problem: string | null = null;
  /** What holds until a model is opened here. */
  let noteApart: string | null = null;
  let watching: { close(): void } | null = null;
  let refreshing: Promise<void> | null = null;
  let firstLook: ReturnType<typeof setTimeout> | undefined;
  let closed = false;
  const stopping = new AbortController();

  function indexAll(progress?: (at: IndexProgress) => void): Promise<IndexReport> {
    running ??= noting(async () => {
      const model = await embedder.open();
      return index.write(model, (writer) => bringInLine(parts, writer, model, goOn));
    });
    return running;

    function goOn(at: IndexProgress): void {
      if (closed) throw new AppError('unavailable', 'The service stops; the runbooks are indexed at its next start.');
      progress?.(at);
    }
  }

  function indexInBackground(): Promise<IndexReport> {
    const { indexApart } = parts;
    if (!indexApart) return indexAll();
    running ??= noting(async () => {
      const { report, note } = await indexApart(stopping.signal);
      noteApart = note;
      return report;
    });
    return running;
  }

  /** One run at a time; what became of it is what `status` tells. */
  async function noting(run: () => Promise<IndexReport>): Promise<IndexReport> {
    try {
      const report = await run();
      lastSeen = { documents: report.documents, model: report.modelId, mode: report.mode };
      problem = null;
      return report;
    } catch (error) {
      problem = problemIn(error);
      throw error;
    } finally {
      running = null;
    }
  }

  /** Opens neither the index nor a model as long as the pages are those that it holds: each takes tens of megabytes. */
  async function refresh(): Promise<void> {
    // What a run under way has listed may be older than the change that led here.
    await running?.catch(() => {});
    const [{ sources }, held] = await Promise.all([files.list(), index.contents()]);
    if (held) lastSeen = { documents: held.hashes.size, model: held.modelId, mode: held.mode };
    if (isInLine(sources, held?.hashes ?? new Map())) return;
    const { documents, embedded, removed, modelId } = await indexInBackground();
    log.info({ documents, embedded, removed, model: modelId }, 'runbooks indexed');
  }

  /** A call during a turn makes one more turn follow. */
  let again = false;
  function refreshSoon(): void {
    again = true;
    refreshing ??= turns().finally(() => {
      refreshing = null;
    });
  }
  async function turns(): Promise<void> {
    while (again && !closed) {
      again = false;
      await refresh().catch((error: unknown) => {
        if (closed) return;
        problem = problemIn(error);
        log.error({ err: error }, 'the runbooks could not be brought up to date; the index stays as it is');
      });
    }
  }

  async function look(): Promise<IndexSnapshot | null> {
    const served = await index.snapshot();
    if (served) lastSeen = { documents: served.pages.length, model: served.modelId, mode: served.mode };
    return served;
  }

  async function indexOne(docId: string, content: string) {
    if (!isDocId(docId)) {
      throw new AppError(
        'invalid',
        'doc_id must be letters, digits, dots, dashes and underscores, start with a letter or digit, have no ".." and not be README: it becomes a file name.',
        { field: 'doc_id' },
      );
    }
    if (content.trim() === '')
      throw new AppError('invalid', 'content is empty: send the Markdown of the runbook.', { field: 'content' });
    // Code units are at most bytes, so this is cheap and never refuses what fits; the files count exactly.
    if (content.length > MAX_RUNBOOK_BYTES) {
      throw new AppError('too_large', `The runbook is larger than ${MAX_RUNBOOK_BYTES} bytes: split it into pages.`);
    }
    const source = await files.save(docId, content);
    const model = await embedder.open();
    return index.write(model, async (writer) => {
      // A new index must hold every page before it serves, not this one alone.
      if (writer.rebuilding !== null) await bringInLine(parts, writer, model);
      else if (writer.known.get(docId) !== source.hash) await writer.put(await entriesOf([source], model));
      return { docId, chunks: sectionsIn(source), problems: problemsOf(source).map(({ problem: said }) => said) };
    });
  }

  async function search(query: string, options: SearchOptions = {}): Promise<RunbookAnswer> {
    const alertName = options.alertName?.trim() || null;
    if (query.trim() === '' && alertName === null) {
      throw new AppError('invalid', 'The query is empty: name an alert or say what is wrong in a few words.', {
        field: 'q',
      });
    }
    const served = await look();
    try {
      if (served) {
        const found = await answer(parts, served, query, { ...options, alertName });
        if (watching && served.modelId !== (await embedder.open()).id)
          indexAll().catch((error: unknown) => log.error({ err: error }, 'runbooks not indexed for the new model'));
        return found;
      }
    } catch (error) {
      if (!(error instanceof AppError && error.kind === 'unavailable')) throw error;
      log.warn({ err: error }, 'the runbook index broke under a search; it is made anew');
    }
    await indexAll();
    const rebuilt = await look();
    if (!rebuilt)
      throw new AppError('unavailable', 'The runbook index cannot be read right after it was written: check its disk.');
    return answer(parts, rebuilt, query, { ...options, alertName });
  }

  async function list(): Promise<RunbookPage[]> {
    const { sources } = await files.list();
    return sources.map(pageOf).sort((a, b) => a.docId.localeCompare(b.docId));
  }

  async function read(docId: string) {
    const source = await files.read(docId);
    return source && { ...pageOf(source), content: source.body };
  }

  function status(): RunbookStatus {
    const { state, note } = embedder.status();
    return {
      state: running ? 'indexing' : problem !== null ? 'failed' : lastSeen ? 'ready' : 'idle',
      mode: null,
      documents: null,
      model: null,
      ...lastSeen,
      note: state === 'idle' ? noteApart : note,
      problem,
    };
  }

  async function follow(): Promise<void> {
    watching = await files.watch(refreshSoon);
    firstLook = setTimeout(refreshSoon, FIRST_LOOK_AFTER_MS);
  }

  async function close(): Promise<void> {
    closed = true;
    stopping.abort();
    clearTimeout(firstLook);
    watching?.close();
    watching = null;
    await refreshing;
    await running?.catch(() => {});
  }

  return { indexAll, indexOne, search, list, read, status, follow, close };
}

/** For `/health`: comparing words only is how it works without a model, so it is told and not held against the service. */
export function runbooksProbe(runbooks: Pick<Runbooks, 'status'>): Probe {
  return async () => {
    const { state, problem, ...facts } = runbooks.status();
    return { status: problem === null ? 'ok' : 'degraded', state, ...facts, ...(problem && { detail: problem }) };
  };
}

function pageOf({ docId, path, frontMatter, body }: RunbookSource): RunbookPage {
  return { docId, path, ...factsOf(docId, frontMatter, body).facts };
}

function problemIn(error: unknown): string {
  return error instanceof AppError ? error.message : 'The runbooks could not be indexed; the log says why.';
}
