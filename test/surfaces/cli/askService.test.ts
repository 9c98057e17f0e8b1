/** Commands that the running service does: the same answers as on their own, files and questions at the place they were typed. */
import { existsSync, statSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askService } from '../../../src/surfaces/cli/askService.ts';
import { exporterPage } from '../../helpers/exporterPage.ts';
import { startHttpServer } from '../../helpers/httpServer.ts';
import { recordedTerminal } from '../../helpers/recordedTerminal.ts';
import { startTestService, type TestService } from '../../helpers/service.ts';

let service: TestService;
let exporter: Awaited<ReturnType<typeof startHttpServer>>;
let dir: string;
beforeAll(async () => {
  const full = { cores: 2, cpuBusyPct: 10, memoryUsedPct: 40, diskUsedPct: 97, bootedAt: new Date('2026-02-01') };
  exporter = await startHttpServer((_request, response) => void response.end(exporterPage(full, new Date())));
  service = await startTestService();
  dir = await mkdtemp(join(tmpdir(), 'dexops-typed-'));
});
afterAll(async () => {
  await service?.stop();
  await exporter?.stop();
  await rm(dir, { recursive: true, force: true });
});

const dataDir = () => service.app.config.DATA_DIR;

async function typed(words: string[], terminal = recordedTerminal(), env: Record<string, string> = {}) {
  const code = await askService(words, env, dataDir(), terminal);
  return { code, out: terminal.outText, err: terminal.errText };
}

describe('the running service', () => {
  test('answers, by the words of the command line', async () => {
    expect((await typed(['register', 'typed-1', '--collector', 'push'])).code).toBe(0);
    expect(await typed(['endpoint', 'typed-1'])).toMatchObject({ code: 0, out: expect.stringMatching(/^typed-1: /) });
    expect(await typed(['score', 'nobody'])).toMatchObject({ code: 4, err: expect.stringContaining('nobody') });
    expect((await service.app.invoke('list_audit', {}, ADMIN)).text).toContain('cli:tester');
  });

  test('reads and writes files where the command was typed', async () => {
    const list = join(dir, 'laptops.csv');
    await writeFile(list, 'hostname,collector\nlisted-1,push\nlisted-2,push\n');
    expect(await typed(['import', list, '--apply'])).toMatchObject({ code: 0, out: expect.stringMatching(/\b2\b/) });
    expect(await typed(['import', join(dir, 'none.csv')])).toMatchObject({
      code: 4,
      err: expect.stringMatching(/ENOENT/),
    });
    await typed(['register', 'answering', '127.0.0.1', '--port', String(exporter.port)]);
    expect(await typed(['scan', 'answering'])).toMatchObject({
      code: 0,
      out: expect.stringContaining('answering: 59'),
    });
    const picture = join(dir, 'history.png');
    expect(await typed(['history', 'answering', '--png', picture])).toMatchObject({
      code: 0,
      err: `Picture written to ${picture}`,
    });
    expect((await readFile(picture)).subarray(1, 4).toString()).toBe('PNG');
  });

  test('asks whoever sits there, and nobody where nobody does', async () => {
    await typed(['register', 'typed-2', '--collector', 'push']);
    expect(await typed(['deregister', 'typed-2'])).toMatchObject({ code: 2, err: expect.stringContaining('--yes') });
    const no = recordedTerminal(async () => false);
    expect(await typed(['deregister', 'typed-2'], no)).toMatchObject({ code: 3, err: 'Nothing was done.' });
    const yes = recordedTerminal(async () => true);
    expect(await typed(['deregister', 'typed-2'], yes)).toMatchObject({ code: 0 });
  });

  test('opens pages in the browser of whoever typed the command', async () => {
    await typed(['register', 'typed-3', '--collector', 'push']);
    const terminal = recordedTerminal();
    await typed(['endpoint', 'typed-3', '--open'], terminal);
    expect(terminal.browsed).toEqual([`${service.url}/machines/typed-3`]);
    await typed(['open'], terminal);
    expect(terminal.browsed[1]).toBe(service.url);
  });

  test('restores no backup over what it works on', async () => {
    expect(await typed(['restore', 'backup.sql.gz'])).toMatchObject({ code: 5, err: expect.stringMatching(/Stop it/) });
  });

  test('leaves the work to a caller with other settings', async () => {
    expect((await typed(['fleet'], undefined, { DEX_SCORE_ALERT_THRESHOLD: '61' })).code).toBeNull();
    expect((await typed(['fleet'], undefined, { PORT: 'many' })).code).toBeNull();
    expect((await typed(['fleet'], undefined, { LOG_LEVEL: 'DEBUG', HOME: '/nowhere' })).code).toBe(0);
  });

  test('takes commands from whoever may read its data, and from nobody else', () => {
    expect(statSync(join(dataDir(), 'dex.sock')).mode & 0o777).toBe(0o600);
  });
});

test('without a service there is nobody to ask, though one that was killed left its socket', async () => {
  expect(await askService(['fleet'], {}, dir, recordedTerminal())).toBeNull();
  const other = await startTestService();
  const place = other.app.config.DATA_DIR;
  await other.stop();
  expect(existsSync(join(place, 'dex.sock'))).toBe(false);
});

const ADMIN = { id: 'cli:reader', name: 'reader', kind: 'human', via: 'cli', role: 'admin' } as const;
