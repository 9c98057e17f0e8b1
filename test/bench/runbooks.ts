/** Measures runbook search on real runbooks and alert texts: does the right page come first, and how long does it take. */
import { globSync, readFileSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { lexicalModel } from '../../src/adapters/embeddings.ts';
import { reloadedFile } from '../../src/adapters/reloadedFile.ts';
import { createRunbookFiles } from '../../src/adapters/runbookFiles.ts';
import { createRunbookIndex } from '../../src/adapters/vectors/runbookIndex.ts';
import type { Log } from '../../src/core/ports/ports.ts';
import type { Embedder, IndexSnapshot, RunbookIndex, Runbooks } from '../../src/core/ports/runbookPorts.ts';
import { GlossaryFile } from '../../src/core/runbooks/glossaryFile.ts';
import { createRunbooks } from '../../src/core/runbooks/runbooks.ts';
import { sectionsOf } from '../../src/domain/runbooks/runbook.ts';
import { QUESTIONS } from './runbookQuestions.ts';

interface Query {
  text: string;
  gold: readonly string[];
}

/** The embedder counts what it embeds: "unchanged" must mean that nothing was. */
let embedded = 0;
const embedder: Embedder = {
  open: async () => ({
    ...lexicalModel,
    embed(texts) {
      embedded += texts.length;
      return lexicalModel.embed(texts);
    },
  }),
  status: () => ({ state: 'ready', mode: 'lexical', model: lexicalModel.id, note: null }),
};
const glossary = reloadedFile(join(import.meta.dirname, '../../config/runbook_glossary.yaml'), GlossaryFile, {
  log: { debug() {}, info() {}, warn() {}, error: console.error, child: () => quiet },
});
const quiet: Log = { debug() {}, info() {}, warn() {}, error: console.error, child: () => quiet };

/** Peers in the same run: the same search with one half of its evidence missing. */
const WAYS: Record<string, (snapshot: IndexSnapshot) => IndexSnapshot> = {
  'full text': (snapshot) => ({ ...snapshot, byVector: async () => [] }),
  vectors: (snapshot) => ({ ...snapshot, byText: async () => [] }),
  hybrid: (snapshot) => snapshot,
};

/** `args[0]`: the folder with docs.jsonl and queries.jsonl (default ../shared/data/runbooks). */
export async function run(args: string[]): Promise<void> {
  const data = resolve(args[0] ?? '../shared/data/runbooks');
  const docs: { id: string; body: string }[] = readLines(join(data, 'docs.jsonl'));
  const alerts: { text: string; text_named: string; gold: string[] }[] = readLines(join(data, 'queries.jsonl'));
  const unnamed = alerts.map(({ text, gold }) => ({ text, gold }));
  const sets: Record<string, Query[]> = {
    'with the name': alerts.map(({ text_named, gold }) => ({ text: text_named, gold })),
    'without the name': unnamed,
    'without the name, even half': unnamed.filter((_, index) => index % 2 === 0),
    'without the name, odd half': unnamed.filter((_, index) => index % 2 === 1),
    questions: QUESTIONS.map(({ question, gold }) => ({ text: question, gold })),
  };

  const root = await mkdtemp(join(tmpdir(), 'dexops-bench-runbooks-'));
  const shippedDir = join(root, 'runbooks');
  const index = createRunbookIndex({ dir: join(root, 'index'), log: quiet });
  const files = createRunbookFiles({ root, shippedDir, uploadedDir: join(root, 'uploaded'), log: quiet });
  const parts = { files, embedder, glossary, log: quiet };
  const runbooks = createRunbooks({ ...parts, index });
  try {
    await mkdir(shippedDir);
    for (const { id, body } of docs) await writeFile(join(shippedDir, `${id}.md`), body);
    await measureIndexing(runbooks, shippedDir, docs[0]?.id ?? '');
    await measureQuality(sets, parts, index, await size(index));
    await measureLatency(unnamed, runbooks, await size(index));

    await addUnrelatedPages(shippedDir, await size(index), 11_000);
    await measureIndexing(runbooks, shippedDir, docs[0]?.id ?? '');
    await measureQuality(sets, parts, index, await size(index));
    await measureLatency(unnamed, runbooks, await size(index));
  } finally {
    index.close();
    await rm(root, { recursive: true, force: true });
  }
}

async function measureIndexing(runbooks: Runbooks, dir: string, docId: string): Promise<void> {
  embedded = 0;
  const [first, firstMs] = await timed(() => runbooks.indexAll());
  const at = `${first.documents} pages`;
  print(`index, ${at}`, Math.round(embedded / (firstMs / 1000)), 'vectors/s');
  const changesMs: number[] = [];
  for (let round = 0; round < 9; round += 1) {
    await appendFile(join(dir, `${docId}.md`), `\nLooked at again, round ${round}.\n`);
    changesMs.push((await timed(() => runbooks.indexAll()))[1]);
  }
  print(`one changed file, ${at}, p50`, percentile(changesMs, 0.5), 'ms');
  print(`one changed file, ${at}, slowest of 9`, percentile(changesMs, 1), 'ms');
  embedded = 0;
  const [, unchangedMs] = await timed(() => runbooks.indexAll());
  print(`unchanged re-index, ${at}`, unchangedMs, 'ms');
  print(`unchanged re-index, ${at}, embedded`, embedded, 'vectors');
}

async function measureQuality(
  sets: Record<string, Query[]>,
  parts: Omit<Parameters<typeof createRunbooks>[0], 'index'>,
  index: RunbookIndex,
  rows: number,
): Promise<void> {
  for (const [way, narrow] of Object.entries(WAYS)) {
    const narrowed: RunbookIndex = {
      contents: index.contents,
      write: index.write,
      async snapshot() {
        const snapshot = await index.snapshot();
        return snapshot && narrow(snapshot);
      },
    };
    const runbooks = createRunbooks({ ...parts, index: narrowed });
    for (const [name, queries] of Object.entries(sets)) {
      let [first, five, reciprocal] = [0, 0, 0];
      for (const { text, gold } of queries) {
        const { results } = await runbooks.search(text, { k: 10 });
        const place = results.findIndex(({ docId }) => gold.includes(docId)) + 1;
        if (place === 1) first += 1;
        if (place >= 1 && place <= 5) five += 1;
        if (place >= 1) reciprocal += 1 / place;
      }
      const at = `${way}, ${name}, ${rows} rows`;
      print(`recall@1, ${at}`, first / queries.length, 'share');
      print(`recall@5, ${at}`, five / queries.length, 'share');
      print(`MRR@10, ${at}`, reciprocal / queries.length, 'share');
    }
  }
}

async function measureLatency(queries: Query[], runbooks: Runbooks, rows: number): Promise<void> {
  const tookMs: number[] = [];
  const before = process.cpuUsage();
  for (let round = 0; round < 3; round += 1) {
    for (const { text } of queries) tookMs.push((await timed(() => runbooks.search(text)))[1]);
  }
  const { user, system } = process.cpuUsage(before);
  // What a busy machine does not distort.
  print(`search, processor time of all threads, mean, ${rows} rows`, (user + system) / 1000 / tookMs.length, 'ms');
  print(`load average of the machine meanwhile, ${rows} rows`, loadavg()[0] ?? Number.NaN, 'processes');
  print(`search p50, ${rows} rows`, percentile(tookMs, 0.5), 'ms');
  print(`search p95, ${rows} rows`, percentile(tookMs, 0.95), 'ms');
}

/** Pages about other things, until about `rows` rows are there: the documentation of the installed packages, real prose that any checkout has. */
async function addUnrelatedPages(dir: string, already: number, rows: number): Promise<void> {
  const found = globSync('node_modules/**/*.md', { exclude: (name) => name === '.bin' }).sort();
  let missing = rows - already;
  for (const [number, path] of found.entries()) {
    const text = readFileSync(path, 'utf8').slice(0, 60_000);
    if (text.includes('\0') || text.trim() === '') continue;
    await writeFile(join(dir, `unrelated-${number}.md`), text);
    missing -= 1 + sectionsOf('', text).length;
    if (missing <= 0) return;
  }
}

async function size(index: RunbookIndex): Promise<number> {
  const snapshot = await index.snapshot();
  if (!snapshot) throw new Error('the index is not there');
  const sections = await snapshot.byVector('section', new Float32Array(lexicalModel.dimensions), {
    limit: 100_000,
    platform: null,
  });
  return snapshot.pages.length + sections.length;
}

function readLines<T>(path: string): T[] {
  return readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line): T => JSON.parse(line));
}

async function timed<T>(work: () => Promise<T>): Promise<[T, number]> {
  const start = performance.now();
  const result = await work();
  return [result, performance.now() - start];
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

function print(figure: string, value: number, unit: string): void {
  console.log(JSON.stringify({ bench: 'runbooks', figure, value: Math.round(value * 1000) / 1000, unit }));
}

if (import.meta.main) await run(process.argv.slice(2));
