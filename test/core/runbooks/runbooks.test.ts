/** Runbooks from files to an index, which follows them, survives what breaks it, and gives the pages back. */
import { mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ids, type RunbookFolder, runbookFolder } from '../../helpers/runbookFolder.ts';
import { writeTinyModel } from '../../helpers/tinyModel.ts';

let folder: RunbookFolder;
let root: string;
beforeEach(async () => {
  folder = await runbookFolder();
  ({ root } = folder);
});
afterEach(() => folder.remove());

describe('indexing', () => {
  test('everything once; an unchanged run embeds nothing; a change and a deletion touch only their pages', async () => {
    const runbooks = folder.open();
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

    await folder.ship('printer', '# Printer\n\nThe toner is empty.\n');
    await rm(join(root, 'runbooks', 'vpn.md'));
    expect(await runbooks.indexAll()).toMatchObject({ documents: 3, embedded: 1, removed: 1, chunks: 1 });
    expect(ids(await runbooks.search('toner'))[0]).toBe('printer');
    expect((await runbooks.search('spooler')).results.map(({ why }) => why).join()).not.toContain('spooler');
    expect(ids(await runbooks.search('tunnel gateway latency'))).not.toContain('vpn');
  });

  test('a page that loses all its text stays, by its title', async () => {
    const runbooks = folder.open();
    await runbooks.indexAll();
    await folder.ship('printer', '---\ntitle: Printer\n---\n');
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
    const runbooks = folder.open();
    expect(await runbooks.indexAll()).toMatchObject({ documents: 0, chunks: 0 });
    expect(await runbooks.search('disk')).toMatchObject({ results: [] });
    await folder.ship('disk', '# Disk');
    expect(await runbooks.indexAll()).toMatchObject({ embedded: 1, rebuilt: null });
    expect(ids(await runbooks.search('disk'))).toEqual(['disk']);
  });

  test('bad pages are named and keep nothing else out', async () => {
    await folder.ship('huge', Buffer.alloc(10_000_000, 'a '));
    await folder.ship('binary', Buffer.from([1, 0, 2]));
    await folder.ship('yaml', '---\n: [\n---\n# Yaml page about toner\n');
    await folder.ship('run', '漢'.repeat(300_000));
    await folder.ship('printer-too', '# Printer\n\nAnother one.\n');
    const runbooks = folder.open();
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
    const runbooks = folder.open();
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
    const runbooks = folder.open();
    await runbooks.indexOne('headset', '# Headset\n');
    expect(ids(await runbooks.search('DiskFull'))).toContain('disk-linux');
    expect(ids(await runbooks.search('Headset'))[0]).toBe('headset');
  });

  test.each([['../../etc/cron'], ['a/b'], ['..'], ['']])('doc_id %j is refused and writes nothing', async (docId) => {
    await expect(folder.open().indexOne(docId, '# X')).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining('doc_id'),
    });
    expect((await readdir(root)).sort()).toEqual(['runbooks']);
  });
  test('empty and too large content is refused', async () => {
    await expect(folder.open().indexOne('a', ' \n')).rejects.toMatchObject({ kind: 'invalid' });
    await expect(folder.open().indexOne('a', 'x'.repeat(1_000_001))).rejects.toMatchObject({ kind: 'too_large' });
  });

  test('two writers wait for each other and lose nothing; a writer that waits too long says so', async () => {
    const [one, other] = [folder.open(), folder.open()];
    await one.indexAll();
    await Promise.all([
      one.indexOne('a', '# Alpha page'),
      other.indexOne('b', '# Beta page'),
      one.indexOne('c', '# Gamma page'),
    ]);
    expect(await one.indexAll()).toMatchObject({ documents: 7, embedded: 0 });
    for (const name of ['Alpha page', 'Beta page', 'Gamma page'])
      expect((await other.search(name)).results[0]?.score).toBe(1);

    const impatient = folder.open(undefined, 0);
    const model = await impatient.embedder.open();
    await one.index.write(model, () => expect(impatient.indexAll()).rejects.toMatchObject({ kind: 'conflict' }));
  });
});

describe('following the files', () => {
  test('an index that is in line is left alone: neither it nor a model is opened', async () => {
    await folder.open().indexAll();
    // Whoever opened a table would now find it broken, and say so.
    for (const name of await readdir(folder.indexDir))
      if (name.endsWith('.lance')) await rm(join(folder.indexDir, name), { recursive: true });
    const runbooks = folder.open();
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
    const runbooks = folder.open();
    const inTables = async () =>
      new Map((await folder.open().index.snapshot())?.pages.map(({ docId, hash }) => [docId, hash]));
    await runbooks.indexAll();
    expect((await runbooks.index.contents())?.hashes).toEqual(await inTables());
    await folder.ship('printer', '# Printer\n\nThe toner is empty.\n');
    await rm(join(root, 'runbooks', 'vpn.md'));
    await runbooks.indexAll();
    expect((await folder.open().index.contents())?.hashes).toEqual(await inTables());
    await runbooks.indexOne('scanner', '# Scanner\n\nThe glass is dusty.\n');
    const { hashes } = (await folder.open().index.contents()) ?? {};
    expect(hashes).toEqual(await inTables());
    expect([...hashes!.keys()].sort()).toEqual(['disk-linux', 'disk-windows', 'printer', 'scanner']);
  });

  test('a writer that dies over its work leaves no word of what is there, and the next start looks for itself', async () => {
    const first = folder.open();
    await first.indexAll();
    const model = await first.embedder.open();
    const dies = first.index.write(model, async (writer) => {
      await writer.remove(['vpn']);
      throw new Error('killed');
    });
    await expect(dies).rejects.toThrow('killed');
    expect(await folder.open().index.contents()).toBeNull();
    expect(ids(await folder.open().search('VPN slow or down'))).not.toContain('vpn');

    const second = folder.open();
    await second.follow();
    await expect.poll(async () => (await second.index.contents())?.hashes.size, { timeout: 20_000 }).toBe(4);
    expect(ids(await second.search('VPN slow or down'))[0]).toBe('vpn');
    await second.close();
  });

  test('without an index and without pages nothing is made', async () => {
    await rm(join(root, 'runbooks'), { recursive: true });
    await mkdir(join(root, 'runbooks'));
    const runbooks = folder.open();
    await runbooks.follow();
    await runbooks.close();
    expect(runbooks.embedder.status().state).toBe('idle');
    expect(await readdir(root)).not.toContain('vectors');
  });

  test('a change that comes while everything is being indexed is not lost', async () => {
    const runbooks = folder.open();
    await runbooks.follow();
    let late = Promise.resolve();
    await runbooks.indexAll(({ done }) => {
      if (done === 0) late = folder.ship('late', '# Late page\n\nToo late?\n');
    });
    await late;
    await expect.poll(() => runbooks.status().documents, { timeout: 20_000 }).toBe(5);
    expect(ids(await runbooks.search('Late page'))[0]).toBe('late');
    await runbooks.close();
  });

  test('a search that meets an index of another model has it made anew, in the background', async () => {
    await folder.open().indexAll();
    const tiny = join(root, 'tiny');
    await writeTinyModel(tiny, [['printer', 'spooler'], ['disk']]);
    const runbooks = folder.open(tiny);
    await runbooks.follow();
    await expect.poll(() => runbooks.status().state, { timeout: 20_000 }).toBe('ready');
    expect(await runbooks.search('spooler')).toMatchObject({ mode: 'lexical' });
    await expect.poll(() => runbooks.status(), { timeout: 20_000 }).toMatchObject({ state: 'ready', mode: 'semantic' });
    expect(await runbooks.search('spooler')).toMatchObject({ mode: 'semantic', note: null });
    await runbooks.close();
  });

  test('a stop ends the indexing between two batches; the old index serves and the next start completes it', async () => {
    const runbooks = folder.open();
    await runbooks.indexAll();
    for (let page = 0; page < 100; page += 1) await folder.ship(`page-${page}`, `# Page number ${page}\n`);
    const stopped = runbooks.indexAll(({ done }) => {
      if (done > 0) void runbooks.close();
    });
    await expect(stopped).rejects.toMatchObject({ kind: 'unavailable', message: expect.stringContaining('stops') });
    const next = folder.open();
    expect(ids(await next.search('DiskFull'))).toContain('disk-linux');
    const { documents, embedded } = await next.indexAll();
    expect(documents).toBe(104);
    expect(embedded).toBeLessThan(100);
  });
});

describe('reading', () => {
  test('a page as it lies on disk, the uploaded one before the shipped one', async () => {
    const runbooks = folder.open();
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
      await folder.ship('README', '# About');
      expect(await folder.open().read(docId)).toBeNull();
    },
  );

  test('a file that is no runbook is refused with its reason', async () => {
    await folder.ship('binary', Buffer.from([1, 0, 2]));
    await expect(folder.open().read('binary')).rejects.toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('binary'),
    });
  });
});

describe('an index that cannot be used', () => {
  async function damage(how: (stateFile: string) => Promise<unknown>) {
    const runbooks = folder.open();
    await runbooks.indexAll();
    runbooks.index.close();
    await how(join(folder.indexDir, 'index.json'));
    return folder.open();
  }

  test.each<[string, (stateFile: string) => Promise<unknown>, RegExp]>([
    ['missing', () => rm(folder.indexDir, { recursive: true }), /there is no runbook index yet/],
    ['of another version', (file) => writeFile(file, JSON.stringify({ format: 99, name: 'x' })), /format 99/],
    ['half written', (file) => truncate(file, 10), /damaged/],
    [
      'without its tables',
      async (file) => {
        const { name } = JSON.parse(await readFile(file, 'utf8'));
        await rm(join(folder.indexDir, `sections_${name}.lance`), { recursive: true });
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
    expect((await readdir(folder.indexDir)).filter((name) => name.endsWith('.lance'))).toHaveLength(2);
  });

  test('noise in the data under an open index is noticed by the search that meets it', async () => {
    const runbooks = folder.open();
    await runbooks.indexAll();
    await runbooks.search('spooler');
    await overwriteTables();
    expect(ids(await runbooks.search('spooler'))[0]).toBe('printer');
    expect(ids(await folder.open().search('spooler'))[0]).toBe('printer');
  });

  test('a lock file full of noise is replaced', async () => {
    await mkdir(folder.indexDir);
    await writeFile(join(folder.indexDir, 'writer.lock'), 'not a database, but long enough to look at'.repeat(50));
    expect(await folder.open().indexAll()).toMatchObject({ documents: 4 });
  });

  async function overwriteTables() {
    for (const entry of await readdir(folder.indexDir, { recursive: true, withFileTypes: true })) {
      if (entry.isFile() && /\.(lance|idx|manifest|txn)$/.test(entry.name))
        await writeFile(join(entry.parentPath, entry.name), Buffer.alloc(3_000, 7));
    }
  }
});
