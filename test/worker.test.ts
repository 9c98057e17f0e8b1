/** Service and workers as separate processes over one shared queue: each run once, and nothing lost when a worker is killed. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { readConfig } from '../src/config.ts';
import { startWorker } from '../src/worker.ts';
import { type Program, runProgram } from './helpers/program.ts';
import { API_KEY, startTestService } from './helpers/service.ts';
import { createTestDatabase } from './helpers/testDatabase.ts';

let dir: string;
const programs: Program[] = [];
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dexops-worker-'));
});
afterEach(async () => {
  await Promise.all(programs.splice(0).map((program) => program.stop('SIGKILL')));
});
afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
});

function startWorkers(count: number, env: Record<string, string>): Program[] {
  const started = Array.from({ length: count }, () =>
    runProgram('src/worker.ts', [], { DATA_DIR: dir, API_KEY, LLM_PROVIDER: '', ...env }),
  );
  programs.push(...started);
  return started;
}

test('a worker without a shared queue says what is missing', async () => {
  await expect(startWorker(readConfig({ DATA_DIR: dir }))).rejects.toThrow('RUN_QUEUE_URL');
});

describe('PostgreSQL as store and queue', () => {
  test('two workers share thirty runs, each done once; a killed one leaves no run open', async () => {
    const database = await createTestDatabase();
    const env = { DATABASE_URL: database, RUN_QUEUE_URL: database, DEX_SCAN_CONCURRENCY: '4' };
    const service = await startTestService(env);
    try {
      const { body: before } = await service.call('GET', '/health');
      expect(before.checks.queue).toMatchObject({ status: 'down', detail: expect.stringContaining('npm run worker') });
      const runs: string[] = [];
      for (let i = 0; i < 30; i++) {
        await service.call('POST', '/api/v1/dex/endpoints', {
          hostname: `pc-${i}`,
          ip_address: '127.0.0.1',
          options: { port: 9 },
        });
        runs.push((await service.call('POST', `/api/v1/dex/endpoints/pc-${i}/scan`)).body.run_id);
      }
      const [first, second] = startWorkers(2, env);
      await Promise.all([first!.said(/worker is ready/), second!.said(/worker is ready/)]);
      for (const id of runs) expect((await service.finished(id)).status).toBe('completed');
      for (let i = 0; i < 30; i++) {
        const looks = await service.app.ports.store.snapshots.since([i + 1], new Date(0));
        expect(looks).toHaveLength(1);
      }
      const { body: during } = await service.call('GET', '/health');
      expect(during.checks.queue).toMatchObject({ status: 'ok', workers: 2 });
      expect((await service.app.metricsPage()).text).toMatch(/^dex_workers 2$/m);

      await first!.stop('SIGKILL');
      const { body } = await service.call('POST', '/api/v1/dex/fleet/scan');
      expect((await service.finished(body.run_id)).result).toMatchObject({ total: 30, scanned: 30 });
      await second!.stop('SIGTERM');
      expect(await second!.ended).toBe(0);
    } finally {
      await service.stop();
    }
  }, 180_000);
});
