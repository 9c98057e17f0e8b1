/** Runbook search from files to answers, on real files and a real LanceDB in temporary folders. */
import { cp, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createEmbedder } from '../../../src/adapters/embeddings.ts';
import { createRunbookFiles } from '../../../src/adapters/runbookFiles.ts';
import { createRunbookIndex } from '../../../src/adapters/vectors/runbookIndex.ts';
import { createRunbooks } from '../../../src/core/runbooks/runbooks.ts';
import { NO_GLOSSARY } from '../../../src/domain/runbooks/glossary.ts';
import { collectingLog } from '../../helpers/collectingLog.ts';
import { writeTinyModel } from '../../helpers/tinyModel.ts';

const PAGES: Record<string, string> = {
  'disk-linux':
    '---\ntitle: Disk full on Linux\nalerts: [DiskFull]\nplatforms: [linux]\nplaybook: disk_cleanup\n---\n# Disk full on Linux\n\n## Symptoms\n\nNo space left on device.\n\n## Fix\n\nRemove old journals with journalctl and empty the package cache.\n',
  'disk-windows':
    '---\ntitle: Disk full on Windows\nalerts: [DiskFull]\nplatforms: [windows]\n---\n## Fix\n\nRun Storage Sense and empty the recycle bin.\n',
  vpn: '# VPN slow or down\n\n## Diagnosis\n\nMeasure the latency to the gateway of the tunnel.\n',
  printer: '# Printer\n\n## Fix\n\nRestart the spooler, then print a test page.\n',
};

let root: string;
let closers: (() => void)[];
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'dexops-runbooks-'));
  closers = [];
  await mkdir(join(root, 'runbooks'));
  for (const [docId, text] of Object.entries(PAGES)) await ship(docId, text);
});
afterEach(async () => {
  for (const close of closers) close();
  await rm(root, { recursive: true, force: true });
});

const ship = (docId: string, text: string | Buffer) => writeFile(join(root, 'runbooks', `${docId}.md`), text);
const indexDir = () => join(root, 'vectors');
/** `model`: a directory; one that does not exist gives the built-in vectors without asking any network. */
function open(model = '/no/such/model', lockWaitMs?: number) {
  const { log, lines } = collectingLog();
  const files = createRunbookFiles({
    root,
    shippedDir: join(root, 'runbooks'),
    uploadedDir: join(root, 'uploaded'),
    log,
  });
  const index = createRunbookIndex({ dir: indexDir(), log, lockWaitMs });
  const embedder = createEmbedder({ model, cacheDir: join(root, 'models'), log });
  closers.push(() => index.close());
  return {
    ...createRunbooks({ files, index, embedder, glossary: { current: () => NO_GLOSSARY }, log }),
    index,
    embedder,
    lines,
  };
}
const ids = ({ results }: { results: { docId: string }[] }) => results.map(({ docId }) => docId);

describe('indexing', () => {
  test('everything once; an unchanged run embeds nothing; a change and a deletion touch only their pages', async () => {
    const runbooks = open();
    const seen: number[] = [];
    expect(await runbooks.indexAll(({ done }) => seen.push(done))).toMatchObject({
      documents: 4,
      embedded: 4,
      removed: 0,
      chunks: 5,
      rebuilt: 'there was none',
      refused: [],
      problems: [],
    });
    expect(seen).toEqual([0, 4]);
    expect(await runbooks.indexAll()).toMatchObject({ documents: 4, embedded: 0, chunks: 0, rebuilt: null });

    await ship('printer', '# Printer\n\nThe toner is empty.\n');
    await rm(join(root, 'runbooks', 'vpn.md'));
    expect(await runbooks.indexAll()).toMatchObject({ documents: 3, embedded: 1, removed: 1, chunks: 1 });
    expect(ids(await runbooks.search('toner'))[0]).toBe('printer');
    expect((await runbooks.search('spooler')).results.map(({ why }) => why).join()).not.toContain('spooler');
    expect(ids(await runbooks.search('tunnel gateway latency'))).not.toContain('vpn');
  });

  test('a page that loses all its text stays, by its title', async () => {
    const runbooks = open();
    await runbooks.indexAll();
    await ship('printer', '---\ntitle: Printer\n---\n');
    await runbooks.indexAll();
    expect((await runbooks.search('Printer')).results[0]).toMatchObject({
      docId: 'printer',
      heading: 'Printer',
      excerpt: '',
    });
  });

  test('no pages at all is an index too', async () => {
    await rm(join(root, 'runbooks'), { recursive: true });
    await mkdir(join(root, 'runbooks'));
    const runbooks = open();
    expect(await runbooks.indexAll()).toMatchObject({ documents: 0, chunks: 0 });
    expect(await runbooks.search('disk')).toMatchObject({ results: [] });
    await ship('disk', '# Disk');
    expect(await runbooks.indexAll()).toMatchObject({ embedded: 1, rebuilt: null });
    expect(ids(await runbooks.search('disk'))).toEqual(['disk']);
  });

  test('bad pages are named and keep nothing else out', async () => {
    await ship('huge', Buffer.alloc(10_000_000, 'a '));
    await ship('binary', Buffer.from([1, 0, 2]));
    await ship('yaml', '---\n: [\n---\n# Yaml page about toner\n');
    await ship('run', '漢'.repeat(300_000));
    await ship('printer-too', '# Printer\n\nAnother one.\n');
    const runbooks = open();
    const report = await runbooks.indexAll();
    expect(report.refused.map(({ path }) => path)).toEqual(['runbooks/binary.md', 'runbooks/huge.md']);
    expect(report.problems).toEqual([
      { path: 'runbooks/yaml.md', problem: expect.stringContaining('not YAML') },
      ...['runbooks/printer-too.md', 'runbooks/printer.md'].map((path) => ({
        path,
        problem: 'the title "Printer" is used by runbooks/printer-too.md and runbooks/printer.md: tell them apart',
      })),
    ]);
    expect(runbooks.lines.filter((line) => /refused|in spite of/.test(line))).toHaveLength(5);
    expect(
      ids(await runbooks.search('Printer'))
        .slice(0, 2)
        .sort(),
    ).toEqual(['printer', 'printer-too']);
    expect(ids(await runbooks.search('toner'))[0]).toBe('yaml');
  });

  test('one page by the API: kept, found at once, replaced, still there after everything is indexed again', async () => {
    const runbooks = open();
    await runbooks.indexAll();
    expect(
      await runbooks.indexOne('headset', '# Headset\n\nPair the bluetooth headset.\n\n## Fix\n\nForget it first.\n'),
    ).toEqual({ docId: 'headset', chunks: 2, problems: [] });
    await runbooks.indexOne('headset', '# Headset\n\nBuy a cable.\n');
    expect(await runbooks.indexAll()).toMatchObject({ documents: 5, embedded: 0, removed: 0 });
    expect((await runbooks.search('Headset')).results[0]).toMatchObject({
      docId: 'headset',
      path: 'uploaded/headset.md',
      excerpt: 'Buy a cable.',
    });
  });

  test('the first page by the API brings the shipped ones along', async () => {
    const runbooks = open();
    await runbooks.indexOne('headset', '# Headset\n');
    expect(ids(await runbooks.search('DiskFull'))).toContain('disk-linux');
    expect(ids(await runbooks.search('Headset'))[0]).toBe('headset');
  });

  test.each([['../../etc/cron'], ['a/b'], ['..'], ['']])('doc_id %j is refused and writes nothing', async (docId) => {
    await expect(open().indexOne(docId, '# X')).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining('doc_id'),
    });
    expect((await readdir(root)).sort()).toEqual(['runbooks']);
  });
  test('empty and too large content is refused', async () => {
    await expect(open().indexOne('a', ' \n')).rejects.toMatchObject({ kind: 'invalid' });
    await expect(open().indexOne('a', 'x'.repeat(1_000_001))).rejects.toMatchObject({ kind: 'too_large' });
  });

  test('two writers wait for each other and lose nothing; a writer that waits too long says so', async () => {
    const [one, other] = [open(), open()];
    await one.indexAll();
    await Promise.all([
      one.indexOne('a', '# Alpha page'),
      other.indexOne('b', '# Beta page'),
      one.indexOne('c', '# Gamma page'),
    ]);
    expect(await one.indexAll()).toMatchObject({ documents: 7, embedded: 0 });
    for (const name of ['Alpha page', 'Beta page', 'Gamma page'])
      expect((await other.search(name)).results[0]?.score).toBe(1);

    const impatient = open(undefined, 0);
    const model = await impatient.embedder.open();
    await one.index.write(model, () => expect(impatient.indexAll()).rejects.toMatchObject({ kind: 'conflict' }));
  });
});

describe('search', () => {
  test('the alert asked for first, by platform; then the rest', async () => {
    const runbooks = open();
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
    const { results } = await open().search('how do I empty the recycle bin?');
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
    const { results } = await open().search('DiskFull', { platform: 'linux' });
    expect(results[0]).toMatchObject({ docId: 'disk-linux', heading: 'Symptoms' });
  });

  test('vectors are compared alike in memory and by the tables, also after a change', async () => {
    const { log } = collectingLog();
    const runbooks = open();
    await runbooks.indexAll();
    const asked = createRunbookIndex({ dir: indexDir(), log, inMemoryRows: 0 });
    closers.push(() => asked.close());
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
    const runbooks = open();
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
    await expect(open().search(query)).rejects.toMatchObject({ kind: 'invalid', details: { field: 'q' } });
  });

  test('hostile and foreign queries answer like any other', async () => {
    const runbooks = open();
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
    await ship('drucker', '# Drucker\n\nDer Drucker druckt nicht: Warteschlange leeren.\n');
    await ship('dayin', '# 打印机\n\n打印机坏了：重新启动。\n');
    const runbooks = open();
    expect(ids(await runbooks.search('Warteschlange vom Drucker ist voll'))[0]).toBe('drucker');
    expect(ids(await runbooks.search('我的打印机坏了'))[0]).toBe('dayin');
  });
});

describe('following the files', () => {
  test('an index that is in line is left alone: neither it nor a model is opened', async () => {
    await open().indexAll();
    // Whoever opened a table would now find it broken, and say so.
    for (const name of await readdir(indexDir()))
      if (name.endsWith('.lance')) await rm(join(indexDir(), name), { recursive: true });
    const runbooks = open();
    await runbooks.follow();
    await expect.poll(() => runbooks.status(), { timeout: 20_000 }).toMatchObject({ state: 'ready', documents: 4 });
    expect(runbooks.embedder.status().state).toBe('idle');
    expect(runbooks.status()).toMatchObject({ mode: 'lexical', problem: null });
    expect(runbooks.lines).toEqual([]);
    expect(ids(await runbooks.search('toner or spooler of the printer'))[0]).toBe('printer');
    expect(runbooks.lines.join()).toContain('made anew');
    await runbooks.close();
  });

  test('what the index says to hold is what its tables hold, after every change of them', async () => {
    const runbooks = open();
    const inTables = async () =>
      new Map((await open().index.snapshot())?.pages.map(({ docId, hash }) => [docId, hash]));
    await runbooks.indexAll();
    expect((await runbooks.index.contents())?.hashes).toEqual(await inTables());
    await ship('printer', '# Printer\n\nThe toner is empty.\n');
    await rm(join(root, 'runbooks', 'vpn.md'));
    await runbooks.indexAll();
    expect((await open().index.contents())?.hashes).toEqual(await inTables());
    await runbooks.indexOne('scanner', '# Scanner\n\nThe glass is dusty.\n');
    const { hashes } = (await open().index.contents()) ?? {};
    expect(hashes).toEqual(await inTables());
    expect([...hashes!.keys()].sort()).toEqual(['disk-linux', 'disk-windows', 'printer', 'scanner']);
  });

  test('a writer that dies over its work leaves no word of what is there, and the next start looks for itself', async () => {
    const first = open();
    await first.indexAll();
    const model = await first.embedder.open();
    const dies = first.index.write(model, async (writer) => {
      await writer.remove(['vpn']);
      throw new Error('killed');
    });
    await expect(dies).rejects.toThrow('killed');
    expect(await open().index.contents()).toBeNull();
    expect(ids(await open().search('VPN slow or down'))).not.toContain('vpn');

    const second = open();
    await second.follow();
    await expect.poll(async () => (await second.index.contents())?.hashes.size, { timeout: 20_000 }).toBe(4);
    expect(ids(await second.search('VPN slow or down'))[0]).toBe('vpn');
    await second.close();
  });

  test('without an index and without pages nothing is made', async () => {
    await rm(join(root, 'runbooks'), { recursive: true });
    await mkdir(join(root, 'runbooks'));
    const runbooks = open();
    await runbooks.follow();
    await runbooks.close();
    expect(runbooks.embedder.status().state).toBe('idle');
    expect(await readdir(root)).not.toContain('vectors');
  });

  test('a change that comes while everything is being indexed is not lost', async () => {
    const runbooks = open();
    await runbooks.follow();
    let late = Promise.resolve();
    await runbooks.indexAll(({ done }) => {
      if (done === 0) late = ship('late', '# Late page\n\nToo late?\n');
    });
    await late;
    await expect.poll(() => runbooks.status().documents, { timeout: 20_000 }).toBe(5);
    expect(ids(await runbooks.search('Late page'))[0]).toBe('late');
    await runbooks.close();
  });

  test('a search that meets an index of another model has it made anew, in the background', async () => {
    await open().indexAll();
    const tiny = join(root, 'tiny');
    await writeTinyModel(tiny, [['printer', 'spooler'], ['disk']]);
    const runbooks = open(tiny);
    await runbooks.follow();
    await expect.poll(() => runbooks.status().state, { timeout: 20_000 }).toBe('ready');
    expect(await runbooks.search('spooler')).toMatchObject({ mode: 'lexical' });
    await expect.poll(() => runbooks.status(), { timeout: 20_000 }).toMatchObject({ state: 'ready', mode: 'semantic' });
    expect(await runbooks.search('spooler')).toMatchObject({ mode: 'semantic', note: null });
    await runbooks.close();
  });

  test('a stop ends the indexing between two batches; the old index serves and the next start completes it', async () => {
    const runbooks = open();
    await runbooks.indexAll();
    for (let page = 0; page < 100; page += 1) await ship(`page-${page}`, `# Page number ${page}\n`);
    const stopped = runbooks.indexAll(({ done }) => {
      if (done > 0) void runbooks.close();
    });
    await expect(stopped).rejects.toMatchObject({ kind: 'unavailable', message: expect.stringContaining('stops') });
    const next = open();
    expect(ids(await next.search('DiskFull'))).toContain('disk-linux');
    const { documents, embedded } = await next.indexAll();
    expect(documents).toBe(104);
    expect(embedded).toBeLessThan(100);
  });
});

describe('reading', () => {
  test('a page as it lies on disk, the uploaded one before the shipped one', async () => {
    const runbooks = open();
    expect(await runbooks.read('disk-linux')).toMatchObject({
      docId: 'disk-linux',
      title: 'Disk full on Linux',
      platforms: ['linux'],
      path: 'runbooks/disk-linux.md',
      content: expect.stringMatching(/^# Disk full on Linux/),
    });
    await runbooks.indexOne('disk-linux', '# Ours\n');
    expect(await runbooks.read('disk-linux')).toMatchObject({ title: 'Ours', path: 'uploaded/disk-linux.md' });
    expect((await runbooks.list()).map(({ docId }) => docId)).toEqual(['disk-linux', 'disk-windows', 'printer', 'vpn']);
  });

  test.each([['../runbooks/vpn'], ['vpn.md'], ['README'], [''], ['/etc/passwd'], ['vpn\u0000']])(
    '%j is no page',
    async (docId) => {
      await ship('README', '# About');
      expect(await open().read(docId)).toBeNull();
    },
  );

  test('a file that is no runbook is refused with its reason', async () => {
    await ship('binary', Buffer.from([1, 0, 2]));
    await expect(open().read('binary')).rejects.toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('binary'),
    });
  });
});

describe('an index that cannot be used', () => {
  async function damage(how: (stateFile: string) => Promise<unknown>) {
    const runbooks = open();
    await runbooks.indexAll();
    runbooks.index.close();
    await how(join(indexDir(), 'index.json'));
    return open();
  }

  test.each<[string, (stateFile: string) => Promise<unknown>, RegExp]>([
    ['missing', () => rm(indexDir(), { recursive: true }), /there is no runbook index yet/],
    ['of another version', (file) => writeFile(file, JSON.stringify({ format: 99, name: 'x' })), /format 99/],
    ['half written', (file) => truncate(file, 10), /damaged/],
    [
      'without its tables',
      async (file) => {
        const { name } = JSON.parse(await readFile(file, 'utf8'));
        await rm(join(indexDir(), `sections_${name}.lance`), { recursive: true });
      },
      /damaged/,
    ],
    ['full of noise', overwriteTables, /damaged|broke under a search/],
  ])('%s: it is made anew, said, and answers', async (_what, how, said) => {
    const runbooks = await damage(how);
    expect(
      ids(await runbooks.search('DiskFull'))
        .slice(0, 2)
        .sort(),
    ).toEqual(['disk-linux', 'disk-windows']);
    expect(runbooks.lines.join('\n')).toMatch(said);
    expect(await runbooks.indexAll()).toMatchObject({ documents: 4, embedded: 0, rebuilt: null });
    expect((await readdir(indexDir())).filter((name) => name.endsWith('.lance'))).toHaveLength(2);
  });

  test('noise in the data under an open index is noticed by the search that meets it', async () => {
    const runbooks = open();
    await runbooks.indexAll();
    await runbooks.search('spooler');
    await overwriteTables();
    expect(ids(await runbooks.search('spooler'))[0]).toBe('printer');
    expect(ids(await open().search('spooler'))[0]).toBe('printer');
  });

  test('a lock file full of noise is replaced', async () => {
    await mkdir(indexDir());
    await writeFile(join(indexDir(), 'writer.lock'), 'not a database, but long enough to look at'.repeat(50));
    expect(await open().indexAll()).toMatchObject({ documents: 4 });
  });

  async function overwriteTables() {
    for (const entry of await readdir(indexDir(), { recursive: true, withFileTypes: true })) {
      if (entry.isFile() && /\.(lance|idx|manifest|txn)$/.test(entry.name))
        await writeFile(join(entry.parentPath, entry.name), Buffer.alloc(3_000, 7));
    }
  }
});

describe('another model', () => {
  test('is indexed by itself; its vectors are never compared with the old ones, and the old index serves meanwhile', async () => {
    const tiny = join(root, 'tiny');
    await writeTinyModel(tiny, [['printer', 'spooler'], ['paper', 'toner'], ['disk']]);
    const lexical = open();
    await lexical.indexAll();

    const semantic = open(tiny);
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
    expect((await readdir(indexDir())).filter((name) => name.endsWith('.lance'))).toHaveLength(2);
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
    expect(ids(await open(tiny).search('jammed'))[0]).toBe('printer');
  });

  test('a run that dies in the middle leaves the old index serving and is cleaned up by the next', async () => {
    const tiny = join(root, 'tiny');
    await writeTinyModel(tiny, [['printer']]);
    const lexical = open();
    await lexical.indexAll();
    const semantic = open(tiny);
    const model = await semantic.embedder.open();
    const died = semantic.index.write(model, async ({ rebuilding, put }) => {
      expect(rebuilding).toContain('embedding model');
      await put([]).catch(() => {});
      // What a kill leaves behind: tables that nothing names.
      await cp(indexDir(), join(root, 'as-killed'), { recursive: true });
      throw new Error('killed');
    });
    await expect(died).rejects.toThrow('killed');
    expect(ids(await lexical.search('DiskFull'))).toContain('disk-linux');

    await lexical.index.close();
    await rm(indexDir(), { recursive: true });
    await cp(join(root, 'as-killed'), indexDir(), { recursive: true });
    expect((await readdir(indexDir())).filter((name) => name.endsWith('.lance'))).toHaveLength(4);
    const next = open(tiny);
    expect(ids(await next.search('spooler'))[0]).toBe('printer');
    await next.indexAll();
    expect((await readdir(indexDir())).filter((name) => name.endsWith('.lance'))).toHaveLength(2);
  });
});
