/** `npm run fuzz -- [--seed N] [--runs N] [anything vitest takes]`: prints the seed, so that every failure can be had again. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const ROOT = join(import.meta.dirname, '../..');

const { values, tokens } = parseArgs({
  args: process.argv.slice(2),
  options: { seed: { type: 'string' }, runs: { type: 'string' } },
  strict: false,
  tokens: true,
});
const seed = whole('seed', values.seed ?? Math.floor(Math.random() * 2 ** 31));
const runs = whole('runs', values.runs ?? 300);
const ours = new Set(
  tokens.flatMap((token) =>
    token.kind === 'option' && ['seed', 'runs'].includes(token.name)
      ? [token.index, ...(token.inlineValue ? [] : [token.index + 1])]
      : [],
  ),
);
const others = process.argv.slice(2).filter((_, index) => !ours.has(index));

console.log(`Fuzzing with --seed ${seed} --runs ${runs}`);
const { status } = spawnSync(
  process.execPath,
  [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--config', 'test/fuzz/vitest.config.ts', ...others],
  { cwd: ROOT, stdio: 'inherit', env: { ...process.env, FUZZ_SEED: String(seed), FUZZ_RUNS: String(runs) } },
);
if (status !== 0) console.log(`Have it again with: npm run fuzz -- --seed ${seed} --runs ${runs}`);
process.exit(status ?? 1);

function whole(name: string, value: unknown): number {
  const number = Number(value);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new Error(`--${name} must be a whole number, not ${JSON.stringify(value)}`);
}
