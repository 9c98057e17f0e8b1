/** Retention on both databases: no sample is lost or counted twice, whatever interrupts it, and old things go in the end. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Store } from '../../../src/core/ports/storePorts.ts';
import { maintainRetention } from '../../../src/core/processes/retention.ts';
import type { Endpoint } from '../../../src/domain/fleet/endpoint.ts';
import { NOW, registration, run, score, snapshot } from '../../helpers/rows.ts';
import { openTestStore, SLOW_STORE_KINDS, type TestStore } from '../../helpers/stores.ts';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const RETENTION_DAYS = 14;
/** Long enough before the cut to be past it, on a full hour. */
const OLD = new Date('2026-02-10T09:00:00Z');
const plus = (start: Date, ms: number) => new Date(start.getTime() + ms);
const daysAgo = (days: number) => plus(NOW, -days * DAY_MS);

describe.each(SLOW_STORE_KINDS)('%s', (kind) => {
  let opened: TestStore;
  let store: Store;
  beforeAll(async () => {
    opened = await openTestStore(kind);
    store = opened.store;
  }, 120_000);
  afterAll(() => opened.close());

  const tend = (now = NOW, signal = new AbortController().signal) =>
    maintainRetention({ store, clock: { now: () => now }, settings: { retentionDays: RETENTION_DAYS } }, signal);

  const register = () => store.endpoints.register(registration(), null, OLD);

  /** Writes a snapshot and a score for each moment. */
  async function scan({ id }: Endpoint, timestamps: Date[], value: (index: number) => number = () => 50) {
    await store.snapshots.add(timestamps.map((at, i) => snapshot(id, at, value(i))));
    await store.scores.add(timestamps.map((at, i) => score(id, at, value(i))));
  }

  const quarters = (start: Date, count: number) =>
    Array.from({ length: count }, (_, i) => plus(start, i * 15 * MINUTE_MS));
  const history = async ({ id }: Endpoint) => store.scores.history(id, 10_000);
  const scansIn = (points: Awaited<ReturnType<typeof history>>) =>
    points.reduce((sum, { hourly }) => sum + (hourly?.scans ?? 1), 0);

  test('old samples become hourly means with their range; recent ones stay as they are', async () => {
    const endpoint = await register();
    await scan(endpoint, quarters(OLD, 8), (i) => 10 * (i + 1));
    await scan(endpoint, quarters(daysAgo(1), 2), () => 90);
    expect(await tend()).toMatchObject({ snapshotsRolledUp: 8, scoresRolledUp: 8, complete: true });

    const points = await history(endpoint);
    expect(points.map(({ score: value, scoredAt, hourly }) => ({ value, scoredAt, hourly }))).toEqual([
      { value: 90, scoredAt: plus(daysAgo(1), 15 * MINUTE_MS), hourly: null },
      { value: 90, scoredAt: daysAgo(1), hourly: null },
      { value: 65, scoredAt: plus(OLD, 60 * MINUTE_MS), hourly: { lowest: 50, highest: 80, scans: 4 } },
      { value: 25, scoredAt: OLD, hourly: { lowest: 10, highest: 40, scans: 4 } },
    ]);
    expect(points.at(-1)?.components).toEqual({ device: 25, network: null, app: null, remediation: 100 });

    const samples = (await store.snapshots.histories([endpoint.id], OLD)).get(endpoint.id);
    expect(samples?.map(({ cpuPct, memoryPct, diskPct }) => [cpuPct, memoryPct, diskPct])).toEqual([
      [25, 40.5, null],
      [65, 40.5, null],
      [90, 40.5, null],
      [90, 40.5, null],
    ]);
    const [rolledUp] = await store.retention.snapshots.find([{ subjectId: endpoint.id, hour: OLD }]);
    expect(rolledUp?.samples).toBe(4);
    expect(rolledUp?.aggregates).toMatchObject({
      reachablePct: { mean: 100, min: 100, max: 100, count: 4 },
      cpuPct: { mean: 25, min: 10, max: 40, count: 4 },
      dnsFailurePct: { mean: 0, count: 4 },
      servicesDown: { mean: 1, count: 4 },
      latencyMs: null,
      logErrors: null,
    });
  });

  test('history can be asked for from before a timestamp, across the border', async () => {
    const endpoint = await register();
    await scan(endpoint, [...quarters(OLD, 8), ...quarters(daysAgo(2), 4)]);
    await tend();
    const times = async (limit: number, before?: Date) =>
      (await store.scores.history(endpoint.id, limit, before)).map(({ scoredAt }) => scoredAt);
    const all = await times(100);
    expect(all).toHaveLength(6);
    expect(await times(3)).toEqual(all.slice(0, 3));
    expect(await times(3, all[2])).toEqual(all.slice(3, 6));
    expect(await times(3, all[4])).toEqual(all.slice(5));
  });

  test('the latest of an endpoint stays however old, and joins its hour when a newer one has come', async () => {
    const endpoint = await register();
    await scan(endpoint, quarters(OLD, 4), (i) => i);
    await tend();
    expect((await history(endpoint)).map(({ score: value, hourly }) => [value, hourly?.scans])).toEqual([
      [3, undefined],
      [1, 3],
    ]);
    expect((await store.scores.latest(endpoint.id))?.score).toBe(3);
    const latest = (await store.snapshots.latest([endpoint.id])).get(endpoint.id);
    expect(latest?.readings.cpuPct).toEqual({ value: 3 });

    await scan(endpoint, [daysAgo(1)], () => 100);
    await tend();
    expect((await history(endpoint)).map(({ score: value, hourly }) => [value, hourly])).toEqual([
      [100, null],
      [1.5, { lowest: 0, highest: 3, scans: 4 }],
    ]);
  });

  test('interrupted anywhere, it goes on where it was: each scan is counted once at every moment', async () => {
    const endpoints = [await register(), await register()];
    for (const endpoint of endpoints) {
      // More than one transaction moves.
      await scan(endpoint, quarters(plus(OLD, -10 * DAY_MS), 700), (i) => i % 101);
      await scan(endpoint, [daysAgo(1)]);
    }
    const counted = async () => {
      const scans = await Promise.all(endpoints.map(async (endpoint) => scansIn(await history(endpoint))));
      return scans;
    };
    for (let steps = 1; steps < 12; steps++) {
      const controller = new AbortController();
      let transactions = 0;
      const breaking: Store = {
        ...store,
        transaction: (work) => {
          if (++transactions === steps) controller.abort(new Error('killed'));
          return store.transaction(work);
        },
      };
      const needs = { store: breaking, clock: { now: () => NOW }, settings: { retentionDays: RETENTION_DAYS } };
      await maintainRetention(needs, controller.signal).catch((error: Error) => expect(error.message).toBe('killed'));
      expect(await counted()).toEqual([701, 701]);
    }
    await tend();
    expect(await counted()).toEqual([701, 701]);
    expect(await history(endpoints[0] as Endpoint)).toHaveLength(176);
    expect(await tend()).toMatchObject({ snapshotsRolledUp: 0, scoresRolledUp: 0, rollUpsForgotten: 0 });
  });

  test('two at once count nothing twice', async () => {
    const endpoint = await register();
    await scan(endpoint, quarters(OLD, 600), (i) => i % 100);
    await scan(endpoint, [daysAgo(1)]);
    await Promise.all([tend(), tend(), tend()]);
    expect(scansIn(await history(endpoint))).toBe(601);
  });

  test('a transaction that fails leaves its samples', async () => {
    const endpoint = await register();
    await scan(endpoint, [...quarters(OLD, 4), daysAgo(1)]);
    const failing: Store = {
      ...store,
      transaction: (work) =>
        store.transaction(async (inner) => {
          await work(inner);
          throw new Error('the database went away');
        }),
    };
    const needs = { store: failing, clock: { now: () => NOW }, settings: { retentionDays: RETENTION_DAYS } };
    await expect(maintainRetention(needs, new AbortController().signal)).rejects.toThrow('the database went away');
    expect(await history(endpoint)).toHaveLength(5);
    await tend();
  });

  test('the fleet keeps its history', async () => {
    const timestamps = [...quarters(OLD, 4), daysAgo(1)];
    for (const [i, at] of timestamps.entries()) await store.fleetScores.add({ at, average: 60 + i, endpoints: 10 });
    expect(await store.fleetScores.since(OLD)).toHaveLength(5);
    await tend();
    expect(await store.fleetScores.since(OLD)).toEqual([
      { at: OLD, average: 61.5, endpoints: 10, hourly: true },
      { at: daysAgo(1), average: 64, endpoints: 10, hourly: false },
    ]);
  });

  test('hourly means go after thirteen months; what is left of an endpoint that is gone goes too', async () => {
    const [staying, leaving] = [await register(), await register()];
    await scan(staying, [...quarters(OLD, 4), daysAgo(1)]);
    await scan(leaving, quarters(OLD, 4));
    await store.endpoints.deregister(leaving.id, daysAgo(1));
    await tend();
    expect((await history(leaving)).map(({ hourly }) => hourly?.scans)).toEqual([4]);

    await tend(plus(OLD, 395 * DAY_MS));
    expect(scansIn(await history(staying))).toBe(5);
    expect(await store.endpoints.byIds([leaving.id])).toHaveLength(1);

    await tend(plus(NOW, 397 * DAY_MS));
    expect(scansIn(await history(staying))).toBe(1);
    expect(await history(leaving)).toEqual([]);
    expect(await store.endpoints.byIds([leaving.id])).toEqual([]);
    expect((await store.endpoints.byIds([staying.id])).length).toBe(1);
  });

  test('finished runs go, those of scans with their samples; open ones stay', async () => {
    const runs = [
      run('scan-old', { status: 'completed', finishedAt: daysAgo(15) }),
      run('scan-new', { status: 'completed', finishedAt: daysAgo(13) }),
      run('plan-old', { kind: 'planner', status: 'failed', finishedAt: daysAgo(91) }),
      run('plan-new', { kind: 'planner', status: 'failed', finishedAt: daysAgo(15) }),
      run('waiting', { kind: 'planner', status: 'waiting_approval', createdAt: daysAgo(500) }),
    ];
    for (const each of runs) await store.runs.add(each);
    expect((await tend()).forgotten).toMatchObject({ scan_runs: 1, runs: 1 });
    const left = await Promise.all(runs.map(({ id }) => store.runs.status(id)));
    expect(left).toEqual([null, 'completed', null, 'failed', 'waiting_approval']);
  });
});
