/** `dex import`: a file becomes machines, after a dry run. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCli } from '../../../src/surfaces/cli/runCli.ts';
import { recordedTerminal } from '../../helpers/recordedTerminal.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dexops-import-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

async function dex(...argv: string[]) {
  const env = { DATA_DIR: join(dir, 'data'), RUNBOOKS_DIR: dir, EMBEDDING_MODEL: 'none', LLM_PROVIDER: '' };
  const terminal = recordedTerminal();
  const code = await runCli(argv, env, terminal);
  return { code, out: terminal.outText, err: terminal.errText };
}

test('a file as a spreadsheet saves it is tried, then taken', { timeout: 30_000 }, async () => {
  const file = join(dir, 'machines.csv');
  await writeFile(file, Buffer.from('\uFEFFhostname;owner\r\npc-1;ann@example.com\r\npc 2;\r\n', 'utf16le'));
  const tried = await dex('import', file);
  expect(tried.out).toMatch(
    /^A dry run: nothing was changed\.\n1 would be registered, .* 1 refused\.\nLine 3: pc 2: hostname: must be/,
  );
  expect((await dex('endpoints')).out).toMatch(/No machine is registered yet/);
  expect((await dex('import', file, '--apply')).out).toMatch(/^1 registered, .*\nLine 3: .*\nLine 2: pc-1 registered$/);
  expect((await dex('endpoints')).out).toContain('pc-1');
  expect(await dex('import', join(dir, 'none.csv'))).toMatchObject({
    code: 4,
    err: expect.stringContaining('cannot be read'),
  });
});
