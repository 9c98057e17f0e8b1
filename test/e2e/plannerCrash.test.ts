/** The service killed between the steps of runs: what was done stays done and is not done again, what can go on goes on. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../helpers/freePort.ts';
import { answer, type Model, startModel } from '../helpers/model.ts';

let model: Model;
let dir: string;
let port: number;
let child: ChildProcess | null = null;
beforeAll(async () => {
  model = await startModel();
  dir = await mkdtemp(join(tmpdir(), 'dexops-crash-'));
  port = await freePort();
});
afterAll(async () => {
  await kill();
  await model.stop();
  await rm(dir, { recursive: true, force: true });
});

async function kill(how: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
  if (!child) return;
  const ended = once(child, 'exit');
  child.kill(how);
  await ended;
  child = null;
}

async function start(): Promise<void> {
  const env = {
    ...process.env,
    ...model.env,
    DATA_DIR: dir,
    PORT: String(port),
    REQUIRE_API_KEY: 'false',
    HOST: '127.0.0.1',
    DEX_REGISTER_SELF: 'false',
    LOG_LEVEL: 'CRITICAL',
  };
  child = spawn(process.execPath, [resolve('src/main.ts')], { env, cwd: dir, stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout!, 'data');
}

async function call(method: string, path: string, body?: object): Promise<any> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    headers: { 'Content-Type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  return response.json();
}

const runOf = (id: string) => call('GET', `/api/v1/runs/${id}`);
const endOf = async (id: string) => {
  await expect.poll(async () => (await runOf(id)).finished_at, { timeout: 60_000, interval: 200 }).not.toBeNull();
  return runOf(id);
};

test('kill -9 while runs are in every phase', async () => {
  await start();
  await call('POST', '/api/v1/dex/endpoints', { hostname: 'crash-01', collector: 'local' });
  const scan = { calls: [['dexops__scan_endpoint', { hostname: 'crash-01' }] as [string, object]] };

  model.says('goal-thinking', { calls: [['dexops__get_fleet', {}]] }, { text: answer('Went on.'), afterMs: 4_000 });
  model.says('goal-wrote', scan, { text: answer('Scanned once.'), afterMs: 4_000 });
  model.says(
    'goal-human',
    { calls: [['dexops__acknowledge_alert', { alert_id: 1 }]] },
    { text: answer('Was refused.') },
  );
  const begin = async (goal: string) => (await call('POST', '/api/v1/runs', { goal })).run_id;
  const [thinking, wrote, human] = [await begin('goal-thinking'), await begin('goal-wrote'), await begin('goal-human')];
  for (const goal of ['goal-thinking', 'goal-wrote'])
    await expect.poll(() => model.asked(goal).length, { timeout: 60_000 }).toBe(2);
  await expect.poll(async () => (await runOf(human)).status, { timeout: 60_000 }).toBe('waiting_approval');

  await kill();
  await start();

  expect(await endOf(thinking)).toMatchObject({ status: 'completed', result: { summary: 'Went on.' } });
  expect(await endOf(wrote)).toMatchObject({ status: 'completed', steps: [{ calls: [{ status: 'done' }] }, {}] });
  const { runs: scans } = await call('GET', '/api/v1/runs?kind=scan');
  expect(scans).toHaveLength(1);
  // One request was lost with the process; the step before it was not asked for again.
  expect(model.asked('goal-thinking')).toHaveLength(3);

  const waiting = await runOf(human);
  expect(waiting.status).toBe('waiting_approval');
  const { approval_id: approvalId } = waiting.steps[0].calls[0];
  await call('POST', `/api/v1/approvals/${approvalId}/decide`, { decision: 'deny' });
  expect(await endOf(human)).toMatchObject({ status: 'completed', result: { summary: 'Was refused.' } });
});

test('a service that is stopped in earnest leaves a run for the next one', async () => {
  if (!child) await start();
  model.says('goal-stopped', { calls: [['dexops__get_fleet', {}]] }, { text: answer('Took over.'), afterMs: 14_000 });
  const { run_id: runId } = await call('POST', '/api/v1/runs', { goal: 'goal-stopped' });
  await expect.poll(() => model.asked('goal-stopped').length, { timeout: 60_000 }).toBe(2);
  await kill('SIGTERM');
  await start();
  expect(await endOf(runId)).toMatchObject({ status: 'completed', result: { summary: 'Took over.' } });
  expect(model.asked('goal-stopped')).toHaveLength(3);
});
