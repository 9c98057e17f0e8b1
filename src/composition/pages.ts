/** What a process reports about itself: its health, and its metrics. */
import { llmProbe } from '../adapters/llm/probe.ts';
import type { MetricsRegistry } from '../adapters/metrics/metrics.ts';
import { diskProbe } from '../adapters/probes.ts';
import type { Scheduler } from '../adapters/scheduler/scheduler.ts';
import type { Config } from '../config.ts';
import type { PlannerParts } from '../core/planner/plannerRuns.ts';
import type { Ports } from '../core/ports/ports.ts';
import type { JobRecord } from '../core/ports/storePorts.ts';
import { checkHealth, type Health, type Probe } from '../core/processes/health.ts';
import { requireWorkers } from '../core/processes/workers.ts';
import { runbooksProbe } from '../core/runbooks/runbooks.ts';
import { fleetStatus } from '../core/scores/fleetStatus.ts';

/** @param probes of parts that not every process has */
export function healthPage(
  ports: Ports,
  config: Config,
  scheduler: Scheduler,
  planner: PlannerParts & { serversProbe: Probe },
  probes: Record<string, Probe>,
): () => Promise<Health> {
  const queue: Probe = async () => ({
    ...(await scheduler.probe()),
    workers: config.RUN_QUEUE_URL ? await requireWorkers(ports) : 1,
    jobs: Object.fromEntries((await ports.store.jobs.list()).map(({ job, ...record }) => [job, presentJob(record)])),
  });
  const service = {
    startedAt: ports.worker.startedAt,
    version: config.version,
    probes: {
      queue,
      deliveries: async () => ({ ...ports.alertIntake.truncation() }),
      reporters: async () => ports.reporters.report(),
      disk: diskProbe(config.DATA_DIR),
      llm: llmProbe(planner.model, ports.clock),
      vectors: runbooksProbe(ports.runbooks),
      mcp_servers: planner.serversProbe,
      ...probes,
    },
  };
  return async () => {
    const health = await checkHealth(ports, service);
    return ports.privacy?.leaving(health) ?? health;
  };
}

function presentJob({ lastStartedAt, lastSucceededAt, lastFailedAt, failures, lastError }: Omit<JobRecord, 'job'>) {
  return {
    last_started_at: lastStartedAt,
    last_succeeded_at: lastSucceededAt,
    last_failed_at: lastFailedAt,
    failures,
    last_error: lastError,
  };
}

/** The page for Prometheus; it is answered even when what it reports on is down. */
export function metricsPage(
  ports: Ports,
  metrics: MetricsRegistry,
  scheduler: Scheduler,
  lostLines: () => { total: number },
): () => Promise<{ text: string; contentType: string }> {
  const { store } = ports;
  return async () => {
    await fleetStatus(store).then(metrics.fleet, () => {});
    metrics.openAlerts(await store.alerts.openCounts().catch(() => []));
    metrics.deadMessages(await store.outbox.deadCounts().catch(() => []));
    const [waiting, lagS, workers, jobs] = await Promise.all([
      scheduler.waiting().catch(() => Number.NaN),
      scheduler.lagS().catch(() => Number.NaN),
      requireWorkers(ports).catch(() => 0),
      store.jobs.list().catch(() => []),
    ]);
    metrics.work({ waiting, lagS, workers, jobs, lostLogLines: lostLines().total });
    return metrics.page();
  };
}
