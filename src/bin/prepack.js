/** Makes dist/ before `npm pack`: JavaScript of all TypeScript, because Node reads no TypeScript below node_modules, and what the code reads beside it. */
import { execFileSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');
const DIST = join(ROOT, 'dist');

rmSync(DIST, { recursive: true, force: true });
const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
execFileSync(process.execPath, [compiler, '-p', join(ROOT, 'src/tsconfig.pack.json')], { stdio: 'inherit' });
for (const beside of ['src/surfaces/page/browser']) cpSync(join(ROOT, beside), join(DIST, beside), { recursive: true });
