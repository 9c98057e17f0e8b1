/** The composition root: configuration in, a working application out. Everything that is plugged into core is chosen here. */
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
import { diskProbe } from './adapters/probes.ts';
import { reloadedFile } from './adapters/reloadedFile.ts';
import { createScheduler, type Scheduler } from './adapters/scheduler/scheduler.ts';
import type { Config } from './config.ts';
import { createExecutors } from './core/executors.ts';
import { checkHealth, type Health } from './core/health.ts';
import { createInvoke, type Invoke } from './core/invoke.ts';
import type { Clock, Collector, Log, Ports } from './core/ports.ts';
import { executeRun, recoverRuns } from './core/runs.ts';
import { ScoreFile } from './core/scoreRules.ts';
import type { AnyTool } from './core/tool.ts';
import { TOOLS } from './core/tools/index.ts';

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
  /** Works on queued runs; with `recover` it first takes up what an earlier process of the service left unfinished. */
  startWorking(options: { recover: boolean }): Promise<void>;
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
  const scheduler = createScheduler(config.RUN_QUEUE_URL, log);
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
    ids: ulids(clock),
    tokens,
    settings: {
      scanIntervalMs: config.DEX_SCAN_INTERVAL_MINUTES * 60_000,
      scanConcurrency: config.DEX_SCAN_CONCURRENCY,
      thresholds: { warning: config.DEX_SCORE_ALERT_THRESHOLD, critical: config.DEX_SCORE_CRITICAL_THRESHOLD },
    },
  };
  const executors = createExecutors(ports);
  scheduler.define(
    'execute_run',
    async ({ run_id }, signal) => {
      await executeRun(ports, executors, String(run_id), signal);
    },
    config.DEX_SCAN_CONCURRENCY,
  );

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
        probes: { queue: scheduler.probe, disk: diskProbe(config.DATA_DIR) },
      }),
    metricsPage: metrics.page,
    async startWorking({ recover }) {
      await scheduler.start();
      if (!recover) return;
      const recovered = await recoverRuns(ports);
      if (recovered.interrupted + recovered.requeued > 0)
        log.warn(recovered, 'took up runs that an earlier process left');
    },
    async close(drainMs = 10_000) {
      await scheduler.stop(drainMs);
      await collectors.close();
      await database.close();
    },
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
