/** The use cases of runbooks: index all, index one, search; what holds between them (one run at a time, repair on reading). */
import { isDocId, MAX_RUNBOOK_BYTES } from '../domain/runbook.ts';
import { AppError } from './errors.ts';
import type { Log } from './ports.ts';
import { bringInLine, entriesOf, problemsOf, sectionsIn } from './runbookIndexing.ts';
import type {
  Embedder,
  IndexProgress,
  IndexReport,
  RunbookAnswer,
  RunbookFiles,
  RunbookIndex,
  Runbooks,
  SearchOptions,
} from './runbookPorts.ts';
import { answer } from './runbookSearch.ts';

export function createRunbooks(parts: {
  files: RunbookFiles;
  index: RunbookIndex;
  embedder: Embedder;
  log: Log;
}): Runbooks {
  const { files, index, embedder, log } = parts;
  let running: Promise<IndexReport> | null = null;

  function indexAll(progress?: (at: IndexProgress) => void): Promise<IndexReport> {
    running ??= runIndexAll(progress).finally(() => {
      running = null;
    });
    return running;
  }

  async function runIndexAll(progress?: (at: IndexProgress) => void): Promise<IndexReport> {
    const model = await embedder.open();
    return index.write(model, (writer) => bringInLine(parts, writer, model, progress));
  }

  async function indexOne(docId: string, content: string) {
    if (!isDocId(docId)) {
      throw new AppError(
        'invalid',
        'doc_id must be letters, digits, dots, dashes and underscores, start with a letter or digit, and have no "..": it becomes a file name.',
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
      return { docId, chunks: sectionsIn(source), problems: problemsOf(source).map(({ problem }) => problem) };
    });
  }

  async function search(query: string, options: SearchOptions = {}): Promise<RunbookAnswer> {
    const alertName = options.alertName?.trim() || null;
    if (query.trim() === '' && alertName === null) {
      throw new AppError('invalid', 'The query is empty: name an alert or say what is wrong in a few words.', {
        field: 'q',
      });
    }
    const served = await index.snapshot();
    try {
      if (served) return await answer(parts, served, query, { ...options, alertName });
    } catch (error) {
      if (!(error instanceof AppError && error.kind === 'unavailable')) throw error;
      log.warn({ err: error }, 'the runbook index broke under a search; it is made anew');
    }
    await indexAll();
    const rebuilt = await index.snapshot();
    if (!rebuilt)
      throw new AppError('unavailable', 'The runbook index cannot be read right after it was written: check its disk.');
    return answer(parts, rebuilt, query, { ...options, alertName });
  }

  return { indexAll, indexOne, search };
}
