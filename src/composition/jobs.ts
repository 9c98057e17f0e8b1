/** The jobs of the queue: each name with the use case that does its work. Scheduled tools come by the schedule instead. */
import { type DecidedHandlers, settleApproval } from '../core/approvals.ts';
import { remediationDecided } from '../core/healing/answers.ts';
import type { Invoke } from '../core/invoke.ts';
import { plannerStepDecided } from '../core/planner/plannerRuns.ts';
import type { Ports } from '../core/ports/ports.ts';
import type { JobRecordRepository } from '../core/ports/storePorts.ts';
import { advanceOwnerRemedies } from '../core/remedies/offerRemedies.ts';
import { executeRun } from '../core/runs/executeRun.ts';
import { createShardScan, SCAN_SHARDS, SHARDS_AT_ONCE } from '../core/scans/fleetScan.ts';

type Handler = (data: Record<string, unknown>, signal: AbortSignal) => Promise<unknown>;

interface QueueJob {
  work: Handler;
  /** How many of it this process works on at once. */
  concurrency: number;
}

const QUEUE_JOBS = ['execute_run', SCAN_SHARDS, 'settle_approval', 'handle_alerts', 'owner_remedies'] as const;

function queueJobs(ports: Ports, invoke: Invoke): Record<(typeof QUEUE_JOBS)[number], QueueJob> {
  const { scanConcurrency } = ports.settings;
  const scanShards = createShardScan(ports);
  const decided = decidedHandlers(ports, invoke);
  return {
    execute_run: {
      work: ({ run_id }, signal) => executeRun(ports, String(run_id), signal),
      concurrency: scanConcurrency,
    },
    scan_shards: { work: ({ run_id }, signal) => scanShards(String(run_id), signal), concurrency: SHARDS_AT_ONCE },
    settle_approval: {
      work: ({ approval_id }, signal) => settleApproval(ports, decided, String(approval_id), signal),
      concurrency: scanConcurrency,
    },
    handle_alerts: { work: async () => ports.healing?.handleNewAlerts(), concurrency: 1 },
    owner_remedies: { work: () => advanceOwnerRemedies(ports, ports.clock.now()), concurrency: 1 },
  };
}

/** What follows the answer to an approval, by what it was asked for. */
function decidedHandlers(ports: Ports, invoke: Invoke): DecidedHandlers {
  return {
    async tool(approval, signal) {
      if (approval.status !== 'approved') return;
      await invoke(approval.tool, approval.input, approval.requester, { approvalId: approval.id, signal });
    },
    remediation: (approval) => remediationDecided(ports, approval),
    planner_step: (approval, signal) => plannerStepDecided(ports, approval, signal),
  };
}

interface JobDefinitions {
  define(
    job: string,
    handler: (data: Record<string, unknown>, signal: AbortSignal) => Promise<void>,
    concurrency: number,
  ): void;
}

export function defineQueueJobs(scheduler: JobDefinitions, ports: Ports, invoke: Invoke): void {
  for (const [name, { work, concurrency }] of Object.entries(queueJobs(ports, invoke))) {
    scheduler.define(
      name,
      async (data, signal) => {
        await work(data, signal);
      },
      concurrency,
    );
  }
}

/**
 * Keeps how a scheduled job ended. Those of the queue come with every run, shard, click and delivery: a row for each would
 * only make the table hot.
 */
export async function recordJobEnd(
  jobs: JobRecordRepository,
  job: string,
  startedAt: Date,
  error: Error | null,
): Promise<void> {
  if ((QUEUE_JOBS as readonly string[]).includes(job)) return;
  await jobs.ended(job, startedAt, new Date(), error?.message ?? null);
}
