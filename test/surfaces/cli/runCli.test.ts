/** The `dex` command line over a database of its own: words in, answers and exit codes out. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCli } from '../../../src/surfaces/cli/runCli.ts';
import { exporterPage, type SimulatedMachine } from '../../helpers/exporterPage.ts';
import { startHttpServer } from '../../helpers/httpServer.ts';
import { runProgram } from '../../helpers/program.ts';
import { recordedTerminal } from '../../helpers/recordedTerminal.ts';

const MACHINE: SimulatedMachine = {
  cores: 2,
  cpuBusyPct: 10,
  memoryUsedPct: 40,
  diskUsedPct: 97,
  bootedAt: new Date('2026-02-01T00:00:00Z'),
};

let dir: string;
let exporter: Awaited<ReturnType<typeof startHttpServer>>;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dexops-cli-'));
  exporter = await startHttpServer((_request, response) => void response.end(exporterPage(MACHINE, new Date())));
});
afterAll(async () => {
  await exporter?.stop();
  await rm(dir, { recursive: true, force: true });
});

async function dex(...argv: string[]) {
  const env = { DATA_DIR: join(dir, 'data'), RUNBOOKS_DIR: dir, EMBEDDING_MODEL: 'none', LLM_PROVIDER: '' };
  const terminal = recordedTerminal();
  const code = await runCli(argv, env, terminal);
  return { code, out: terminal.outText, err: terminal.errText };
}

describe('a machine', { timeout: 60_000 }, () => {
  test('is registered, scanned to the end, and shown', async () => {
    const port = String(exporter.port);
    const registered = await dex('register', 'pc-1', '127.0.0.1', '--port', port);
    expect(registered).toMatchObject({
      code: 0,
      out: expect.stringMatching(/It answers .*disk 97 %[\s\S]*first score is 59/),
    });
    const scan = await dex('scan', 'pc-1');
    expect(scan).toMatchObject({ code: 0, err: expect.stringMatching(/^Scanning pc-1 \(run \w+\)/) });
    expect(scan.out).toMatch(/^pc-1: 59 of 100 \(at risk\)[\s\S]*−40 .*97/);
    expect((await dex('score', 'pc-1')).out).toMatch(/^pc-1: 59 of 100/);
    expect(await dex('scan', 'pc-1')).toMatchObject({ code: 0 });
  });

  test('that cannot be reached is a result', async () => {
    await exporter.stop();
    expect(await dex('scan', 'pc-1')).toMatchObject({ code: 7, out: expect.stringContaining('could not be reached') });
  });

  test('has a history: a line of blocks, JSON, or a picture', async () => {
    expect((await dex('history', 'pc-1')).out).toMatch(
      /^pc-1: [▁-█]+ now 59, lowest 59, highest 59 over 3 scans since /,
    );
    const { history } = JSON.parse((await dex('history', 'pc-1', '--json')).out);
    expect(history).toMatchObject([{ score: 59 }, { score: 59 }, { score: 59 }]);
    const picture = join(dir, 'history.png');
    expect(await dex('history', 'pc-1', '--png', picture)).toMatchObject({
      code: 0,
      err: `Picture written to ${picture}`,
    });
    expect((await readFile(picture)).subarray(1, 4).toString()).toBe('PNG');
  });

  test('may be scanned without waiting for the end', async () => {
    const { code, out, err } = await dex('scan', 'pc-1', '--no-wait', '--json');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(JSON.parse(out)).toMatchObject({ run_id: expect.any(String), status: 'queued' });
  });
});

describe('the exit code says what stood in the way:', { timeout: 60_000 }, () => {
  test.each<[string, string[], number, RegExp]>([
    ['a word that is none', ['scroe', 'pc-1'], 2, /no command scroe.* Did you mean score\?/],
    ['a word too few', ['score'], 2, /score needs a hostname[\s\S]*Example:/],
    ['a bad value', ['register', 'pc-2', '169.254.169.254'], 2, /link-local/],
    ['a picture without a name', ['history', 'pc-1', '--png'], 2, /--png needs/],
    ['a machine that is not there', ['score', 'nobody'], 4, /nobody is registered/],
    ['an answer without a picture', ['endpoints', '--png', 'x.png'], 4, /no picture/],
    ['a name that is taken', ['register', 'pc-1'], 5, /registered already/],
  ])('%s', async (_what, words, code, said) => {
    expect(await dex(...words)).toMatchObject({ code, out: '', err: expect.stringMatching(said) });
  });

  test('a database that does not answer, whose password stays unsaid', async () => {
    const env = { DATABASE_URL: 'postgresql://dex:s3cret@127.0.0.1:9/dex', LLM_PROVIDER: '', DATA_DIR: dir };
    const terminal = recordedTerminal();
    expect(await runCli(['fleet'], env, terminal)).toBe(6);
    expect(terminal.errText).toContain('127.0.0.1:9');
    expect(terminal.outText + terminal.errText).not.toContain('s3cret');
  });
});

test('the program reads .env where it is started, and the environment goes before it', {
  timeout: 60_000,
}, async () => {
  const env = { ...process.env, DATA_DIR: join(dir, 'data'), LLM_PROVIDER: '' } as Record<string, string>;
  const place = await mkdtemp(join(dir, 'place-'));
  await writeFile(join(place, '.env'), 'PORT=99999\nLOG_FORMAT=xml\n');
  const wrong = runProgram('src/surfaces/cli/cli.ts', ['fleet'], { ...env, LOG_FORMAT: 'json' }, { cwd: place });
  expect(await wrong.ended).toBe(2);
  expect(wrong.output()).toContain('PORT="99999"');
  expect(wrong.output()).not.toContain('LOG_FORMAT');
});

describe('what cannot be taken back, or reaches many', { timeout: 60_000 }, () => {
  test('is refused where nobody can be asked, and done with --yes', async () => {
    await dex('register', 'pc-9', '--collector', 'local');
    const refused = await dex('deregister', 'pc-9');
    expect(refused).toMatchObject({ code: 2, out: '', err: expect.stringMatching(/pc-9.*Nothing was done.*--yes/) });
    expect((await dex('endpoint', 'pc-9')).code).toBe(0);
    expect(await dex('deregister', 'pc-9', '--yes')).toMatchObject({ code: 0 });
    expect((await dex('endpoint', 'pc-9')).code).toBe(4);
    expect(await dex('survey')).toMatchObject({ code: 2, err: expect.stringContaining('--yes') });
    expect(await dex('outbox', 'resend')).toMatchObject({ code: 2, err: expect.stringContaining('--yes') });
  });

  test('is asked for at a terminal', async () => {
    await dex('register', 'pc-9', '--collector', 'local');
    const env = { DATA_DIR: join(dir, 'data'), LLM_PROVIDER: '' };
    const asked: string[] = [];
    const answering = (answer: boolean) => (question: string) => {
      asked.push(question);
      return Promise.resolve(answer);
    };
    const type = (answer: boolean) => runCli(['deregister', 'pc-9'], env, recordedTerminal(answering(answer)));
    expect(await type(false)).toBe(3);
    expect((await dex('endpoint', 'pc-9')).code).toBe(0);
    expect(await type(true)).toBe(0);
    expect(asked).toEqual(Array(2).fill('Deregister an endpoint (hostname "pc-9")?'));
  });
});

describe('an update', { timeout: 60_000 }, () => {
  test('keeps the options and tags that it does not name; null removes one', async () => {
    await dex(
      'register',
      'ssh1',
      '--collector',
      'ssh',
      '--username',
      'dex',
      '--port',
      '2222',
      '--tags',
      'team=red,floor=3',
    );
    const shown = async () => JSON.parse((await dex('endpoint', 'ssh1', '--json')).out).endpoint;
    expect((await dex('update', 'ssh1', '--timeout_ms', '5000', '--tags', 'room=12')).code).toBe(0);
    expect(await shown()).toMatchObject({
      options: { username: 'dex', port: 2222, timeout_ms: 5000 },
      tags: { team: 'red', floor: '3', room: '12' },
    });
    expect((await dex('update', 'ssh1', '--port', 'none', '--tags', 'floor=none')).code).toBe(0);
    const { options, tags } = await shown();
    expect(options).toEqual({ username: 'dex', timeout_ms: 5000 });
    expect(tags).toEqual({ team: 'red', room: '12' });
  });
});
