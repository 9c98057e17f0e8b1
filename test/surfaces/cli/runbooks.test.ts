/** Runbooks on the command line: the real program in a process of its own, and its parts in this one. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCli } from '../../../src/surfaces/cli/runCli.ts';
import { recordedTerminal } from '../../helpers/recordedTerminal.ts';

let dir: string;
let env: Record<string, string>;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dexops-cli-'));
  env = { DATA_DIR: join(dir, 'data'), RUNBOOKS_DIR: dir, EMBEDDING_MODEL: 'none', LLM_PROVIDER: '' };
  for (let page = 0; page < 70; page += 1)
    await writeFile(join(dir, `page-${page}.md`), `# Problem number ${page}\n\nTurn knob ${page}.\n`);
  await writeFile(
    join(dir, 'vpn.md'),
    '---\nalerts: [VpnDown]\n---\n# VPN does not connect\n\nTry the other gateway.\n',
  );
});
afterAll(() => rm(dir, { recursive: true, force: true }));

async function dex(...argv: string[]) {
  const terminal = recordedTerminal();
  const code = await runCli(argv, env, terminal);
  return { code, out: terminal.outText, err: terminal.errText };
}

test('`dex runbooks index` shows on stderr how far it is, and on stdout what came of it', {
  timeout: 60_000,
}, async () => {
  const child = spawn(process.execPath, [resolve('src/surfaces/cli/cli.ts'), 'runbooks', 'index'], { env, cwd: dir });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  const code = await new Promise((done) => child.once('close', done));
  expect({ code, err }).toMatchObject({ code: 0 });
  expect(err).toMatch(/0 of 71 changed pages indexed\n32 of 71.*\n64 of 71.*\n71 of 71/);
  expect(out).toMatch(/^71 runbooks: 71 indexed anew \(71 sections\)/);

  expect((await dex('runbooks', 'index')).out).toMatch(/^71 runbooks: 0 indexed anew/);
});

test('a question is typed without quotes; the answer names page, reason and excerpt', async () => {
  const { code, out } = await dex('runbook', 'vpn', 'does', 'not', 'connect');
  expect(code).toBe(0);
  expect(out).toMatch(
    /^1\. VPN does not connect \(vpn: its title is vpn does not connect\)\n {3}Try the other gateway\./,
  );
  expect(out).toContain('EMBEDDING_MODEL is none');
  expect(JSON.parse((await dex('runbook', 'VpnDown', '--k', '1', '--json')).out)).toMatchObject({
    results: [{ doc_id: 'vpn', score: 1 }],
  });
});

test('a page is added, read, voted on and listed', async () => {
  expect((await dex('runbooks', 'add', 'tea', '# Tea is cold\n\nBoil it.')).out).toBe('tea is indexed in 1 section.');
  expect((await dex('runbooks', 'show', 'tea')).out).toContain('Boil it.');
  expect((await dex('runbooks', 'rate', 'tea', 'no')).out).toBe('Thank you. tea helped in 0 % of 1 case.');
  expect((await dex('runbooks', 'rate', 'tea', 'yes')).out).toBe('Thank you. tea helped in 100 % of 1 case.');
  expect((await dex('runbooks')).out).toContain('tea: Tea is cold; helped in 100 % of 1 case');
  expect((await dex('runbook', 'Tea is cold')).out).toMatch(/helped in 100 % of 1 case\)/);
});

test.each<[string, string[], number, string]>([
  ['no question', ['runbook'], 2, 'runbook needs'],
  ['an empty one', ['runbook', ' '], 2, 'q'],
  ['100 KB', ['runbook', 'x '.repeat(51_200)], 2, 'at most'],
  ['a path as a name', ['runbooks', 'add', '../x', '# X'], 2, 'doc_id'],
  ['a page that is not there', ['runbooks', 'show', 'vpm'], 4, 'Did you mean vpn?'],
  ['a vote that is none', ['runbooks', 'rate', 'vpn', 'perhaps'], 2, 'neither yes nor no'],
  ['an endpoint that is not there', ['runbooks', 'for', 'nobody'], 4, 'nobody'],
])('%s', async (_what, argv, code, words) => {
  const answer = await dex(...argv);
  expect(answer.code).toBe(code);
  expect(answer.err).toContain(words);
});
