/** Fleet scans: one run, cut into shards that any process may take, and ended by whoever finishes its last shard. */
import type { Run } from '../../domain/run.ts';
import { NOT_SCANNED_FROM_HERE } from '../../domain/signals/telemetry.ts';
import { createBatcher } from '../concurrency/batcher.ts';
import { createLimiter } from '../concurrency/limiter.ts';
import type { Ports } from '../ports/ports.ts';
import type { Reclaimed, RunKindHandler, RunOutcome } from '../ports/runPorts.ts';
import type { ScanCounts, ScanShard, ScanTotals, Store } from '../ports/storePorts.ts';
import { countWorkers } from '../processes/aliveWorkers.ts';
import { watchForCancel } from '../runs/followRun.ts';
import { requeueRun, runKind } from '../runs/runKinds.ts';
import { endRun, type RunPorts, requireRun } from '../runs/runs.ts';
import { fleetStatus } from '../scores/fleetStatus.ts';
import { type Collected, collect, record, type ScanResult } from './scanning.ts';

/** The job that works on shards of one run. */
export const SCAN_SHARDS = 'scan_shards';

/** So small that a process which dies leaves little, so large that the rows cost nothing beside the looking. */
const SHARD_ENDPOINTS = 200;

/** A shard that was given up this often is not taken again: it may be what ends the processes. */
const MOST_ATTEMPTS = 3;

/** Jobs for shards, and with them shards, that one process has in hand at once: while the last endpoints of one let it wait, there are others to scan. */
export const SHARDS_AT_ONCE = 4;

/** A job takes no further shard after so long; it has ten minutes in all. */
const TAKE_SHARDS_MS = 300_000;

/** Results committed at a time: writes are cheap and memory stays small. */
const COMMIT_BATCH = 100;

const MOST_NOTES = 20;

/** What a fleet scan did, kept on its run as it goes. */
export interface FleetScanCounts {
  total: number;
  scanned: number;
  scored: number;
  unreachable: number;
  /** Endpoints that report by themselves and are never scanned from here. */
  skipped_push: number;
  /** Endpoints of shards that could not be finished. */
  missed: number;
  shards: { total: number; open: number; failed: number };
  /** How single endpoints were scanned, where that is worth saying; the first of them. */
  notes: string[];
}

type FleetScanPorts = RunPorts & Pick<Ports, 'log'>;

/** @param runId the fleet scan to work on */
export type ScanShardsJob = (runId: string, signal: AbortSignal) => Promise<void>;

/** Runs of kind fleet_scan. */
export function fleetScanRuns(ports: FleetScanPorts): RunKindHandler {
  return runKind(ports, (run) => beginFleetScan(ports, run), {
    reclaim: (run, workerIds) => reclaimFleetScan(ports, run, workerIds),
    onEnd: (store, run) => store.scanShards.drop(run.id),
  });
}

/** Cuts the fleet into shards and asks for work on them. The run then goes on without a process of its own. */
export async function beginFleetScan(ports: FleetScanPorts, run: Run): Promise<RunOutcome | null> {
  const spans = await ports.store.endpoints.spans(SHARD_ENDPOINTS);
  if (spans.length === 0) {
    return { status: 'completed', result: present(await ports.store.scanShards.totals(run.id)) };
  }
  const nothing = { scanned: 0, scored: 0, unreachable: 0, skippedPush: 0, doneIds: [], notes: [] };
  const shards = spans.map((span, i): ScanShard => {
    return { ...span, ...nothing, id: `${run.id}.${i}`, runId: run.id, status: 'queued', workerId: null, attempts: 0 };
  });
  await ports.store.scanShards.add(shards);
  await ask(ports, run.id, Math.min(shards.length, await freeHands(ports, 0)));
  return null;
}

/** How many more jobs there could be hands for; more would only wait, and seem to be work that nobody does. */
async function freeHands(ports: FleetScanPorts, shardsInHand: number): Promise<number> {
  return Math.max(0, Math.max(1, await countWorkers(ports)) * SHARDS_AT_ONCE - shardsInHand);
}

/** The shards are committed: a queue that does not answer only means that they are found later. */
async function ask({ queue, log }: FleetScanPorts, runId: string, jobs: number): Promise<void> {
  try {
    for (let i = 0; i < jobs; i++) await queue.enqueue(SCAN_SHARDS, { run_id: runId });
  } catch (error) {
    log.warn({ err: error }, 'the queue did not take the shards of a fleet scan; they are asked for again');
  }
}

/** Thrown when a shard is somebody else's by now, or its run has ended; undoes what was about to be committed. */
class ShardLost extends Error {}

/** The work on shards in this process: however many it has in hand, it scans `settings.scanConcurrency` endpoints at once. */
export function createShardScan(ports: Ports): ScanShardsJob {
  const limited = createLimiter(ports.settings.scanConcurrency);

  /** Looks at what is left of the shard, as far as the signal lets it. */
  const lookAtRest = async (shard: ScanShard, signal: AbortSignal): Promise<void> => {
    const done = new Set(shard.doneIds);
    const counts: ScanCounts & Pick<ScanShard, 'notes'> = shard;
    const note = (text: string) => {
      if (counts.notes.length < MOST_NOTES) counts.notes.push(text);
    };
    const batcher = createBatcher<Collected>(COMMIT_BATCH, async (seen) => {
      for (const { endpoint } of seen) done.add(endpoint.id);
      await record(ports, seen, async (store, results) => {
        addUp(counts, results);
        const { scanned, scored, unreachable, skippedPush, notes } = counts;
        const patch = { scanned, scored, unreachable, skippedPush, notes, doneIds: [...done] };
        // In one step with the results: whoever reclaims the shard scans no endpoint that is committed, and one who has lost it
        // commits nothing.
        if (!(await store.scanShards.keep(shard, patch))) throw new ShardLost();
      });
      await reportProgress(ports, shard.runId);
    });
    const endpoints = await ports.store.endpoints.between(shard.fromId, shard.toId);
    const paused = await ports.store.pauses.since(ports.clock.now());
    const left = endpoints.filter(
      ({ id, collector }) => !(collector in NOT_SCANNED_FROM_HERE) && !done.has(id) && !paused.has(id),
    );
    counts.skippedPush = endpoints.filter(({ collector }) => collector in NOT_SCANNED_FROM_HERE).length;
    await Promise.all(
      left.map((endpoint) =>
        limited(async () => {
          if (signal.aborted) return;
          const snapshot = await collect(ports, endpoint, { signal, note, quick: true });
          // What was broken off says nothing about the endpoint.
          if (!signal.aborted) await batcher.add({ endpoint, snapshot });
        }),
      ),
    );
    await batcher.flush();
  };

  /** One span a shard: one an endpoint would be most of what a collector of traces holds. */
  const work = (shard: ScanShard, signal: AbortSignal): Promise<void> =>
    ports.tracing.span('scan shard', { 'dexops.shard': shard.id }, async ({ add }) => {
      await lookAtRest(shard, signal);
      add({ 'dexops.endpoints.scanned': shard.scanned, 'dexops.endpoints.unreachable': shard.unreachable });
    });

  const workAndLetGo = async (shard: ScanShard, signal: AbortSignal): Promise<void> => {
    const watch = watchForCancel(ports, shard.runId);
    const over = new AbortController();
    const stopped = AbortSignal.any([signal, watch.cancelled, over.signal]);
    try {
      await work(shard, stopped);
      if (stopped.aborted) await giveBackAndAsk(ports, shard);
      else {
        const { skippedPush } = shard;
        await ports.store.scanShards.keep(shard, { status: 'completed', workerId: null, doneIds: [], skippedPush });
      }
    } catch (error) {
      if (error instanceof ShardLost) return;
      await giveBackAndAsk(ports, shard).catch((again: unknown) =>
        ports.log.warn({ err: again, shard_id: shard.id }, 'a shard could not be given back; it is reclaimed later'),
      );
      throw error;
    } finally {
      over.abort();
      watch.stop();
    }
    await endIfDone(ports, shard.runId);
  };

  // Between taking a shard and noting that it is in hand this process may take it from itself: then it is done once more, and only
  // that counts.
  return async (runId, signal) => {
    const until = ports.clock.now().getTime() + TAKE_SHARDS_MS;
    while (!signal.aborted) {
      const shard = await ports.store.scanShards.claimNext(runId, ports.worker.id);
      if (!shard) return;
      const held = `${shard.id}.${shard.attempts}`;
      ports.inProgress.add(held);
      try {
        await workAndLetGo(shard, signal);
      } finally {
        ports.inProgress.delete(held);
      }
      if (ports.clock.now().getTime() >= until) return ask(ports, runId, 1);
    }
  };
}

function addUp(counts: ScanCounts, results: readonly ScanResult[]): void {
  counts.scanned += results.length;
  counts.scored += results.filter(({ score }) => score !== null).length;
  counts.unreachable += results.filter(({ snapshot }) => !snapshot.reachable).length;
}

/** Leaves a shard that was begun to the next, or counts it as failed. */
async function giveBack(ports: FleetScanPorts, shard: ScanShard): Promise<'queued' | 'failed' | 'lost'> {
  const status = shard.attempts < MOST_ATTEMPTS ? 'queued' : 'failed';
  return (await ports.store.scanShards.keep(shard, { status, workerId: null })) ? status : 'lost';
}

async function giveBackAndAsk(ports: FleetScanPorts, shard: ScanShard): Promise<void> {
  if ((await giveBack(ports, shard)) === 'queued') await ask(ports, shard.runId, 1);
}

/**
 * Handles a fleet scan whose processes may have died: shards that nobody works on are given to the next, and a scan whose last
 * shard ended unseen is ended.
 * @param workerIds the other processes, which work on what they have taken
 */
async function reclaimFleetScan(ports: FleetScanPorts, run: Run, workerIds: readonly string[]): Promise<Reclaimed> {
  // Without shards nothing was done yet.
  if ((await ports.store.scanShards.totals(run.id)).shards === 0) return requeueRun(ports, run, run.state);
  const open = await ports.store.scanShards.open(run.id);
  const left = open.filter(({ id, status, workerId, attempts }) => {
    return status === 'running' && !workerIds.includes(workerId ?? '') && !ports.inProgress.has(`${id}.${attempts}`);
  });
  let givenBack = 0;
  for (const shard of left) if ((await giveBack(ports, shard)) === 'queued') givenBack++;
  const queued = open.filter(({ status }) => status === 'queued').length + givenBack;
  if (queued > 0) {
    // Without a job in the queue, a process with free capacity, perhaps one that just joined, does not learn of the shards.
    const asked = (await ports.queue.pendingJobs(SCAN_SHARDS)).some(({ run_id }) => run_id === run.id);
    if (!asked) await ask(ports, run.id, Math.min(queued, await freeHands(ports, open.length - queued)));
  }
  await endIfDone(ports, run.id);
  return { requeued: givenBack, interrupted: 0 };
}

/** Ends the run of a fleet scan when none of its shards is left to do; however many see that, one does it. */
async function endIfDone(ports: FleetScanPorts, runId: string): Promise<void> {
  const totals = await ports.store.scanShards.totals(runId);
  if (totals.shards === 0 || totals.openShards > 0) return;
  const result = present(totals, (await ports.store.scanShards.notes(runId)).slice(0, MOST_NOTES));
  const { missed, failedShards } = totals;
  const error =
    failedShards === 0
      ? null
      : `${failedShards} of ${totals.shards} parts were given up after ${MOST_ATTEMPTS} attempts each; ${missed} endpoints were not scanned.`;
  const status = failedShards === totals.shards ? 'failed' : 'completed';
  if (error) ports.log.error({ run_id: runId, missed }, error);
  await endRun(ports, await requireRun(ports, runId), ['running'], { status, result, error }, addFleetScore);
}

async function reportProgress({ store, runEvents }: FleetScanPorts, runId: string): Promise<void> {
  await store.runs.move(runId, ['running'], { result: present(await store.scanShards.totals(runId)) });
  runEvents.publish(runId, { type: 'changed' });
}

function present(totals: ScanTotals, notes: string[] = []): FleetScanCounts {
  const { endpoints: total, scanned, scored, unreachable, skippedPush: skipped_push, missed } = totals;
  const shards = { total: totals.shards, open: totals.openShards, failed: totals.failedShards };
  return { total, scanned, scored, unreachable, skipped_push, missed, shards, notes };
}

/** Where the fleet stands after a scan of all of it, for its history over weeks. */
async function addFleetScore(store: Store, at: Date): Promise<void> {
  const { average, scored } = await fleetStatus(store);
  if (average !== null) await store.fleetScores.add({ at, average, endpoints: scored });
}
