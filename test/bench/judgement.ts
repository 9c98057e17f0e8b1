/**
 * How far judgements can be trusted: does search admit that no page fits, does it understand other languages, does the eNPS
 * interval cover the truth, are injected causes and rolled-out faults found, does chance raise cohorts. Each beside what
 * stood there before it.
 * Usage: judgement [FOLDER] [--questions=FILE]. A folder may hold series (`*.csv` as `forecast` reads them), pages (`*.md`, in the
 * place of the shipped ones) and questions (`questions.tsv`: lines `question<TAB>doc_id,doc_id`; no doc_id: no page answers it).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { lexicalModel } from '../../src/adapters/embeddings.ts';
import { reloadedFile } from '../../src/adapters/reloadedFile.ts';
import { createRunbookFiles } from '../../src/adapters/runbookFiles.ts';
import { createRunbookIndex } from '../../src/adapters/vectors/runbookIndex.ts';
import type { Log } from '../../src/core/ports/ports.ts';
import type { Embedder, Runbooks } from '../../src/core/ports/runbookPorts.ts';
import { GlossaryFile } from '../../src/core/runbooks/glossaryFile.ts';
import { createRunbooks } from '../../src/core/runbooks/runbooks.ts';
import { NO_GLOSSARY } from '../../src/domain/runbooks/glossary.ts';
import { figure } from './figure.ts';
import { readSeries } from './forecast.ts';
import { machineJudgements } from './machineJudgements.ts';
import { SPOKEN } from './spokenQuestions.ts';
import { cohortJudgements, enpsJudgements, forecastJudgements } from './statisticJudgements.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const quiet: Log = { debug() {}, info() {}, warn() {}, error: console.error, child: () => quiet };
const embedder: Embedder = {
  open: async () => lexicalModel,
  status: () => ({ state: 'ready', mode: 'lexical', model: lexicalModel.id, note: null }),
};

/** The blended score from which the answer counted as sure before there was a confidence. */
const SURE_SCORE = 0.5;

interface Asked {
  question: string;
  gold: readonly string[];
}

export async function run(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { questions: { type: 'string' } },
  });
  const [folder] = positionals;
  const given = folder === undefined ? [] : readdirSync(folder);
  const ownPages = folder !== undefined && given.some((name) => name.endsWith('.md'));
  const inFolder = folder !== undefined && given.includes('questions.tsv') ? join(folder, 'questions.tsv') : undefined;
  const questions = values.questions ?? inFolder;
  const root = await mkdtemp(join(tmpdir(), 'dexops-bench-judgement-'));
  const index = createRunbookIndex({ dir: join(root, 'index'), log: quiet });
  const files = createRunbookFiles({
    root,
    shippedDir: ownPages ? resolve(folder) : join(ROOT, 'runbooks'),
    uploadedDir: join(root, 'uploaded'),
    log: quiet,
  });
  try {
    const glossary = reloadedFile(join(ROOT, 'config/runbook_glossary.yaml'), GlossaryFile, { log: quiet });
    const runbooks = createRunbooks({ files, index, embedder, glossary, log: quiet });
    const without = createRunbooks({ files, index, embedder, glossary: { current: () => NO_GLOSSARY }, log: quiet });
    await runbooks.indexAll();
    for (const [language, asked] of ownPages ? [] : Object.entries(SPOKEN)) {
      figure('judgement', `recall@5, shipped pages, ${language}`, await recall(runbooks, asked), 'share', {
        without_glossary: round(await recall(without, asked)),
        questions: asked.length,
      });
    }
    const all = questions
      ? readQuestions(questions)
      : [...Object.values(SPOKEN).flat(), ...lines(join(import.meta.dirname, 'unanswerable.txt')).map(unanswerable)];
    const answerable = all.filter(({ gold }) => gold.length > 0);
    if (questions && answerable.length > 0) {
      figure('judgement', 'recall@5, given questions', await recall(runbooks, answerable), 'share', {
        questions: answerable.length,
      });
    }
    await doubts(runbooks, all);
    const hasSeries = folder !== undefined && given.some((name) => name.endsWith('.csv'));
    forecastJudgements(hasSeries ? await readSeries(folder) : null);
    enpsJudgements();
    cohortJudgements();
    machineJudgements();
  } finally {
    index.close();
    await rm(root, { recursive: true, force: true });
  }
}

async function recall(runbooks: Runbooks, asked: readonly Asked[]): Promise<number> {
  let found = 0;
  for (const { question, gold } of asked) {
    const { results } = await runbooks.search(question, { k: 5 });
    if (results.some(({ docId }) => gold.includes(docId))) found++;
  }
  return found / asked.length;
}

async function doubts(runbooks: Runbooks, asked: readonly Asked[]): Promise<void> {
  for (const answerable of [false, true]) {
    const some = asked.filter(({ gold }) => gold.length > 0 === answerable);
    if (some.length === 0) continue;
    let [flagged, byScore] = [0, 0];
    for (const { question } of some) {
      const { confident, results } = await runbooks.search(question);
      if (!confident) flagged++;
      if ((results[0]?.score ?? 0) < SURE_SCORE) byScore++;
    }
    const which = answerable ? 'with a right page' : 'without a right page';
    figure('judgement', `flagged as doubtful, questions ${which}`, flagged / some.length, 'share', {
      by_the_blended_score: round(byScore / some.length),
      questions: some.length,
    });
  }
}

function unanswerable(question: string): Asked {
  return { question, gold: [] };
}

function readQuestions(path: string): Asked[] {
  return lines(path).map((line) => {
    const [question = '', gold = ''] = line.split('\t');
    return { question, gold: gold.split(',').filter(Boolean) };
  });
}

function lines(path: string): string[] {
  return readFileSync(path, 'utf8').trim().split('\n');
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
