/** Indexing that is killed at any moment: what was served before is served after, and the next run completes the work. */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createEmbedder } from '../../src/adapters/embeddings.ts';
import { createRunbookFiles } from '../../src/adapters/runbookFiles.ts';
import { createRunbookIndex } from '../../src/adapters/vectors/runbookIndex.ts';
import { createRunbooks } from '../../src/core/runbooks/runbooks.ts';
import { NO_GLOSSARY } from '../../src/domain/runbooks/glossary.ts';
import { collectingLog } from '../helpers/collectingLog.ts';

const PAGES = 300;
const INDEXER = `
  const [root] = process.argv.slice(1);
  const src = ${JSON.stringify(resolve('src'))};
  const { createRunbookFiles } = await import(src + '/adapters/runbookFiles.ts');
  const { createRunbookIndex } = await import(src + '/adapters/vectors/runbookIndex.ts');
  const { createEmbedder } = await import(src + '/adapters/embeddings.ts');
  const { createRunbooks } = await import(src + '/core/runbooks/runbooks.ts');
  const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };
  const files = createRunbookFiles({ root, shippedDir: root + '/runbooks', uploadedDir: root + '/uploaded', log });
  const index = createRunbookIndex({ dir: root + '/vectors', log });
  const embedder = createEmbedder({ model: '/no/such/model', cacheDir: root, log });
  const glossary = { current: () => ({ concepts: [], ignored: new Set() }) };
  await createRunbooks({ files, index, embedder, glossary, log }).indexAll(({ done }) => console.log(done));
`;

test('killed at ten moments, the index never breaks and always catches up', { timeout: 180_000 }, async () => {
  const root = await mkdtemp(join(tmpdir(), 'dexops-runbook-crash-'));
  const { log, lines } = collectingLog();
  const files = createRunbookFiles({
    root,
    shippedDir: join(root, 'runbooks'),
    uploadedDir: join(root, 'uploaded'),
    log,
  });
  const index = createRunbookIndex({ dir: join(root, 'vectors'), log });
  const embedder = createEmbedder({ model: '/no/such/model', cacheDir: root, log });
  const runbooks = createRunbooks({ files, index, embedder, glossary: { current: () => NO_GLOSSARY }, log });
  const writeAll = async (round: number) => {
    for (let page = 0; page < PAGES; page += 1) {
      await writeFile(
        join(root, 'runbooks', `page-${page}.md`),
        `# Page${page}Alert\n\n## Fix\n\nround${round} of page ${page}\n\n## Verify\n\nLook at it.\n`,
      );
    }
  };
  try {
    await mkdir(join(root, 'runbooks'));
    await writeAll(0);
    await runbooks.indexAll();
    let killed = 0;
    for (let round = 1; round <= 10; round += 1) {
      await writeAll(round);
      const child = spawn(process.execPath, ['--input-type=module', '-e', INDEXER, root], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const ended = new Promise<void>((done) => child.once('exit', () => done()));
      await Promise.race([new Promise((done) => child.stdout.once('data', done)), ended]);
      await sleep(round * 40);
      if (child.kill('SIGKILL')) killed += 1;
      await ended;

      const held = await index.contents();
      const pages = (await index.snapshot())?.pages ?? [];
      // Null says nothing, which is true of every index.
      if (held) expect(held.hashes).toEqual(new Map(pages.map(({ docId, hash }) => [docId, hash])));
      const { results } = await runbooks.search('Page7Alert');
      expect(results[0]).toMatchObject({ docId: 'page-7', score: 1 });
      expect(results[0]?.excerpt).toMatch(new RegExp(`round(${round}|${round - 1}) `));
      expect(await runbooks.indexAll()).toMatchObject({ documents: PAGES, rebuilt: null });
      expect((await runbooks.search('Page299Alert')).results[0]?.excerpt).toContain(`round${round} `);
    }
    expect(killed).toBeGreaterThan(0);
    expect((await index.contents())?.hashes.size).toBe(PAGES);
    expect(lines.filter((line) => line.includes('made anew'))).toEqual([]);
    expect((await readdir(join(root, 'vectors'))).filter((name) => name.endsWith('.lance'))).toHaveLength(2);
  } finally {
    index.close();
    await rm(root, { recursive: true, force: true });
  }
});
