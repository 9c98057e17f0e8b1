/** Runbooks indexed in a process of their own, which is really started. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { indexApart, type RunbookPlaces, runbookParts } from '../../src/composition/runbookParts.ts';
import { createRunbooks } from '../../src/core/runbooks/runbooks.ts';
import { collectingLog } from '../helpers/collectingLog.ts';

const wait = { timeout: 60_000 };
const log = { level: 'ERROR', format: 'json' } as const;
let root: string;
let places: RunbookPlaces;
let closers: (() => Promise<void>)[];
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'dexops-apart-'));
  closers = [];
  await cp(resolve('runbooks'), join(root, 'runbooks'), { recursive: true });
  places = {
    root,
    shippedDir: join(root, 'runbooks'),
    uploadedDir: join(root, 'uploaded'),
    indexDir: join(root, 'index'),
    modelsDir: join(root, 'models'),
    glossaryFile: resolve('config/runbook_glossary.yaml'),
    model: 'none',
  };
});
afterEach(async () => {
  for (const close of closers) await close();
  await rm(root, { recursive: true, force: true });
});

function open() {
  const collected = collectingLog();
  const parts = runbookParts(places, collected.log, { mayDownload: false });
  const runbooks = createRunbooks({ ...parts, indexApart: (stop) => indexApart({ places, log }, stop) });
  closers.push(async () => {
    await runbooks.close();
    parts.index.close();
  });
  return { ...runbooks, index: parts.index, embedder: parts.embedder, lines: collected.lines };
}

test('what the service has indexed for itself is found, and counted as if indexed here', {
  timeout: 120_000,
}, async () => {
  const runbooks = open();
  await runbooks.follow();
  await expect
    .poll(() => runbooks.status(), wait)
    .toMatchObject({
      state: 'ready',
      mode: 'lexical',
      note: expect.stringContaining('compares words only'),
      problem: null,
    });
  // The process that served has opened no model.
  expect(runbooks.embedder.status().state).toBe('idle');
  const { sources } = await runbookParts(places, collectingLog().log, { mayDownload: false }).files.list();
  expect((await runbooks.index.contents())?.hashes).toEqual(new Map(sources.map(({ docId, hash }) => [docId, hash])));
  expect(runbooks.status().documents).toBe(sources.length);
  expect(runbooks.lines.join()).toContain('runbooks indexed');
  expect((await runbooks.search('the disk is full')).results.length).toBeGreaterThan(0);
  expect(await runbooks.indexAll()).toMatchObject({ embedded: 0, rebuilt: null });
});

test('why it failed there is known here', { timeout: 120_000 }, async () => {
  const missing = { ...places, shippedDir: join(root, 'nowhere') };
  await expect(indexApart({ places: missing, log }, new AbortController().signal)).rejects.toMatchObject({
    kind: 'unavailable',
    message: expect.stringContaining('nowhere cannot be read'),
  });
});

test('a stop ends that process too, and the next start completes what it began', { timeout: 120_000 }, async () => {
  const stopped = open();
  await stopped.follow();
  await expect.poll(() => stopped.status().state, { ...wait, interval: 10 }).toBe('indexing');
  await stopped.close();
  expect(stopped.lines).toEqual([]);
  const next = open();
  await next.follow();
  await expect.poll(() => next.status().state, wait).toBe('ready');
});

test('a process that dies says so', { timeout: 120_000 }, async () => {
  const stop = new AbortController();
  const ended = indexApart({ places, log }, stop.signal);
  stop.abort();
  await expect(ended).rejects.toThrow('SIGKILL');
});
