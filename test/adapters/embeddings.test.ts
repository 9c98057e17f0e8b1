/** Embeddings with the real runtime: a small ONNX model from disk, and what happens when there is none. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createEmbedder, lexicalModel } from '../../src/adapters/embeddings.ts';
import { collectingLog } from '../helpers/collectingLog.ts';
import { writeTinyModel } from '../helpers/tinyModel.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dexops-embeddings-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const cosine = (a: Float32Array | undefined, b: Float32Array | undefined) =>
  [...(a ?? [])].reduce((sum, value, index) => sum + value * (b?.[index] ?? 0), 0);

test('a model directory is loaded by the real runtime at the first use, and gives unit vectors of meaning', async () => {
  const model = join(dir, 'tiny');
  await writeTinyModel(model, [['crash', 'breakdown'], ['disk', 'storage'], ['printer']]);
  const { log, lines } = collectingLog();
  const embedder = createEmbedder({ model, cacheDir: join(dir, 'cache'), log });
  expect(embedder.status()).toMatchObject({ state: 'idle', mode: null });

  const opened = await embedder.open();
  expect(opened).toMatchObject({ mode: 'semantic', dimensions: 4 });
  const [crash, breakdown, printer] = await opened.embed(['crash', 'a breakdown', 'printer']);
  expect(cosine(crash, crash)).toBeCloseTo(1, 5);
  expect(cosine(crash, breakdown)).toBeGreaterThan(0.9);
  expect(cosine(crash, printer)).toBeLessThan(0.1);
  expect(embedder.status()).toMatchObject({ state: 'ready', mode: 'semantic', note: null });
  expect(lines).toEqual([]);
});

test('two models of one name but other weights have two ids', async () => {
  const { log } = collectingLog();
  await writeTinyModel(join(dir, 'a', 'tiny'), [['crash']]);
  await writeTinyModel(join(dir, 'b', 'tiny'), [['crash'], ['disk']]);
  const ids = await Promise.all(
    ['a', 'b'].map(
      async (name) => (await createEmbedder({ model: join(dir, name, 'tiny'), cacheDir: dir, log }).open()).id,
    ),
  );
  expect(new Set(ids).size).toBe(2);
});

test('a hub that cannot be reached: the built-in vectors, one warning, and status says why', async () => {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));

  const { log, lines } = collectingLog();
  const embedder = createEmbedder({ model: '', cacheDir: join(dir, 'cache'), log, hub: `http://127.0.0.1:${port}` });
  const [first, second] = await Promise.all([embedder.open(), embedder.open()]);
  expect(first).toBe(lexicalModel);
  expect(second).toBe(lexicalModel);
  expect(lines).toEqual([
    expect.stringMatching(/^warn .*Xenova\/all-MiniLM-L6-v2 cannot be loaded.*cannot be reached/),
  ]);
  expect(embedder.status()).toMatchObject({ mode: 'lexical', note: expect.stringContaining('cannot be reached') });
});

test('whoever only asks fetches nothing and says nothing, and takes the model once somebody has fetched it', async () => {
  let asked = 0;
  const server = createServer((_request, response) => {
    asked++;
    response.writeHead(404).end();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  try {
    const { port } = server.address() as AddressInfo;
    const { log, lines } = collectingLog();
    const cacheDir = join(dir, 'shared-cache');
    const hub = `http://127.0.0.1:${port}`;
    const embedder = createEmbedder({ model: 'maker/tiny', cacheDir, log, mayDownload: false, hub });
    expect(await embedder.open()).toBe(lexicalModel);
    expect(embedder.status()).toMatchObject({
      mode: 'lexical',
      note: expect.stringContaining('is not on this machine'),
    });
    expect(asked).toBe(0);
    expect(lines).toEqual([]);

    await writeTinyModel(join(cacheDir, 'maker', 'tiny'), [['crash'], ['disk']]);
    expect(await embedder.open()).toMatchObject({ mode: 'semantic' });
    expect(asked).toBe(0);
  } finally {
    await new Promise((done) => server.close(done));
  }
});

test('a hub that answers but has no such model: the same', async () => {
  const server = createServer((_request, response) => response.writeHead(404).end());
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  try {
    const { port } = server.address() as AddressInfo;
    const { log, lines } = collectingLog();
    const embedder = createEmbedder({
      model: 'nobody/nothing',
      cacheDir: join(dir, 'cache'),
      log,
      hub: `http://127.0.0.1:${port}`,
    });
    expect(await embedder.open()).toBe(lexicalModel);
    expect(lines).toHaveLength(1);
  } finally {
    server.close();
  }
});

test.each([['./no-such-model'], ['/no/such/model']])(
  'a directory that is not there (%s) is said without asking the hub',
  async (model) => {
    const { log } = collectingLog();
    const embedder = createEmbedder({ model, cacheDir: dir, log, hub: 'http://127.0.0.1:1' });
    await embedder.open();
    expect(embedder.status().note).toContain(`there is no directory ${model}`);
  },
);

test('none: the built-in vectors, without a warning and without asking the hub', async () => {
  const { log, lines } = collectingLog();
  const embedder = createEmbedder({ model: 'none', cacheDir: dir, log, hub: 'http://127.0.0.1:1' });
  expect(await embedder.open()).toBe(lexicalModel);
  expect(embedder.status()).toMatchObject({
    mode: 'lexical',
    note: expect.stringContaining('EMBEDDING_MODEL is none'),
  });
  expect(lines).toEqual([]);
});
