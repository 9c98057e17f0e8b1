/** The service with its store and its log on one disk that fills up: what cannot be done is a 503, what can be done is done, and nothing ends. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { TOOLS } from '../../src/core/tools/index.ts';
import { alert, delivery } from '../helpers/deliveries.ts';
import { freePort } from '../helpers/freePort.ts';
import { runProgram } from '../helpers/program.ts';
import { API_KEY } from '../helpers/service.ts';
import { createSmallDisk } from '../helpers/smallDisk.ts';

test('store and log on one full disk: 503 and never 500, no exit, and afterwards the log says what it lacks', async ({
  skip,
}) => {
  const dir = await mkdtemp(join(tmpdir(), 'dexops-full-'));
  const disk = await createSmallDisk(dir, (line) => process.stderr.write(`${line}\n`));
  if (disk === null) return skip('a file system of its own cannot be mounted here');
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const program = runProgram(
    'src/main.ts',
    [],
    {
      API_KEY,
      HOST: '127.0.0.1',
      PORT: String(port),
      WEBHOOK_SECRET: 'the-webhook-secret',
      DATA_DIR: disk.dir,
      RUNBOOKS_DIR: join(import.meta.dirname, '../../runbooks'),
      EMBEDDING_MODEL: 'none',
      DEX_REGISTER_SELF: 'false',
      LLM_PROVIDER: '',
      LOG_LEVEL: 'INFO',
    },
    { logFile: join(disk.dir, 'service.log') },
  );
  onTestFinished(async () => {
    await program.stop('SIGKILL');
    await disk.remove();
    await rm(dir, { recursive: true, force: true });
  });
  const call = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(url + path, {
      method,
      headers: { 'X-API-Key': API_KEY, 'Content-Type': 'application/json', ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return {
      status: response.status,
      retry: response.headers.get('retry-after'),
      body: (await response.json()) as any,
    };
  };
  const alive = () => call('GET', '/health').catch(() => null);
  while ((await alive()) === null) await delay(100);
  const machine = (hostname: string) => ({ hostname, collector: 'local' });
  expect((await call('POST', '/api/v1/dex/endpoints', machine('before'))).status).toBe(201);
  const deliver = (name: string) =>
    call('POST', '/api/v1/webhooks/alertmanager', delivery(alert({ name, host: 'before' })), {
      Authorization: 'Bearer the-webhook-secret',
    });

  disk.fill();
  const statuses = new Map<string, number>();
  const note = (what: string, { status }: { status: number }) => statuses.set(`${what} ${status}`, status);
  for (let round = 0; round < 5; round++) {
    // Content that every page of the store has to grow for.
    note('register', await call('POST', '/api/v1/dex/endpoints', { ...machine(`pc-${round}`), tags: bulk(round) }));
    note('deliver', await deliver(`Full${round}`));
    note('scan', await call('POST', '/api/v1/dex/endpoints/before/scan'));
    note('fleet scan', await call('POST', '/api/v1/dex/fleet/scan'));
    note('feedback', await call('POST', '/api/v1/dex/feedback', { rating: 3, comment: 'x'.repeat(2000) }));
    note('key', await call('POST', '/api/v1/keys', { name: `key-${round}` }));
    note(
      'runbook',
      await call('POST', '/api/v1/dex/runbooks/index', {
        doc_id: `page-${round}`,
        content: `# A\n\n${'text '.repeat(5000)}`,
      }),
    );
    note('backup', await call('POST', '/api/v1/backups'));
    for (const { http } of TOOLS)
      if (http?.method === 'GET' && !http.path.includes(':')) note(http.path, await call('GET', http.path));
  }
  expect(
    [...statuses.values()].filter((status) => status >= 500 && status !== 503),
    [...statuses.keys()].join('\n'),
  ).toEqual([]);
  expect([...statuses.values()]).toContain(503);
  const refused = await call('POST', '/api/v1/dex/endpoints', { ...machine('refused'), tags: bulk(9) });
  expect([refused.status, refused.body.error?.kind]).toEqual([503, 'unavailable']);
  expect(Number(refused.retry)).toBeGreaterThan(0);
  expect((await alive())?.body.checks.log).toMatchObject({
    status: 'degraded',
    detail: expect.stringContaining('ENOSPC'),
  });
  expect(program.child.exitCode).toBe(null);

  disk.free();
  expect((await call('POST', '/api/v1/dex/endpoints', { ...machine('after'), tags: bulk(8) })).status).toBe(201);
  expect((await deliver('AfterFull')).body).toMatchObject({ created: 1 });
  const log = program.output();
  expect(log).toMatch(/"lost_lines":\d+.*ENOSPC.*log lines could not be written/);
  expect(log).not.toMatch(/unexpected error/);
  program.child.kill('SIGTERM');
  expect(await program.ended).toBe(0);
});

function bulk(seed: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`tag${i}`, `${seed}`.repeat(200)]));
}
