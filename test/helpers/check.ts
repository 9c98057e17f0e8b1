/**
 * `npm run check`: lint, types and the whole unit suite. With `--changed` only what is at hand: the files that differ from the
 * branch's upstream, the tests beside them and those that import them, and the rules of the house.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../..');
/** They read every file, and take a second. */
const HOUSE_RULES = ['test/architecture.test.ts', 'test/surfaces/declarations.test.ts'];

function git(...args: string[]): string[] {
  return execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).split('\n').filter(Boolean);
}

/** Where the branch left what others have; the last commit when it follows no other. */
function base(): string {
  try {
    return git('merge-base', 'HEAD', '@{upstream}')[0] ?? 'HEAD';
  } catch {
    return 'HEAD';
  }
}

function changedFiles(): string[] {
  const files = [...git('diff', '--name-only', base()), ...git('ls-files', '--others', '--exclude-standard')];
  return [...new Set(files)].filter((file) => existsSync(join(ROOT, file)));
}

/** Tests that changed, that stand where a changed file's would, or that import one. */
function testsOf(changed: readonly string[]): string[] {
  const tests = git('ls-files', '--cached', '--others', '--exclude-standard', 'test').filter(
    (file) => file.endsWith('.test.ts') && !file.startsWith('test/e2e/') && existsSync(join(ROOT, file)),
  );
  const sources = changed.filter((file) => file.endsWith('.ts'));
  const beside = new Set(sources.map((file) => join('test', file.replace(/^src\//, '')).replace(/\.ts$/, '.test.ts')));
  const importsOne = (test: string) => {
    const text = readFileSync(join(ROOT, test), 'utf8');
    return sources.some((file) => text.includes(basename(file)) && text.includes(`'${importPath(test, file)}'`));
  };
  return tests.filter(
    (test) => changed.includes(test) || beside.has(test) || HOUSE_RULES.includes(test) || importsOne(test),
  );
}

function importPath(from: string, to: string): string {
  const path = relative(dirname(from), to);
  return path.startsWith('.') ? path : `./${path}`;
}

/** Ends the check at the first step that fails. */
function step(command: string, ...args: string[]): void {
  console.log(`> ${command} ${args.slice(0, 8).join(' ')}${args.length > 8 ? ` … (${args.length})` : ''}`);
  const { status } = spawnSync(join(ROOT, 'node_modules/.bin', command), args, { cwd: ROOT, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

if (process.argv.includes('--changed')) {
  const changed = changedFiles();
  if (changed.length > 0) step('biome', 'check', '--no-errors-on-unmatched', ...changed);
  step('tsc', '--noEmit');
  step('vitest', 'run', ...testsOf(changed));
} else {
  step('biome', 'check', '.');
  step('tsc', '--noEmit');
  step('vitest', 'run');
}
