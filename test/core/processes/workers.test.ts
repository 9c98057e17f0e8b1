/** Who is alive, and what happens to the runs of those who are not, on both stores. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createMetrics } from '../../../src/adapters/metrics/metrics.ts';
import type { Store } from '../../../src/core/ports/storePorts.ts';
import { BEAT_MS, SILENCE_MS } from '../../../src/core/processes/aliveWorkers.ts';
import {
  beat,
  createSleepCheck,
  leave,
  reclaimFromDeadProcesses,
  requireWorkers,
} from '../../../src/core/processes/workers.ts';
import { createRunEvents } from '../../../src/core/runs/runEvents.ts';
import { testClock } from '../../helpers/clock.ts';
import { collectingLog } from '../../helpers/collectingLog.ts';
import { run } from '../../helpers/rows.ts';
import { openTestStore, STORE_KINDS, type TestStore } from '../../helpers/stores.ts';

const clock = testClock();
const everybodyLives = () => false;

function processOf(store: Store, id: string, pid = 1, host = 'here') {
  const enqueued: string[] = [];
  const released: string[] = [];
  const places: string[] = [];
  return {
    store,
    clock,
    metrics: createMetrics(),
    runEvents: createRunEvents(),
    runKinds: {},
    log: collectingLog().log,
    inProgress: new Set<string>(),
    worker: { id, host, pid, startedAt: clock.now() },
    queue: {
      enqueue: async (_job: string, { run_id }: Record<string, unknown>) => void enqueued.push(String(run_id)),
      enqueueOnce: async () => {},
      pendingJobs: async () => places.map((run_id) => ({ run_id })),
      releaseJobsOf: async (workerIds: readonly string[]) => void released.push(...workerIds),
    },
    released,
    enqueued,
    /** Runs that wait in the queue. */
    places,
  };
}

describe.each(STORE_KINDS)('%s', (kind) => {
  let opened: TestStore;
  let store: Store;
  beforeAll(async () => {
    opened = await openTestStore(kind);
    store = opened.store;
  });
  afterAll(() => opened.close());

  const claimed = async (id: string, workerId: string) => {
    await store.runs.add(run(id, { createdAt: clock.now() }));
    await store.runs.claim(id, workerId, clock.now());
  };
  const statusOf = async (id: string) => (await store.runs.get(id))?.status;

  test('a run lives as long as its process says so, and is interrupted when that falls silent', async () => {
    const [mine, other] = [processOf(store, `${kind}-a`), processOf(store, `${kind}-b`, 2, 'there')];
    await beat(mine, true);
    await beat(other, true);
    await claimed(`${kind}-mine`, mine.worker.id);
    mine.inProgress.add(`${kind}-mine`);
    await claimed(`${kind}-other`, other.worker.id);
    expect(await reclaimFromDeadProcesses(mine, everybodyLives)).toEqual({ interrupted: 0, requeued: 0 });
    // The database's clock goes on between two questions.
    clock.advance(SILENCE_MS - 1000);
    await beat(mine, true);
    expect((await reclaimFromDeadProcesses(mine, everybodyLives)).interrupted).toBe(0);
    clock.advance(2000);
    expect((await reclaimFromDeadProcesses(mine, everybodyLives)).interrupted).toBe(1);
    expect(await statusOf(`${kind}-mine`)).toBe('running');
    expect(await statusOf(`${kind}-other`)).toBe('interrupted');
    await leave(mine);
  });

  test('of its own machine a process knows at once who died', async () => {
    const [mine, before] = [processOf(store, `${kind}-new`, 7), processOf(store, `${kind}-old`, 6)];
    await beat(mine, true);
    await beat(before, true);
    await claimed(`${kind}-left`, before.worker.id);
    await reclaimFromDeadProcesses(mine, (pid) => pid === 6);
    expect(await statusOf(`${kind}-left`)).toBe('interrupted');
  });

  test('a run whose place in the queue was lost gets a new one, however much else waits there', async () => {
    await store.runs.add(run(`${kind}-lost`, { createdAt: clock.now() }));
    await store.runs.add(run(`${kind}-waits`, { createdAt: clock.now() }));
    const mine = processOf(store, `${kind}-sweeper`);
    mine.places.push(`${kind}-waits`, 'another');
    clock.advance(59_999);
    expect(await reclaimFromDeadProcesses(mine, everybodyLives)).toMatchObject({ requeued: 0 });
    clock.advance(1);
    expect(await reclaimFromDeadProcesses(mine, everybodyLives)).toMatchObject({ requeued: 1 });
    expect(mine.enqueued).toEqual([`${kind}-lost`]);
  });

  test('processes that only take jobs are no workers', async () => {
    clock.advance(SILENCE_MS * 2);
    const door = processOf(store, `${kind}-door`);
    await beat(door, false);
    await expect(requireWorkers(door)).rejects.toThrow('npm run worker');
    const worker = processOf(store, `${kind}-w`);
    await beat(worker, true);
    expect(await requireWorkers(door)).toBe(1);
    await leave(worker);
    await expect(requireWorkers(door)).rejects.toThrow();
  });

  test.runIf(kind === 'postgresql')(
    'machines whose clocks differ judge one another by the clock of the database',
    async () => {
      const HOUR_MS = 3_600_000;
      const trueMs = Date.now();
      const withClock = (id: string, offMs: number) => {
        const act = async <T>(work: (process: ReturnType<typeof processOf>) => Promise<T>): Promise<T> => {
          vi.setSystemTime(trueMs + offMs);
          return work({ ...processOf(store, id, 1, id), clock: { ...clock, now: () => new Date() } });
        };
        return act;
      };
      vi.useFakeTimers({ toFake: ['Date'] });
      try {
        const right = withClock(`${kind}-right`, 0);
        const ahead = withClock(`${kind}-ahead`, HOUR_MS);
        const behind = withClock(`${kind}-behind`, -HOUR_MS);
        for (const act of [right, ahead, behind]) await act((process) => beat(process, true));
        for (const act of [right, ahead, behind]) {
          expect(await act(requireWorkers)).toBe(3);
          const dead = await act(async (process) => {
            await reclaimFromDeadProcesses(process, everybodyLives);
            return process.released;
          });
          expect(dead.filter((id) => id.endsWith('ahead') || id.endsWith('behind') || id.endsWith('right'))).toEqual(
            [],
          );
        }
        // One that fell silent is missed after a minute, wherever its clock was.
        for (const act of [ahead, behind]) {
          await act(({ clock, worker }) =>
            store.workers.beat({ ...worker, works: true, seenAt: new Date(clock.now().getTime() - SILENCE_MS - 5000) }),
          );
        }
        expect(await right(requireWorkers)).toBe(1);
        for (const act of [right, ahead, behind]) await act(leave);
      } finally {
        vi.useRealTimers();
      }
    },
  );

  test('how a scheduled job fared is known to all', async () => {
    const at = clock.now();
    await store.jobs.ended('nightly', at, at, 'no disk');
    clock.advance(1000);
    await store.jobs.ended('nightly', clock.now(), clock.now(), null);
    expect(await store.jobs.list()).toEqual([
      {
        job: 'nightly',
        lastStartedAt: clock.now(),
        lastSucceededAt: clock.now(),
        lastFailedAt: at,
        failures: 1,
        lastError: 'no disk',
      },
    ]);
  });
});

test('a process that was asleep, or whose clock jumped, judges nobody until the others have said that they are alive', () => {
  const clock = testClock();
  const wasAsleep = createSleepCheck(clock);
  clock.advance(BEAT_MS);
  expect(wasAsleep()).toBe(false);
  clock.advance(SILENCE_MS);
  expect(wasAsleep()).toBe(true);
  clock.advance(BEAT_MS);
  expect(wasAsleep()).toBe(false);
});
