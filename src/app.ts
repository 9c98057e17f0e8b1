/** The composition root: configuration in, a working application out. Everything that is plugged into core is chosen here. */
import { hostname } from 'node:os';
import { join } from 'node:path';
import { charts } from './adapters/charts.ts';
import { createCollectors } from './adapters/collectors/collectors.ts';
import { createBackups } from './adapters/db/backup/backup.ts';
import { restoreBackup } from './adapters/db/backup/restore.ts';
import { openDatabase } from './adapters/db/open.ts';
import { createStore } from './adapters/db/store.ts';
import { systemClock, tokens, ulids } from './adapters/identity.ts';
import { createLog } from './adapters/log.ts';
import { createMetrics } from './adapters/metrics.ts';
import { diskProbe, isProcessGone } from './adapters/probes.ts';
import { reloadedFile } from './adapters/reloadedFile.ts';
import { createScheduler, type Scheduler } from './adapters/scheduler/scheduler.ts';
import type { Config } from './config.ts';
import { createExecutors } from './core/executors.ts';
import { checkHealth, type Health, type Probe } from './core/health.ts';
import { createInvoke, type Invoke } from './core/invoke.ts';
import type { Clock, Collector, JobRecord, Log, Ports } from './core/ports.ts';
import { executeRun } from './core/runs.ts';
import { ScoreFile } from './core/scoreRules.ts';
import type { AnyTool } from './core/tool.ts';
import { TOOLS } from './core/tools/index.ts';
import { BEAT_MS, beat, leave, requireWorkers, takeUpWhatDiedLeft } from './core/workers.ts';

/** The job that works on one run. */
const EXECUTE_RUN = 'execute_run';

/** What a test puts in the place of the outside world. */
export interface Overrides {
  clock?: Clock;
  collector?: Collector;
  log?: Log;
}

export interface App {
  config: Config;
  tools: readonly AnyTool[];
  invoke: Invoke;
  ports: Ports;
  scheduler: Scheduler;
  log: Log;
  health(): Promise<Health>;
  metricsPage(): Promise<{ text: string; contentType: string }>;
  /**
   * Works on jobs, or with `jobs: false` leaves them to others; with `recover` it also takes up, now and ever again, what
   * processes that died left unfinished.
   */
  startWorking(options: { recover: boolean; jobs?: boolean }): Promise<void>;
  /** Lets running work end within the time given, then closes everything. */
  close(drainMs?: number): Promise<void>;
}

export async function createApp(config: Config, overrides: Overrides = {}): Promise<App> {
  const log = overrides.log ?? createLog({ level: config.LOG_LEVEL, format: config.LOG_FORMAT });
  const clock = overrides.clock ?? systemClock;
  const startedAt = clock.now();
  const scoreRules = reloadedFile(join(config.CONFIG_DIR, 'dex_score.yaml'), ScoreFile, { log });
  const database = await openDatabase(config.DATABASE_URL, config.DATABASE_POOL_SIZE);
  const store = createStore(database.em);
  const metrics = createMetrics();
  const ids = ulids(clock);
  const scheduler = createScheduler(config.RUN_QUEUE_URL, log, async (job, startedAt, error) => {
    metrics.jobEnded(job, error ? 'failed' : 'ok', (Date.now() - startedAt.getTime()) / 1000);
    // Runs have their own record; a line for each would only make the table hot.
    if (job !== EXECUTE_RUN) await store.jobs.ended(job, startedAt, new Date(), error?.message ?? null);
  });
  const collectors = createCollectors({
    ssh: {
      keysDir: config.SSH_KEYS_DIR,
      knownHosts: { get: store.endpoints.hostKey, set: store.endpoints.rememberHostKey },
    },
  });

  const ports: Ports = {
    store,
    collector: overrides.collector ?? collectors,
    scoreRules,
    queue: scheduler,
    worker: { id: ids.next(), host: hostname(), pid: process.pid, startedAt },
    backups: createBackups(database, {
      databaseUrl: config.DATABASE_URL,
      backupDir: config.BACKUP_DIR,
      uploadsDir: uploadsDir(config),
      version: config.version,
    }),
    charts,
    metrics,
    log,
    clock,
    ids,
    tokens,
    settings: {
      scanIntervalMs: config.DEX_SCAN_INTERVAL_MINUTES * 60_000,
      scanConcurrency: config.DEX_SCAN_CONCURRENCY,
      thresholds: { warning: config.DEX_SCORE_ALERT_THRESHOLD, critical: config.DEX_SCORE_CRITICAL_THRESHOLD },
    },
  };
  const executors = createExecutors(ports);
  scheduler.define(
    EXECUTE_RUN,
    async ({ run_id }, signal) => {
      await executeRun(ports, executors, String(run_id), signal);
    },
    config.DEX_SCAN_CONCURRENCY,
  );

  let beats: NodeJS.Timeout | undefined;
  let tending: Promise<void> = Promise.resolve();
  const tend = (jobs: boolean, recover: boolean): Promise<void> => {
    tending = (async () => {
      await beat(ports, jobs);
      if (!recover) return;
      const taken = await takeUpWhatDiedLeft(ports, isProcessGone);
      if (taken.interrupted + taken.requeued > 0) log.warn(taken, 'took up runs that another process left');
    })().catch((error: unknown) => log.error({ err: error }, 'could not tell the others that this process is alive'));
    return tending;
  };
  const queueProbe: Probe = async () => ({
    ...(await scheduler.probe()),
    workers: config.RUN_QUEUE_URL ? await requireWorkers(ports) : 1,
    jobs: Object.fromEntries((await store.jobs.list()).map(({ job, ...record }) => [job, presentJob(record)])),
  });

  return {
    config,
    tools: TOOLS,
    invoke: createInvoke(TOOLS, ports),
    ports,
    scheduler,
    log,
    health: () =>
      checkHealth(ports, {
        startedAt,
        version: config.version,
        probes: { queue: queueProbe, disk: diskProbe(config.DATA_DIR) },
      }),
    async metricsPage() {
      // The page has to stand when what it tells about does not.
      const [waiting, workers, jobs] = await Promise.all([
        scheduler.waiting(),
        requireWorkers(ports),
        store.jobs.list(),
      ]).catch(() => [Number.NaN, 0, []] as const);
      metrics.work({ waiting, workers, jobs });
      return metrics.page();
    },
    async startWorking({ recover, jobs = true }) {
      await beat(ports, jobs);
      beats = setInterval(() => void tend(jobs, recover), BEAT_MS);
      if (jobs) await scheduler.start();
      if (recover) await tend(jobs, true);
    },
    async close(drainMs = 10_000) {
      await scheduler.stop(drainMs);
      clearInterval(beats);
      await tending;
      if (beats) await leave(ports).catch((error: unknown) => log.warn({ err: error }, 'could not sign off'));
      await collectors.close();
      await database.close();
    },
  };
}

function presentJob({ lastStartedAt, lastSucceededAt, lastFailedAt, lastError }: Omit<JobRecord, 'job'>) {
  return {
    last_started_at: lastStartedAt,
    last_succeeded_at: lastSucceededAt,
    last_failed_at: lastFailedAt,
    last_error: lastError,
  };
}

/** Puts a backup in the place of the configured database; refuses while the service runs. */
export async function restore(config: Config, file: string): Promise<string> {
  const places = { databaseUrl: config.DATABASE_URL, uploadsDir: uploadsDir(config) };
  const { created_at } = await restoreBackup(file, places, new Date());
  return `Restored ${file} of ${created_at}. Start the service again.`;
}

/** Runbooks that came by upload; a backup takes them along. */
function uploadsDir(config: Config): string {
  return join(config.DATA_DIR, 'runbooks');
}
