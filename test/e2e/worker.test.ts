/** Service and workers as separate processes over one shared queue: each run once, and nothing lost when a worker is killed. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { startWorker } from '../../src/worker.ts';
import { exporterPage } from '../helpers/exporterPage.ts';
import { startHttpServer } from '../helpers/httpServer.ts';
import { MONGO_KIND, type MongoServer, startMongo } from '../helpers/mongo.ts';
import { type Program, runProgram } from '../helpers/program.ts';
import { registration } from '../helpers/rows.ts';
import { API_KEY, startTestService } from '../helpers/service.ts';
import { createTestDatabase } from '../helpers/testDatabase.ts';

/** Six shards, of which one process takes four at once. */
const ENDPOINTS = 1100;
/** The schedule's own scan of the fleet is due as seldom as it may be. */
const SELDOM = { DEX_SCAN_INTERVAL_MINUTES: '60' };
const SLOWLY = { timeout: 200_000, interval: 50 };
const PAGE = exporterPage(
  { cores: 4, cpuBusyPct: 20, memoryUsedPct: 40, diskUsedPct: 50, bootedAt: new Date(Date.now() - 86_400_000) },
  new Date(),
);

let dir: string;
let mongo: MongoServer;
const programs: Program[] = [];
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dexops-worker-'));
  mongo = await startMongo(dir);
});
afterEach(async () => {
  await Promise.all(programs.splice(0).map((program) => program.stop('SIGKILL')));
});
afterAll(async () => {
  await mongo.down();
  await rm(dir, { recursive: true, force: true });
});

function startWorkers(count: number, env: Record<string, string>): Program[] {
  const started = Array.from({ length: count }, () =>
    runProgram('src/worker.ts', [], { DATA_DIR: dir, API_KEY, LLM_PROVIDER: '', EMBEDDING_MODEL: 'none', ...env }),
  );
  programs.push(...started);
  return started;
}

test('a worker without a shared queue says what is missing', async () => {
  await expect(startWorker(readConfig({ DATA_DIR: dir }))).rejects.toThrow('RUN_QUEUE_URL');
});

describe('PostgreSQL as store', () => {
  test.each([
    ['PostgreSQL', (database: string) => database],
    [MONGO_KIND, () => mongo.url('dexops')],
  ])(
    'queue in %s: two workers share thirty runs, each done once; a killed one leaves no run open',
    async (_kind, queue) => {
      const database = await createTestDatabase();
      const env = { DATABASE_URL: database, RUN_QUEUE_URL: queue(database), DEX_SCAN_CONCURRENCY: '4', ...SELDOM };
      const service = await startTestService(env);
      try {
        const { body: before } = await service.call('GET', '/health');
        expect(before.checks.queue).toMatchObject({
          status: 'down',
          detail: expect.stringContaining('npm run worker'),
        });
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
    },
    180_000,
  );

  test('a worker killed in the middle of a fleet scan: its shards are taken up, every endpoint is looked at once, the run ends', async () => {
    const exporter = await startHttpServer(async (_request, response) => {
      await new Promise((resolve) => setTimeout(resolve, 200));
      response.end(PAGE);
    });
    const database = await createTestDatabase();
    const env = { DATABASE_URL: database, RUN_QUEUE_URL: database, DEX_SCAN_CONCURRENCY: '8', ...SELDOM };
    const service = await startTestService(env);
    const { store } = service.app.ports;
    try {
      const { port } = exporter;
      for (let i = 0; i < ENDPOINTS; i++) {
        const place = { ipAddress: '127.0.0.1', collector: 'node_exporter' as const, options: { port } };
        await store.endpoints.register(registration(place), null, new Date());
      }
      const workers = startWorkers(2, env);
      await Promise.all(workers.map((worker) => worker.said(/worker is ready/)));
      const { body } = await service.call('POST', '/api/v1/dex/fleet/scan');
      const again = await service.call('POST', '/api/v1/dex/fleet/scan');
      expect(again.body).toMatchObject({ run_id: body.run_id, already_running: true });

      // Both have begun, and one of them has results committed of a shard that it has not finished.
      let victim: string | null = null;
      await expect
        .poll(async () => {
          const begun = (await store.scanShards.open(body.run_id)).filter(({ status }) => status === 'running');
          victim = begun.find(({ scanned }) => scanned > 0)?.workerId ?? null;
          return victim !== null && new Set(begun.map(({ workerId }) => workerId)).size === 2;
        }, SLOWLY)
        .toBe(true);
      const dead = (await store.workers.seenSince(new Date(0))).find(({ id }) => id === victim);
      process.kill(dead!.pid, 'SIGKILL');

      await expect
        .poll(async () => (await service.call('GET', `/api/v1/runs/${body.run_id}`)).body, SLOWLY)
        .toMatchObject({
          status: 'completed',
          error: null,
          result: { total: ENDPOINTS, scanned: ENDPOINTS, scored: ENDPOINTS, unreachable: 0, missed: 0 },
        });
      const looks = await store.snapshots.since(
        Array.from({ length: ENDPOINTS }, (_, i) => i + 1),
        new Date(0),
      );
      expect(new Set(looks.map(({ endpointId }) => endpointId)).size).toBe(ENDPOINTS);
      expect(looks).toHaveLength(ENDPOINTS);
      expect(await store.fleetScores.since(new Date(0))).toHaveLength(1);
    } finally {
      await service.stop();
      await exporter.stop();
    }
  }, 300_000);
});
