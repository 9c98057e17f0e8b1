/** The packed package: what `npm i -g` would put on a machine, started from there. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../helpers/freePort.ts';
import { runProgram } from '../helpers/program.ts';

const MOST_TARBALL_BYTES = 3_000_000;

let place: string;
let installed: string;
let tarballBytes: number;
beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), 'dexops-packed-'));
  execFileSync('npm', ['pack', '--silent', '--pack-destination', place], { stdio: ['ignore', 'ignore', 'inherit'] });
  const tarball = join(place, readdirSync(place).find((name) => name.endsWith('.tgz'))!);
  tarballBytes = statSync(tarball).size;
  // Below node_modules, where Node reads no TypeScript; what it depends on is this checkout's.
  installed = join(place, 'node_modules/dexops');
  mkdirSync(installed, { recursive: true });
  execFileSync('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1']);
  symlinkSync(resolve('node_modules'), join(installed, 'node_modules'));
}, 120_000);
afterAll(() => rmSync(place, { recursive: true, force: true }));

const env = (more: Record<string, string> = {}) =>
  ({ ...process.env, DATA_DIR: join(place, 'data'), EMBEDDING_MODEL: 'none', LLM_PROVIDER: '', ...more }) as Record<
    string,
    string
  >;

test('is small, and holds no source that its programs would not read', () => {
  console.log(JSON.stringify({ tarball_bytes: tarballBytes }));
  expect(tarballBytes).toBeLessThan(MOST_TARBALL_BYTES);
  const files = readdirSync(installed, { recursive: true, encoding: 'utf8' }).filter(
    (name) => !name.startsWith('node_modules'),
  );
  expect(files.filter((name) => name.endsWith('.ts'))).toEqual([]);
  expect(files.filter((name) => /(^|\/)(test|data|secrets)\//.test(name))).toEqual([]);
});

test('its dex works alone, and asks its service while that runs', { timeout: 120_000 }, async () => {
  const dex = (...words: string[]) => runProgram(join(installed, 'src/bin/dex.js'), words, env(), { cwd: place });
  const alone = dex('register', 'packed-1', '--collector', 'push');
  expect([await alone.ended, alone.output()]).toEqual([0, expect.stringContaining('packed-1')]);

  const port = await freePort();
  const service = runProgram(join(installed, 'src/bin/dexops.js'), [], env({ PORT: String(port) }), { cwd: place });
  try {
    await expect.poll(() => service.output(), { timeout: 60_000 }).toContain(`listens on http://127.0.0.1:${port}`);
    expect(((await (await fetch(`http://127.0.0.1:${port}/health`)).json()) as { status: string }).status).toBe('ok');
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toContain('DexOps');
    const asked = dex('endpoints');
    expect([await asked.ended, asked.output()]).toEqual([0, expect.stringContaining('packed-1')]);
  } finally {
    await service.stop();
  }
});

test('its dexops-mcp answers over stdio', { timeout: 60_000 }, async () => {
  const hello = {
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
  };
  const answer = execFileSync(process.execPath, [join(installed, 'src/bin/dexops-mcp.js')], {
    env: env(),
    cwd: place,
    input: `${JSON.stringify(hello)}\n`,
    encoding: 'utf8',
  });
  expect(JSON.parse(answer.split('\n')[0]!)).toMatchObject({ id: 1, result: { serverInfo: { name: 'dexops' } } });
});

test('what it depends on is listed as CycloneDX', { timeout: 60_000 }, () => {
  const list = execFileSync('npm', ['run', '-s', 'sbom'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 2 ** 26,
  });
  const { bomFormat, components } = JSON.parse(list) as {
    bomFormat: string;
    components: { name: string; purl: string; properties?: { name: string; value: string }[] }[];
  };
  const component = (name: string) => components.find((each) => each.name === name);
  expect(bomFormat).toBe('CycloneDX');
  expect(component('koa')?.purl).toMatch(/^pkg:npm\/koa@/);
  expect(component('vitest')?.properties).toContainEqual({ name: 'cdx:npm:package:development', value: 'true' });
});
