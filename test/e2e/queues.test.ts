/** Servers of the shared queue that restart under a service and a worker, and workers that are killed: work goes on where it was. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type RunningProgram, startProgram } from '../helpers/childProcess.ts';
import { exporterPage } from '../helpers/exporterPage.ts';
import { findBinary } from '../helpers/findBinary.ts';
import { freePort } from '../helpers/freePort.ts';
import { startHttpServer } from '../helpers/httpServer.ts';
import { MONGO_KIND, startMongo } from '../helpers/mongo.ts';
import { type Program, runProgram } from '../helpers/program.ts';
import { startRestartedPostgres } from '../helpers/restartedPostgres.ts';
import { API_KEY } from '../helpers/service.ts';
import { type ServiceProcess, startServiceProcess } from '../helpers/serviceProcess.ts';

/** What a test may do with a server that it started. */
interface Restartable {
  down(): Promise<void>;
  up(): Promise<void>;
}

const ENDPOINTS = 300;
const DOWN_MS = 4000;
const PAGE = exporterPage(
  { cores: 4, cpuBusyPct: 20, memoryUsedPct: 40, diskUsedPct: 50, bootedAt: new Date(Date.now() - 86_400_000) },
  new Date(),
);

let dir: string;
const cleanUp: (() => Promise<void>)[] = [];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dexops-queues-'));
});
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
  await rm(dir, { recursive: true, force: true });
});

test('PostgreSQL, as queue and as database', async () => {
  const postgres = await startRestartedPostgres();
  cleanUp.push(postgres.remove);
  const url = await postgres.createDatabase('dexops');
  await survives(postgres, { DATABASE_URL: url, RUN_QUEUE_URL: url });
}, 400_000);

test('Redis', async ({ skip }) => {
  const binary = findBinary('redis-server');
  if (!binary) return skip('redis-server is not on this machine (Debian: redis-server)');
  const port = await freePort();
  const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', dir, '--appendonly', 'yes', '--save', ''];
  const redis = await startedAnew(() => startProgram(binary, args, /Ready to accept connections/));
  await survives(redis, { RUN_QUEUE_URL: `redis://127.0.0.1:${port}` });
}, 400_000);

test(MONGO_KIND, async () => {
  const mongo = await startMongo(dir);
  cleanUp.push(mongo.down);
  await survives(mongo, { RUN_QUEUE_URL: mongo.url('dexops') });
}, 400_000);

async function startedAnew(start: () => Promise<RunningProgram>): Promise<Restartable> {
  let program = await start();
  cleanUp.push(() => program.stop());
  return {
    down: () => program.stop(),
    async up() {
      program = await start();
    },
  };
}

/** Restarts the server in the middle of a fleet scan. */
async function survives(server: Restartable, env: Record<string, string>): Promise<void> {
  const exporter = await startHttpServer((_request, response) => {
    setTimeout(() => response.end(PAGE), 200);
  });
  cleanUp.push(exporter.stop);
  const seldom = { DEX_SCAN_INTERVAL_MINUTES: '60' };
  const shared = { DATA_DIR: dir, ...seldom, LLM_PROVIDER: '', EMBEDDING_MODEL: 'none', RUNBOOKS_DIR: dir, ...env };
  const service: ServiceProcess = await startServiceProcess({ ...shared, PORT: '0', DEX_SCAN_CONCURRENCY: '8' });
  cleanUp.push(() => service.end('SIGKILL'));
  const startWorker = async (): Promise<Program> => {
    const started = runProgram('src/worker.ts', [], { ...shared, API_KEY, DEX_SCAN_CONCURRENCY: '8' });
    cleanUp.push(() => started.stop('SIGKILL'));
    await started.said(/worker is ready/);
    return started;
  };
  const worker = await startWorker();

  const call = async (method: string, path: string, body?: object) => {
    const response = await fetch(service.url + path, {
      method,
      headers: { 'X-API-Key': API_KEY, 'Content-Type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, any> };
  };
  const runOf = async (id: string) => (await call('GET', `/api/v1/runs/${id}`)).body;
  const slowly = { timeout: 180_000, interval: 200 };
  for (let i = 0; i < ENDPOINTS; i++) {
    const endpoint = { hostname: `pc-${i}`, ip_address: '127.0.0.1', options: { port: exporter.port } };
    expect((await call('POST', '/api/v1/dex/endpoints', endpoint)).status).toBe(201);
  }
  /** Returns once some endpoints have been looked at. */
  const scanFleet = async (): Promise<string> => {
    const { run_id } = (await call('POST', '/api/v1/dex/fleet/scan')).body;
    await expect.poll(async () => (await runOf(run_id)).result?.scanned ?? 0, slowly).toBeGreaterThan(0);
    return run_id;
  };
  /** Waits for the run to end, after which each endpoint has been looked at so often. */
  const lookedAt = async (run_id: string, times: number) => {
    await expect
      .poll(() => runOf(run_id), slowly)
      .toMatchObject({ status: 'completed', result: { total: ENDPOINTS, scanned: ENDPOINTS, missed: 0 } });
    for (const i of [0, 100, 299]) {
      const { body } = await call('GET', `/api/v1/dex/endpoints/pc-${i}/history`);
      expect(body.total ?? body.history.length, JSON.stringify(body).slice(0, 300)).toBe(times);
    }
  };
  const first = await scanFleet();
  await server.down();
  await new Promise((resolve) => setTimeout(resolve, DOWN_MS));
  expect((await call('GET', '/health')).body.checks.queue.status).toBe('down');
  await server.up();

  await lookedAt(first, 1);
  // New work is taken as before.
  const scan = (await call('POST', '/api/v1/dex/endpoints/pc-7/scan')).body;
  await expect.poll(() => runOf(scan.run_id), slowly).toMatchObject({ status: 'completed' });
  await expect.poll(async () => (await call('GET', '/health')).body.checks.queue.status, slowly).toBe('ok');
  expect([service.child.exitCode, worker.child.exitCode]).toEqual([null, null]);
  // Of a worker that is killed in the middle, another takes up what it had taken.
  const second = await scanFleet();
  const [taker] = await Promise.all([startWorker(), worker.stop('SIGKILL')]);
  await lookedAt(second, 2);
  expect(taker.child.exitCode).toBeNull();
}
