/** Shards of fleet scans between processes that die, stall and fail, on both stores: every endpoint once, and the run ends. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type App, createApp } from '../../../src/app.ts';
import { readConfig } from '../../../src/config.ts';
import { jobActor } from '../../../src/core/actor.ts';
import type { Collector } from '../../../src/core/ports/ports.ts';
import { reclaimFromDeadProcesses } from '../../../src/core/processes/workers.ts';
import { addRun } from '../../../src/core/runs/runs.ts';
import { beginFleetScan, createShardScan, type ScanShardsJob } from '../../../src/core/scans/fleetScan.ts';
import { collectingLog } from '../../helpers/collectingLog.ts';
import { machines } from '../../helpers/machines.ts';
import { registration } from '../../helpers/rows.ts';
import { SLOW_STORE_KINDS } from '../../helpers/stores.ts';
import { createTestDatabase } from '../../helpers/testDatabase.ts';

const WELL = machines(new Map());
const nobodyIsGone = () => false;
const goesOn = new AbortController().signal;

/** A process of the service that works only when the test says so. */
interface Process {
  app: App;
  work: ScanShardsJob;
  /** How looks at hosts go, by default well. */
  collect: Collector['collect'];
}

describe.each(SLOW_STORE_KINDS)('%s', (kind) => {
  let dir: string;
  let databases = 0;
  let one: Process;
  let other: Process;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'dexops-shards-'));
  });
  afterAll(async () => {
    await rm(dir, { recursive: true, force: true });
  });
  beforeEach(async (context) => {
    const file = join(dir, `fleet${++databases}.db`);
    const url = kind === 'postgresql' ? await createTestDatabase() : `sqlite:///${file}`;
    [one, other] = [await start(url), await start(url)];
    context.onTestFinished(async () => {
      await one.app.close(0);
      await other.app.close(0);
    });
  }, 120_000);

  async function start(url: string): Promise<Process> {
    const config = readConfig({ DATABASE_URL: url, DATA_DIR: dir, LLM_PROVIDER: '', EMBEDDING_MODEL: 'none' });
    const collector: Collector = { collect: (target, context) => started.collect(target, context) };
    const app = await createApp(config, { collector, log: collectingLog().log, healing: null });
    const started: Process = { app, work: createShardScan(app.ports), collect: WELL.collect };
    return started;
  }

  /** A fleet scan that has begun; its run's id. */
  async function begun(endpoints: number): Promise<string> {
    const { ports } = one.app;
    for (let i = 0; i < endpoints; i++) await ports.store.endpoints.register(registration(), null, new Date());
    const run = await addRun(ports, jobActor('test'), 'fleet_scan', {});
    await ports.store.runs.claim(run.id, ports.worker.id, new Date());
    expect(await beginFleetScan(ports, run)).toBeNull();
    return run.id;
  }

  const looks = async () => {
    const rows = await one.app.ports.store.snapshots.since(
      Array.from({ length: 600 }, (_, i) => i + 1),
      new Date(0),
    );
    return { all: rows.length, endpoints: new Set(rows.map(({ endpointId }) => endpointId)).size };
  };
  /** At once; but two writers of one SQLite file inside one thread would only block each other. */
  const together = async (...works: (() => Promise<void>)[]) => {
    if (kind === 'postgresql') await Promise.all(works.map((work) => work()));
    else for (const work of works) await work();
  };
  const runOf = (id: string) => one.app.ports.store.runs.get(id);
  const untilScanned = async (id: string, scanned: number) => {
    await expect
      .poll(async () => (await one.app.ports.store.scanShards.totals(id)).scanned, { timeout: 30_000 })
      .toBe(scanned);
  };

  test('two processes share the shards, and who finishes the last ends the run', async () => {
    const id = await begun(260);
    await together(
      () => one.work(id, goesOn),
      () => other.work(id, goesOn),
    );
    expect(await runOf(id)).toMatchObject({
      status: 'completed',
      error: null,
      result: { total: 260, scanned: 260, scored: 260, missed: 0, shards: { total: 2, open: 0, failed: 0 } },
    });
    expect(await looks()).toEqual({ all: 260, endpoints: 260 });
    expect(await one.app.ports.store.fleetScores.since(new Date(0))).toMatchObject([{ endpoints: 260 }]);
    expect((await one.app.ports.store.scanShards.totals(id)).shards).toBe(0);
  }, 120_000);

  test('many hands on one shard are one', async () => {
    const id = await begun(20);
    const hands = [one, other, one, other];
    await together(...hands.map((hand) => () => hand.work(id, goesOn)));
    expect(await looks()).toEqual({ all: 20, endpoints: 20 });
  }, 120_000);

  test('a shard of a dead process is reclaimed where its commits ended; waking from the dead, that commits nothing', async () => {
    const id = await begun(150);
    const asleep = Promise.withResolvers<void>();
    let looked = 0;
    one.collect = async (target, context) => {
      if (++looked > 100) await asleep.promise;
      return WELL.collect(target, context);
    };
    const sleeper = one.work(id, goesOn);
    await untilScanned(id, 100);
    // The first never said that it lives.
    expect(await reclaimFromDeadProcesses(other.app.ports, nobodyIsGone)).toEqual({ interrupted: 0, requeued: 1 });
    await other.work(id, goesOn);
    expect(await runOf(id)).toMatchObject({ status: 'completed', result: { total: 150, scanned: 150, scored: 150 } });
    asleep.resolve();
    await sleeper;
    expect(await looks()).toEqual({ all: 150, endpoints: 150 });
  }, 120_000);

  test('a process that stops gives its shard back and keeps nothing of what it broke off', async () => {
    const id = await begun(150);
    const stopping = new AbortController();
    let looked = 0;
    one.collect = async (target, context) => {
      if (++looked > 100) await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
      return WELL.collect(target, context);
    };
    const work = one.work(id, stopping.signal);
    await untilScanned(id, 100);
    stopping.abort();
    await work;
    expect(await one.app.ports.store.scanShards.open(id)).toMatchObject([{ status: 'queued', attempts: 1 }]);
    expect(await looks()).toEqual({ all: 100, endpoints: 100 });
    await other.work(id, goesOn);
    expect(await runOf(id)).toMatchObject({ status: 'completed', result: { scanned: 150 } });
    expect(await looks()).toEqual({ all: 150, endpoints: 150 });
  }, 120_000);

  test('a shard that cannot be finished is counted, and the run ends', async () => {
    const id = await begun(260);
    one.collect = async () => {
      throw new Error('a bug');
    };
    for (let attempt = 0; attempt < 3; attempt++) await expect(one.work(id, goesOn)).rejects.toThrow('a bug');
    await other.work(id, goesOn);
    expect(await runOf(id)).toMatchObject({
      status: 'completed',
      error: expect.stringContaining('200 endpoints were not scanned'),
      result: { total: 260, scanned: 60, missed: 200, shards: { total: 2, failed: 1 } },
    });
  }, 120_000);

  test('a scan whose every shard failed has failed', async () => {
    const id = await begun(5);
    one.collect = async () => {
      throw new Error('a bug');
    };
    for (let attempt = 0; attempt < 3; attempt++) await expect(one.work(id, goesOn)).rejects.toThrow('a bug');
    await reclaimFromDeadProcesses(other.app.ports, nobodyIsGone);
    expect(await runOf(id)).toMatchObject({ status: 'failed', result: { missed: 5 } });
  }, 120_000);

  test('a scan that is cancelled stops, and a new one may begin', async () => {
    const id = await begun(10);
    one.collect = async (target, context) => {
      await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
      return WELL.collect(target, context);
    };
    const work = one.work(id, goesOn);
    await expect(begun(0)).rejects.toMatchObject({ kind: 'conflict' });
    await one.app.invoke('cancel_run', { run_id: id }, { ...jobActor('test'), role: 'admin', kind: 'human' });
    await work;
    expect(await runOf(id)).toMatchObject({ status: 'cancelled' });
    expect(await looks()).toEqual({ all: 0, endpoints: 0 });
    await begun(0);
  }, 120_000);

  test('a scan whose process died before it was cut into shards begins anew', async () => {
    const { ports } = one.app;
    const run = await addRun(ports, jobActor('test'), 'fleet_scan', {});
    await ports.store.runs.claim(run.id, 'dead', new Date());
    expect(await reclaimFromDeadProcesses(other.app.ports, nobodyIsGone)).toMatchObject({
      interrupted: 0,
      requeued: 1,
    });
    expect(await runOf(run.id)).toMatchObject({ status: 'queued' });
  }, 120_000);
});
