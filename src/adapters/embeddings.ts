/** Turns texts into vectors: a sentence model where one can be had, else built-in lexical vectors, logged once. */
import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Log } from '../core/ports/ports.ts';
import type { Embedder, EmbedderStatus, EmbeddingModel } from '../core/ports/runbookPorts.ts';
import { HASH_DIMENSIONS, hashVector } from '../domain/runbooks/hashVector.ts';

const DEFAULT_MODEL = 'Xenova/all-MiniLM-L6-v2';
/** The value of EMBEDDING_MODEL that asks for the built-in vectors, and for no look at any hub. */
const NO_MODEL = 'none';
const HUB = 'https://huggingface.co';
const HUB_PATIENCE_MS = 3_000;
/** Sentence models read about 256 word pieces; tokenising much more than that is time for nothing. */
const MAX_CHARS = 2_000;

/** The vectors that need no download. */
export const lexicalModel: EmbeddingModel = {
  id: `words-and-letters-${HASH_DIMENSIONS}`,
  dimensions: HASH_DIMENSIONS,
  mode: 'lexical',
  // Unrelated English texts share that much by their letter groups alone.
  floor: 0.1,
  embed: async (texts) => texts.map(hashVector),
};

/**
 * `model` is a directory, a name on the hub, `none`, or empty for all-MiniLM-L6-v2; it is loaded at the first `open()`, from
 * `cacheDir` when it was downloaded before. `hub` is where names are looked up. When it cannot be had, one warning is
 * logged and {@link lexicalModel} serves until the process ends. Without `mayDownload` only what lies on this machine is used, and
 * nothing is said: whoever makes the index downloads, and nobody waits for that with a question.
 */
export function createEmbedder(options: {
  model: string;
  cacheDir: string;
  log: Log;
  mayDownload?: boolean;
  hub?: string;
}): Embedder {
  const { log, mayDownload = true, hub = HUB } = options;
  const wanted = options.model || DEFAULT_MODEL;
  let opening: Promise<EmbeddingModel> | null = null;
  let status: EmbedderStatus = { state: 'idle', mode: null, model: wanted, note: null };

  async function load(): Promise<EmbeddingModel> {
    if (wanted === NO_MODEL) {
      const note = 'No embedding model is wanted (EMBEDDING_MODEL is none), so search compares words only.';
      status = { state: 'ready', mode: 'lexical', model: lexicalModel.id, note };
      return lexicalModel;
    }
    try {
      const model = await sentenceModel(wanted, resolve(options.cacheDir), hub);
      status = { state: 'ready', mode: model.mode, model: wanted, note: null };
      return model;
    } catch (error) {
      const reason = error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : String(error);
      const note = `The embedding model ${wanted} cannot be loaded, so search compares words only: ${reason}`;
      log.warn({ model: wanted }, `${note} Set EMBEDDING_MODEL to a local copy of the model to change that.`);
      status = { state: 'ready', mode: 'lexical', model: lexicalModel.id, note };
      return lexicalModel;
    }
  }

  return {
    async open() {
      // Looked for anew each time: the process that makes the index may have fetched it since.
      if (opening === null && wanted !== NO_MODEL && !mayDownload && isAbsent(wanted, options.cacheDir)) {
        const note = `The embedding model ${wanted} is not on this machine, so search compares words only.`;
        status = { state: 'ready', mode: 'lexical', model: lexicalModel.id, note };
        return lexicalModel;
      }
      opening ??= load();
      return opening;
    },
    status: () => status,
  };
}

/** A name of the hub, and not a path, of which the cache has no weights. */
function isAbsent(wanted: string, cacheDir: string): boolean {
  if (existsSync(wanted) || wanted.startsWith('/') || wanted.startsWith('.')) return false;
  return weightsIn(join(resolve(cacheDir), wanted)) === undefined;
}

function weightsIn(folder: string): string | undefined {
  return ['model_quantized.onnx', 'model.onnx'].find((name) => existsSync(join(folder, 'onnx', name)));
}

async function sentenceModel(wanted: string, cacheDir: string, hub: string): Promise<EmbeddingModel> {
  const local = existsSync(wanted) && statSync(wanted).isDirectory() ? resolve(wanted) : null;
  const folder = local ?? join(cacheDir, wanted);
  if (local === null && (wanted.startsWith('/') || wanted.startsWith('.')))
    throw new Error(`there is no directory ${wanted}.`);
  const weights = weightsIn(folder);
  if (local !== null && weights === undefined) throw new Error(`${local} holds no onnx/model_quantized.onnx.`);
  if (weights === undefined) await reach(hub);

  const { env, pipeline, LogLevel } = await import('@huggingface/transformers');
  env.logLevel = LogLevel.ERROR;
  env.remoteHost = `${hub}/`;
  // The library's own cache lies in node_modules, which is gone with the next install.
  env.cacheDir = cacheDir;
  env.localModelPath = local === null ? cacheDir : dirname(local);
  env.allowRemoteModels = weights === undefined;
  const extract = await pipeline('feature-extraction', local === null ? wanted : basename(local), {
    dtype: weights === 'model.onnx' ? 'fp32' : 'q8',
  });
  // One by one: a batch is padded to its longest text, which costs more than it saves on mixed lengths.
  const embed = async (texts: readonly string[]): Promise<Float32Array[]> => {
    const vectors: Float32Array[] = [];
    for (const text of texts) {
      const output = await extract(text.slice(0, MAX_CHARS), { pooling: 'mean', normalize: true });
      vectors.push(Float32Array.from(output.data, Number));
      output.dispose();
    }
    return vectors;
  };
  const dimensions = (await embed(['one text to learn the size']))[0]?.length ?? 0;
  // The size of the weights distinguishes two models of one name, so that their vectors are never mixed.
  const { size } = statSync(join(folder, 'onnx', weights ?? 'model_quantized.onnx'));
  return { id: `${basename(wanted)}:${size}`, dimensions, mode: 'semantic', floor: 0.2, embed };
}

/** Without this a blocked network is found out only after the client's own long patience. */
async function reach(hub: string): Promise<void> {
  try {
    await fetch(hub, { method: 'HEAD', signal: AbortSignal.timeout(HUB_PATIENCE_MS) });
  } catch (error) {
    throw new Error(`${hub} cannot be reached.`, { cause: error });
  }
}
