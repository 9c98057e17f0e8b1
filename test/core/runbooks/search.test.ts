/** Search in runbooks: by alert, by question, by words and by meaning. */
import { cp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { createRunbookIndex } from '../../../src/adapters/vectors/runbookIndex.ts';
import { collectingLog } from '../../helpers/collectingLog.ts';
import { ids, type RunbookFolder, runbookFolder } from '../../helpers/runbookFolder.ts';
import { writeTinyModel } from '../../helpers/tinyModel.ts';

let folder: RunbookFolder;
let root: string;
beforeEach(async () => {
  folder = await runbookFolder();
  ({ root } = folder);
});
afterEach(() => folder.remove());

describe('search', () => {
  test('the alert asked for first, by platform; then the rest', async () => {
    const runbooks = folder.open();
    const { results, mode, note } = await runbooks.search('only 2% left', { alertName: 'DiskFull', platform: 'linux' });
    expect(results[0]).toMatchObject({
      docId: 'disk-linux',
      title: 'Disk full on Linux',
      score: 1,
      why: 'answers the alert DiskFull',
      path: 'runbooks/disk-linux.md',
      playbook: 'disk_cleanup',
    });
    expect(ids({ results })).not.toContain('disk-windows');
    expect(ids(await runbooks.search('', { alertName: 'DiskFull', platform: 'macos' }))).not.toContain('disk-linux');
    expect(mode).toBe('lexical');
    expect(note).toContain('compares words only');
  });

  test('a question finds the section that answers it', async () => {
    const { results } = await folder.open().search('how do I empty the recycle bin?');
    expect(results[0]).toMatchObject({
      docId: 'disk-windows',
      heading: 'Fix',
      excerpt: 'Run Storage Sense and empty the recycle bin.',
      why: expect.stringContaining('recycle'),
      playbook: null,
    });
    expect(new Set(ids({ results })).size).toBe(results.length);
  });

  test('a bare name shows where the page begins, not its shortest section', async () => {
    const { results } = await folder.open().search('DiskFull', { platform: 'linux' });
    expect(results[0]).toMatchObject({ docId: 'disk-linux', heading: 'Symptoms' });
  });

  test('vectors are compared alike in memory and by the tables, also after a change', async () => {
    const { log } = collectingLog();
    const runbooks = folder.open();
    await runbooks.indexAll();
    const asked = createRunbookIndex({ dir: folder.indexDir, log, inMemoryRows: 0 });
    onTestFinished(() => asked.close());
    const model = await runbooks.embedder.open();
    const [vector] = await model.embed(['the printer needs toner and the disk is full']);
    for (let round = 0; round < 2; round += 1) {
      const [here, there] = await Promise.all([runbooks.index.snapshot(), asked.snapshot()]);
      for (const level of ['page', 'section'] as const) {
        for (const options of [
          { limit: 3, platform: null },
          { limit: 100, platform: 'linux' as const },
        ]) {
          const [mine, theirs] = await Promise.all([here, there].map((at) => at!.byVector(level, vector!, options)));
          expect(mine!.length).toBeGreaterThan(2);
          expect(mine!.map(({ docId }) => docId)).toEqual(theirs!.map(({ docId }) => docId));
          for (const [place, { score }] of mine!.entries()) expect(score).toBeCloseTo(theirs![place]!.score, 4);
        }
      }
      await runbooks.indexOne('toner', '# Toner is low\n\nThe printer asks for toner.\n');
    }
  });

  test('k bounds the answer, votes move near-equals', async () => {
    const runbooks = folder.open();
    expect(ids(await runbooks.search('disk full', { k: 1 }))).toHaveLength(1);
    const first = ids(
      await runbooks.search('my disk is full', { prior: (docId) => (docId === 'disk-windows' ? 1 : -1) }),
    )[0];
    const swapped = ids(
      await runbooks.search('my disk is full', { prior: (docId) => (docId === 'disk-linux' ? 1 : -1) }),
    )[0];
    expect([first, swapped]).toEqual(['disk-windows', 'disk-linux']);
  });

  test.each([[''], [' \n\t']])('an empty query (%j) is refused', async (query) => {
    await expect(folder.open().search(query)).rejects.toMatchObject({ kind: 'invalid', details: { field: 'q' } });
  });

  test('hostile and foreign queries answer like any other', async () => {
    const runbooks = folder.open();
    await runbooks.indexAll();
    const before = runbooks.lines.length;
    for (const query of [
      '"printer" AND (spooler OR "x',
      'printer^9 ~2 -spooler +* field:printer',
      "printer'; DROP TABLE sections; --",
      `printer spooler ${'lorem ipsum '.repeat(9_000)}`,
      '\u0000printer spooler\uD800',
      'принтер printer spooler',
      'プリンター printer spooler',
    ]) {
      expect(ids(await runbooks.search(query))[0], query.slice(0, 40)).toBe('printer');
    }
    for (const query of [
      '???',
      'the of and',
      '%_%',
      '打印机坏了',
      'الطابعة',
      '🖨️',
      '12 34',
      '-'.repeat(100_000),
      'a-'.repeat(50_000),
    ]) {
      expect((await runbooks.search(query)).results.length, query.slice(0, 40)).toBeLessThanOrEqual(5);
    }
    expect(runbooks.lines).toHaveLength(before);
  });

  test('a question in another language finds the page in it', async () => {
    await folder.ship('drucker', '# Drucker\n\nDer Drucker druckt nicht: Warteschlange leeren.\n');
    await folder.ship('dayin', '# 打印机\n\n打印机坏了：重新启动。\n');
    const runbooks = folder.open();
    expect(ids(await runbooks.search('Warteschlange vom Drucker ist voll'))[0]).toBe('drucker');
    expect(ids(await runbooks.search('我的打印机坏了'))[0]).toBe('dayin');
  });
});

describe('another model', () => {
  test('is indexed by itself; its vectors are never compared with the old ones, and the old index serves meanwhile', async () => {
    const tiny = join(root, 'tiny');
    await writeTinyModel(tiny, [['printer', 'spooler'], ['paper', 'toner'], ['disk']]);
    const lexical = folder.open();
    await lexical.indexAll();

    const semantic = folder.open(tiny);
    expect(await semantic.search('spooler')).toMatchObject({
      mode: 'lexical',
      note: expect.stringContaining('another embedding model'),
      results: [{ docId: 'printer' }],
    });
    expect(await semantic.indexAll()).toMatchObject({
      documents: 4,
      embedded: 4,
      mode: 'semantic',
      rebuilt: expect.stringContaining('tiny'),
    });
    expect(await semantic.search('spooler')).toMatchObject({ mode: 'semantic', note: null });
    expect(await semantic.indexAll()).toMatchObject({ embedded: 0 });
    expect((await readdir(folder.indexDir)).filter((name) => name.endsWith('.lance'))).toHaveLength(2);
    // The process that still has the first model sees that the index has changed under it.
    expect(await lexical.search('spooler')).toMatchObject({ mode: 'lexical', results: [{ docId: 'printer' }] });
  });

  test('meaning finds what shares no word', async () => {
    const tiny = join(root, 'tiny');
    await writeTinyModel(tiny, [
      ['jammed', 'spooler', 'printer', 'print'],
      ['disk', 'storage', 'journals'],
      ['tunnel', 'gateway'],
    ]);
    expect(ids(await folder.open(tiny).search('jammed'))[0]).toBe('printer');
  });

  test('a run that dies in the middle leaves the old index serving and is cleaned up by the next', async () => {
    const tiny = join(root, 'tiny');
    await writeTinyModel(tiny, [['printer']]);
    const lexical = folder.open();
    await lexical.indexAll();
    const semantic = folder.open(tiny);
    const model = await semantic.embedder.open();
    const died = semantic.index.write(model, async ({ rebuilding, put }) => {
      expect(rebuilding).toContain('embedding model');
      await put([]).catch(() => {});
      // What a kill leaves behind: tables that nothing names.
      await cp(folder.indexDir, join(root, 'as-killed'), { recursive: true });
      throw new Error('killed');
    });
    await expect(died).rejects.toThrow('killed');
    expect(ids(await lexical.search('DiskFull'))).toContain('disk-linux');

    await lexical.index.close();
    await rm(folder.indexDir, { recursive: true });
    await cp(join(root, 'as-killed'), folder.indexDir, { recursive: true });
    expect((await readdir(folder.indexDir)).filter((name) => name.endsWith('.lance'))).toHaveLength(4);
    const next = folder.open(tiny);
    expect(ids(await next.search('spooler'))[0]).toBe('printer');
    await next.indexAll();
    expect((await readdir(folder.indexDir)).filter((name) => name.endsWith('.lance'))).toHaveLength(2);
  });
});
