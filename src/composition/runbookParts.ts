/** What runbooks are made from: files, index and embedding model, in this process or in one that only indexes. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { extname, join } from 'node:path';
import { createEmbedder } from '../adapters/embeddings.ts';
import { reloadedFile } from '../adapters/reloadedFile.ts';
import { createRunbookFiles } from '../adapters/runbookFiles.ts';
import { createRunbookIndex } from '../adapters/vectors/runbookIndex.ts';
import { AppError, type ErrorKind } from '../core/errors.ts';
import type { Log } from '../core/ports/ports.ts';
import type { IndexedApart } from '../core/ports/runbookPorts.ts';
import { GlossaryFile } from '../core/runbooks/glossaryFile.ts';

/** Where everything lies; plain values, since they are handed to another process. */
export interface RunbookPlaces {
  root: string;
  shippedDir: string;
  uploadedDir: string;
  indexDir: string;
  modelsDir: string;
  /** The file of how people say things. */
  glossaryFile: string;
  /** EMBEDDING_MODEL */
  model: string;
}

/** @param mayDownload whether a model that is not on this machine is fetched */
export function runbookParts(places: RunbookPlaces, log: Log, { mayDownload }: { mayDownload: boolean }) {
  return {
    files: createRunbookFiles({ ...places, log }),
    index: createRunbookIndex({ dir: places.indexDir, log }),
    embedder: createEmbedder({ model: places.model, cacheDir: places.modelsDir, log, mayDownload }),
    glossary: reloadedFile(places.glossaryFile, GlossaryFile, { log }),
    log,
  };
}

/** What the indexing process is given, and what it answers. */
export interface IndexOrder {
  places: RunbookPlaces;
  log: { level: string; format: 'json' | 'text' };
}
export type IndexAnswer = IndexedApart | { failure: { kind: ErrorKind; message: string } };

/**
 * Indexes in a process of its own: what LanceDB and a model take (80 MB and more) is given back only by the end of one. Killed
 * when `stop` aborts, which an index survives. Rejects as indexing here would.
 */
export async function indexApart(order: IndexOrder, stop: AbortSignal): Promise<IndexedApart> {
  const child = fork(
    join(import.meta.dirname, `indexRunbooks${extname(import.meta.filename)}`),
    [JSON.stringify(order)],
    {
      execArgv: ['--import', import.meta.resolve(`../compileCache${extname(import.meta.filename)}`)],
    },
  );
  const kill = () => child.kill('SIGKILL');
  stop.addEventListener('abort', kill, { once: true });
  let answer: IndexAnswer | null = null;
  child.on('message', (message) => {
    answer = message as IndexAnswer;
  });
  try {
    if (stop.aborted) kill();
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    return successOf(answer, signal ?? code);
  } finally {
    stop.removeEventListener('abort', kill);
  }
}

function successOf(answer: IndexAnswer | null, end: string | number | null): IndexedApart {
  if (answer === null) throw new Error(`the process that indexes the runbooks ended with ${end} and without an answer`);
  if ('failure' in answer) throw new AppError(answer.failure.kind, answer.failure.message);
  return answer;
}
