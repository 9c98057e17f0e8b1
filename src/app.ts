/** The composition root: configuration in, a working application out. Everything that is plugged into core is chosen here. */
import { hostname } from 'node:os';
import { join } from 'node:path';
import { charts } from './adapters/charts.ts';
import { createCollectors } from './adapters/collectors/collectors.ts';
import { createBackups } from './adapters/db/backup/backup.ts';
import { restoreBackup } from './adapters/db/backup/restore.ts';
import { openDatabase } from './adapters/db/open.ts';
import { createStore } from './adapters/db/store.ts';
import { createEmbedder } from './adapters/embeddings.ts';
import { systemClock, tokens, ulids } from './adapters/identity.ts';
import { createLog } from './adapters/log.ts';
import { createMetrics } from './adapters/metrics.ts';
import { diskProbe, isProcessGone } from './adapters/probes.ts';
import { reloadedFile } from './adapters/reloadedFile.ts';
import { createRunbookFiles } from './adapters/runbookFiles.ts';
import { createAnsibleRunner } from './adapters/runners/ansible.ts';
import { createScheduler, type Scheduler } from './adapters/scheduler/scheduler.ts';
import { createSlackNotifier, type SlackWording } from './adapters/slackNotifier.ts';
import { createRunbookIndex } from './adapters/vectors/runbookIndex.ts';
import { type Config, PROJECT_DIR, programEnv } from './config.ts';
import { jobActor } from './core/actor.ts';
import { handOver } from './core/alerting.ts';
import { type DecidedHandlers, recoverApprovals, settleApproval } from './core/approvals.ts';
import { createExecutors } from './core/executors.ts';
import type { People } from './core/feedbackPorts.ts';
import { createHealing } from './core/healing.ts';
import { checkHealth, type Health, type Probe } from './core/health.ts';
import { createInvoke, type Invoke } from './core/invoke.ts';
import { notice } from './core/messages.ts';
import { createCourier, keepDelivering } from './core/outbox.ts';
import type { Clock, Collector, Healing, JobRecord, Log, Messenger, PlaybookRunner, Ports } from './core/ports.ts';
import { recoverRemediations, remediationDecided } from './core/remediating.ts';
import { RemediationFile } from './core/remediationMap.ts';
import { createRunbooks, runbooksProbe } from './core/runbooks.ts';
import { executeRun } from './core/runs.ts';
import { ScoreFile } from './core/scoreRules.ts';
import { SURVEY_MESSENGER } from './core/surveys.ts';
import type { AnyTool } from './core/tool.ts';
import { TOOLS } from './core/tools/index.ts';
import { BEAT_MS, beat, isAlone, leave, requireWorkers, takeUpWhatDiedLeft } from './core/workers.ts';

/** The job that works on one run. */
const EXECUTE_RUN = 'execute_run';

/** What a test puts in the place of the outside world. */
export interface Overrides {
  clock?: Clock;
  collector?: Collector;
  log?: Log;
  messengers?: Messenger[];
  runner?: PlaybookRunner;
  /** Null: alerts stay where their sources put them. */
  healing?: Healing | null;
  people?: People;
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
   * Works on jobs, or with `jobs: false` leaves them to workers. With `recover` it belongs to the service: it takes up, now and
   * ever again, what processes that died left unfinished, and delivers messages. With `follow` it also follows the runbook files.
   */
  startWorking(options: { recover: boolean; jobs?: boolean; follow?: boolean }): Promise<void>;
  /** Lets running work end within the time given, then closes everything. */
  close(drainMs?: number): Promise<void>;
}

/** @param slackWording how alerts look in Slack; a process without it leaves telling them to one that has it */
export async function createApp(config: Config, overrides: Overrides = {}, slackWording?: SlackWording): Promise<App> {
  const log = overrides.log ?? createLog({ level: config.LOG_LEVEL, format: config.LOG_FORMAT });
  const clock = overrides.clock ?? systemClock;
  const startedAt = clock.now();
  const scoreRules = reloadedFile(join(config.CONFIG_DIR, 'dex_score.yaml'), ScoreFile, { log });
  const database = await openDatabase(config.DATABASE_URL, config.DATABASE_POOL_SIZE);
  const store = createStore(database.em);
  const metrics = createMetrics();
  const slackTold = config.SLACK_BOT_TOKEN !== '' && config.SLACK_ALERT_CHANNEL !== '';
  const messengers = [...(overrides.messengers ?? [])];
  if (slackTold && slackWording) {
    messengers.push(
      createSlackNotifier({
        token: config.SLACK_BOT_TOKEN,
        channel: config.SLACK_ALERT_CHANNEL,
        apiUrl: config.SLACK_API_URL,
        wording: slackWording,
        messages: store.slackMessages,
        readAlert: async (alert_id) => (await invoke('get_alert', { alert_id }, jobActor('tell_slack'))).output,
        log,
      }),
    );
  }
  const ids = ulids(clock);
  const scheduler = await createScheduler(config.RUN_QUEUE_URL, log, async (job, startedAt, error) => {
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

  const runbookIndex = createRunbookIndex({ dir: join(config.DATA_DIR, 'runbook-index'), log });
  const runbooks = createRunbooks({
    files: createRunbookFiles({
      root: PROJECT_DIR,
      shippedDir: config.RUNBOOKS_DIR,
      uploadedDir: join(config.DATA_DIR, 'runbooks'),
      log,
    }),
    index: runbookIndex,
    embedder: createEmbedder({ model: config.EMBEDDING_MODEL, cacheDir: join(config.DATA_DIR, 'models'), log }),
    log,
  });
  const remediationMap = reloadedFile(join(config.CONFIG_DIR, 'dex_remediation_map.yaml'), RemediationFile, {
    log,
    onRefused(problem) {
      metrics.configRefused('dex_remediation_map.yaml');
      const text = `An edit of the remediation map was refused; the last good one stays in force. ${problem}`;
      notice(ports, `remediation_map:${tokens.digest(problem)}`, text).catch((error: unknown) =>
        log.error({ err: error }, 'a notice could not be kept'),
      );
    },
  });
  const runner = createAnsibleRunner({
    playbooksDir: join(config.RUNBOOKS_DIR, 'playbooks'),
    keysDir: config.SSH_KEYS_DIR,
    knownHostKey: store.endpoints.hostKey,
    env: programEnv(),
  });

  const ports: Ports = {
    store,
    collector: overrides.collector ?? collectors,
    scoreRules,
    remediationMap,
    runner: overrides.runner ?? runner,
    queue: scheduler,
    worker: { id: ids.next(), host: hostname(), pid: process.pid, startedAt },
    backups: createBackups(database, {
      databaseUrl: config.DATABASE_URL,
      backupDir: config.BACKUP_DIR,
      uploadsDir: uploadsDir(config),
      version: config.version,
    }),
    runbooks,
    people: overrides.people,
    charts,
    metrics,
    log,
    clock,
    ids,
    tokens,
    random: Math.random,
    settings: {
      scanIntervalMs: config.DEX_SCAN_INTERVAL_MINUTES * 60_000,
      scanConcurrency: config.DEX_SCAN_CONCURRENCY,
      thresholds: { warning: config.DEX_SCORE_ALERT_THRESHOLD, critical: config.DEX_SCORE_CRITICAL_THRESHOLD },
      alertMessengers: [
        ...new Set([
          ...messengers.map(({ name }) => name).filter((name) => name !== SURVEY_MESSENGER),
          ...(slackTold ? ['slack'] : []),
        ]),
      ],
      selfHealing: config.DEX_SELF_HEALING_ENABLED,
      tickets: config.DEX_TICKET_WEBHOOK_URL !== '',
      publicUrl: config.PUBLIC_URL,
    },
  };
  if (overrides.healing !== null) ports.healing = overrides.healing ?? createHealing(ports);
  const invoke = createInvoke(TOOLS, ports);
  const executors = createExecutors(ports);
  const decided: DecidedHandlers = {
    async tool(approval, signal) {
      if (approval.status !== 'approved') return;
      await invoke(approval.tool, approval.input, approval.requester, { approvalId: approval.id, signal });
    },
    remediation: (approval) => remediationDecided(ports, approval),
  };
  scheduler.define(
    EXECUTE_RUN,
    async ({ run_id }, signal) => {
      await executeRun(ports, executors, String(run_id), signal);
    },
    config.DEX_SCAN_CONCURRENCY,
  );
  scheduler.define(
    'settle_approval',
    ({ approval_id }, signal) => settleApproval(ports, decided, String(approval_id), signal),
    config.DEX_SCAN_CONCURRENCY,
  );
  scheduler.define('handle_alerts', () => handOver(ports), 1);
  const stopped = new AbortController();
  const deliveries: Promise<void>[] = [];

  let beats: NodeJS.Timeout | undefined;
  let tending: Promise<void> = Promise.resolve();
  const tend = (jobs: boolean, recover: boolean): Promise<void> => {
    tending = (async () => {
      await beat(ports, jobs);
      if (!recover) return;
      const taken = await takeUpWhatDiedLeft(ports, isProcessGone);
      if (taken.interrupted + taken.requeued > 0) log.warn(taken, 'took up runs that another process left');
      if (taken.interrupted > 0) await recoverRemediations(ports);
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
    invoke,
    ports,
    scheduler,
    log,
    health: () =>
      checkHealth(ports, {
        startedAt,
        version: config.version,
        probes: { queue: queueProbe, disk: diskProbe(config.DATA_DIR), vectors: runbooksProbe(runbooks) },
      }),
    async metricsPage() {
      // The page has to stand when what it tells about does not.
      metrics.openAlerts(await store.alerts.openCounts().catch(() => []));
      metrics.deadMessages(await store.outbox.deadCounts().catch(() => []));
      const [waiting, workers, jobs] = await Promise.all([
        scheduler.waiting(),
        requireWorkers(ports),
        store.jobs.list(),
      ]).catch(() => [Number.NaN, 0, []] as const);
      metrics.work({ waiting, workers, jobs });
      return metrics.page();
    },
    async startWorking({ recover, jobs = true, follow = recover }) {
      await beat(ports, jobs);
      beats = setInterval(() => void tend(jobs, recover), BEAT_MS);
      if (jobs) await scheduler.start();
      if (follow) await runbooks.follow();
      if (!recover) return;
      await tend(jobs, true);
      if (await isAlone(ports, isProcessGone)) await recoverApprovals(ports);
      await recoverRemediations(ports);
      for (const messenger of messengers) {
        deliveries.push(keepDelivering(createCourier(ports, messenger, Math.random), log, stopped.signal));
      }
    },
    async close(drainMs = 10_000) {
      await scheduler.stop(drainMs);
      stopped.abort();
      await Promise.all(deliveries);
      clearInterval(beats);
      await tending;
      if (beats) await leave(ports).catch((error: unknown) => log.warn({ err: error }, 'could not sign off'));
      await runbooks.close();
      runbookIndex.close();
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
