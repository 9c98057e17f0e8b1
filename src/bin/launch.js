/** Starts one of the programs with the Node that DexOps brings along: from its TypeScript in a checkout, from JavaScript where it is installed. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const ROOT = join(import.meta.dirname, '../..');

/** @param {string} program path below the project without its extension, as `src/main` */
export function launch(program) {
  const built = join(ROOT, 'dist', `${program}.js`);
  const source = join(ROOT, `${program}.ts`);
  // In a checkout what was packed once may be older than the source.
  const [entry, cache] = existsSync(source)
    ? [source, join(ROOT, 'src/compileCache.ts')]
    : [built, join(ROOT, 'dist/src/compileCache.js')];
  const args = ['--import', pathToFileURL(cache).href, entry, ...process.argv.slice(2)];
  const child = spawn(nodeBinary(), args, { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`DexOps cannot start Node: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)));
}

/** Older versions of Node read no TypeScript and have no SQLite; the npm package `node` is among the dependencies. */
function nodeBinary() {
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath;
  try {
    const manifest = createRequire(import.meta.url).resolve('node/package.json');
    return join(dirname(manifest), 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  } catch {
    return process.execPath;
  }
}
