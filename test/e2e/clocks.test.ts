/** Clocks that are set while programs run, an hour and a day back and forward: work goes on, and who has a wrong clock is named. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findFaketime, setClock } from '../helpers/faketime.ts';
import { type Program, runProgram } from '../helpers/program.ts';
import { API_KEY, startTestService } from '../helpers/service.ts';
import { startServiceProcess } from '../helpers/serviceProcess.ts';
import { createTestDatabase } from '../helpers/testDatabase.ts';

const LIBRARY = await findFaketime();
const QUOTE =
  'Waiting uses a monotonic clock and is capped below 2^31 ms (a clock set back by an hour silenced the agent)';
const HOUR_S = 3600;
const DAY_S = 86_400;
const STEPS = [-HOUR_S, HOUR_S, -DAY_S, DAY_S];
const wait = { timeout: 60_000, interval: 200 };

let dir: string;
const cleanUp: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dexops-clocks-'));
});
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
  await rm(dir, { recursive: true, force: true });
});

describe.skipIf(!LIBRARY)('under faketime (Debian: faketime)', () => {
  test(`${QUOTE}; refused clocks are noted at the endpoint`, async () => {
    const service = await startTestService({ DATA_DIR: dir });
    cleanUp.push(service.stop);
    const { body } = await service.call('POST', '/api/v1/dex/endpoints', { hostname: 'laptop-7', collector: 'push' });
    const clock = await setClock(LIBRARY ?? '', join(dir, 'clock'));
    const agent: Program = runProgram('src/agent.ts', ['--server', service.url, '--interval', '10'], {
      DEX_AGENT_TOKEN: body.agent_token,
      ...clock.env,
    });
    cleanUp.push(() => agent.stop('SIGKILL'));
    const recorded = async () => (await service.app.ports.store.snapshots.since([1], new Date(0))).length;
    await expect.poll(recorded, wait).toBe(1);
    for (const [step, text] of [
      [-HOUR_S, '1 hour behind'],
      [HOUR_S, '1 hour ahead'],
      [-DAY_S, '1 day behind'],
      [DAY_S, '1 day ahead'],
    ] as const) {
      const before = await recorded();
      await clock.set(step);
      await expect.poll(recorded, wait).toBeGreaterThan(before + 1);
      const [newest] = (await service.app.ports.store.snapshots.since([1], new Date(0))).slice(-1);
      expect(Math.abs(Date.now() - (newest?.collectedAt.getTime() ?? 0)), 'kept with the right time').toBeLessThan(
        60_000,
      );
      const { checks } = (await service.call('GET', '/health')).body;
      expect(checks.reporters).toMatchObject({ status: 'degraded', wrong_clocks: 1, shared_tokens: 0 });
      expect(checks.reporters.detail).toContain(`laptop-7 (${text.replace('1 day', '24 hours')})`);
      const { endpoint } = (await service.call('GET', '/api/v1/dex/endpoints/laptop-7')).body;
      expect(endpoint.warnings.join()).toContain('Set the clock');
    }
    await clock.set(0);
    await expect.poll(async () => (await service.call('GET', '/health')).body.checks.reporters.status, wait).toBe('ok');
    // It reported as often as it was told to, not in a busy loop.
    expect(await recorded()).toBeLessThan(40);
  }, 400_000);

  test('an hour and a day back and forward for service and worker: schedules and runs go on', async () => {
    const url = await createTestDatabase();
    const clock = await setClock(LIBRARY ?? '', join(dir, 'clock'));
    const env = { DATABASE_URL: url, RUN_QUEUE_URL: url, DATA_DIR: dir, DEX_SCAN_INTERVAL_MINUTES: '60', ...clock.env };
    const service = await startServiceProcess({ ...env, PORT: '0' });
    cleanUp.push(() => service.end('SIGKILL'));
    const worker = runProgram('src/worker.ts', [], { ...env, API_KEY, LLM_PROVIDER: '', EMBEDDING_MODEL: 'none' });
    cleanUp.push(() => worker.stop('SIGKILL'));
    await worker.said(/worker is ready/);
    const client = new Client({ connectionString: url });
    await client.connect();
    cleanUp.push(() => client.end());
    const call = async (method: string, path: string, body?: object) => {
      const response = await fetch(service.url + path, {
        method,
        headers: { 'X-API-Key': API_KEY, 'Content-Type': 'application/json' },
        ...(body && { body: JSON.stringify(body) }),
      });
      return (await response.json()) as Record<string, any>;
    };
    await call('POST', '/api/v1/dex/endpoints', { hostname: 'pc-1', ip_address: '127.0.0.1', options: { port: 9 } });
    const nextScanInS = async (offsetS: number) => {
      const { rows } = await client.query<{ at: Date }>(
        "select next_run_at as at from agenda_jobs where type = 'single' and name like '%scan%'",
      );
      return (rows[0]!.at.getTime() - (Date.now() + offsetS * 1000)) / 1000;
    };
    for (const step of STEPS) {
      await clock.set(step);
      // The next scan by schedule is within its interval by the clock that holds now.
      await expect.poll(() => nextScanInS(step), wait).toBeLessThanOrEqual(3602);
      const { run_id } = await call('POST', '/api/v1/dex/endpoints/pc-1/scan');
      await expect.poll(async () => (await call('GET', `/api/v1/runs/${run_id}`)).status, wait).toBe('completed');
      const { checks } = await call('GET', '/health');
      expect(checks, JSON.stringify(checks.queue)).toMatchObject({ database: { status: 'ok' } });
      expect([service.child.exitCode, worker.child.exitCode]).toEqual([null, null]);
    }
    expect(worker.output()).toMatch(/was set back/);
    await clock.set(0);
  }, 400_000);
});
