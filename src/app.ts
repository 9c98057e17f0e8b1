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
import type { CreatedLlm } from './adapters/llm/create.ts';
import { llmProbe } from './adapters/llm/probe.ts';
import { createLog } from './adapters/log.ts';
import type { AgentConnection } from './adapters/mcpTools.ts';
import { createMetrics } from './adapters/metrics/metrics.ts';
import { diskProbe, isProcessGone } from './adapters/probes.ts';
import { reloadedFile } from './adapters/reloadedFile.ts';
import { createAnsibleRunner } from './adapters/runners/ansible.ts';
import { createScheduler, type Scheduler } from './adapters/scheduler/scheduler.ts';
import type { SlackFormatting } from './adapters/slack/connect.ts';
import { openTracing, plannerParts, ticketMessengers, uploadsDir } from './appParts.ts';
import { type Config, PROJECT_DIR, programEnv } from './config.ts';
import { jobActor } from './core/actor.ts';
import { handOver } from './core/alerts/alerting.ts';
import { type DecidedHandlers, recoverApprovals, settleApproval } from './core/approvals.ts';
import { createHealing } from './core/healing/healing.ts';
import { recoverRemediations, remediationDecided } from './core/healing/remediating.ts';
import { RemediationFile } from './core/healing/remediationMap.ts';
import { triageFirst } from './core/healing/triage.ts';
import { createInvoke, type Invoke } from './core/invoke.ts';
import { notice } from './core/outbox/messages.ts';
import { createDispatcher, keepDelivering } from './core/outbox/outbox.ts';
import { composeSurveyMessage, SURVEY_MESSENGER } from './core/people/surveys.ts';
import { costUsd } from './core/planner/llm.ts';
import { plannerStepDecided } from './core/planner/plannerRuns.ts';
import type { People } from './core/ports/feedbackPorts.ts';
import type { Messenger } from './core/ports/messagePorts.ts';
import type { Clock, Collector, Healing, Log, PlaybookRunner, Ports } from './core/ports/ports.ts';
import type { JobRecord } from './core/ports/storePorts.ts';
import { BEAT_MS } from './core/processes/aliveWorkers.ts';
import { checkHealth, type Health, type Probe } from './core/processes/health.ts';
import {
  beat,
  createSleepCheck,
  isAlone,
  leave,
  reclaimFromDeadProcesses,
  requireWorkers,
} from './core/processes/workers.ts';
import { createRunbooks, runbooksProbe } from './core/runbooks/runbooks.ts';
import { executeRun } from './core/runs/executeRun.ts';
import { createRunEvents } from './core/runs/runEvents.ts';
import { agentCollector, investigateByRun } from './core/scans/agentScan.ts';
import { createShardScan, fleetStatus, SCAN_SHARDS, SHARDS_AT_ONCE } from './core/scans/fleetScan.ts';
import { ScoreFile } from './core/scores/scoreRules.ts';
import type { AnyTool } from './core/tool.ts';
import { TOOLS } from './core/tools/index.ts';
import { indexApart, type RunbookPlaces, runbookParts } from './runbookParts.ts';
import { createRunKinds } from './runKinds.ts';

/** The job that works on one run. */
const EXECUTE_RUN = 'execute_run';
const SETTLE_APPROVAL = 'settle_approval';
const HANDLE_ALERTS = 'handle_alerts';

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

/** What faces lend to the inside, which does not know them. */
export interface InterfaceParts {
  /** Serves our own tools to the MCP client of an agent; without it agents of this process have none of ours. */
  connectAgent?: AgentConnection;
  /** How alerts look in Slack; a process without it leaves telling them to one that has it. */
  slackFormatting?: SlackFormatting;
}

export interface App {
  config: Config;
  tools: readonly AnyTool[];
  invoke: Invoke;
  ports: Ports;
  scheduler: Scheduler;
  log: Log;
  /** The language model, or why there is none. */
  model: CreatedLlm;
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

export async function createApp(config: Config, overrides: Overrides = {}, faces: InterfaceParts = {}): Promise<App> {
  const log = overrides.log ?? createLog({ level: config.LOG_LEVEL, format: config.LOG_FORMAT });
  const clock = overrides.clock ?? systemClock;
  const startedAt = clock.now();
  const scoreRules = reloadedFile(join(config.CONFIG_DIR, 'dex_score.yaml'), ScoreFile, { log });
  const planner = plannerParts(config, clock, log, faces.connectAgent);
  const database = await openDatabase(config.DATABASE_URL, config.DATABASE_POOL_SIZE);
  const store = createStore(database.em);
  const metrics = createMetrics();
  const slackNotified = config.SLACK_BOT_TOKEN !== '' && config.SLACK_ALERT_CHANNEL !== '';
  const read = async (tool: string, input: object) => (await invoke(tool, input, jobActor('tell_slack'))).output;
  const slack =
    config.SLACK_BOT_TOKEN === ''
      ? null
      : (await import('./adapters/slack/connect.ts')).connectSlack(
          { token: config.SLACK_BOT_TOKEN, apiUrl: config.SLACK_API_URL, channel: config.SLACK_ALERT_CHANNEL },
          faces.slackFormatting,
          {
            messages: store.slackMessages,
            readAlert: (alert_id) => read('get_alert', { alert_id }),
            readApproval: (approval_id) => read('get_approval', { approval_id }),
            write: (message) => composeSurveyMessage(ports, message),
          },
          { clock, log },
        );
  const peopleMessengers = [...(overrides.messengers ?? []), ...(slack?.messengers ?? [])];
  const ids = ulids(clock);
  const worker: Ports['worker'] = { id: ids.next(), host: hostname(), pid: process.pid, startedAt };
  const tracing = await openTracing(config, worker.id, log);
  const scheduler = await createScheduler({
    url: config.RUN_QUEUE_URL,
    name: worker.id,
    log,
    tracing,
    async onEnd(job, startedAt, error) {
      metrics.jobEnded(job, error ? 'failed' : 'ok', (Date.now() - startedAt.getTime()) / 1000);
      // These come with every run, shard, click and delivery: a line for each would only make the table hot.
      if ([EXECUTE_RUN, SCAN_SHARDS, SETTLE_APPROVAL, HANDLE_ALERTS].includes(job)) return;
      await store.jobs.ended(job, startedAt, new Date(), error?.message ?? null);
    },
  });
  const collectors = createCollectors({
    ssh: {
      keysDir: config.SSH_KEYS_DIR,
      knownHosts: { get: store.endpoints.hostKey, set: store.endpoints.rememberHostKey },
    },
  });

  const collector = overrides.collector ?? collectors;
  const places: RunbookPlaces = {
    root: PROJECT_DIR,
    shippedDir: config.RUNBOOKS_DIR,
    uploadedDir: uploadsDir(config),
    indexDir: join(config.DATA_DIR, 'runbook-index'),
    modelsDir: join(config.DATA_DIR, 'models'),
    model: config.EMBEDDING_MODEL,
  };
  const forRunbooks = runbookParts(places, log);
  const order = { places, log: { level: config.LOG_LEVEL, format: config.LOG_FORMAT } };
  const runbooks = createRunbooks({ ...forRunbooks, indexApart: (stop) => indexApart(order, stop) });

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
    collector,
    scanner: collector,
    scoreRules,
    remediationMap,
    runner: overrides.runner ?? runner,
    queue: scheduler,
    runEvents: createRunEvents(),
    runKinds: {},
    agents: { profiles: () => [...planner.profiles.current().keys()] },
    worker,
    inProgress: new Set(),
    backups: createBackups(database, {
      databaseUrl: config.DATABASE_URL,
      backupDir: config.BACKUP_DIR,
      uploadsDir: uploadsDir(config),
      version: config.version,
    }),
    runbooks,
    people: overrides.people ?? slack?.directory,
    charts,
    metrics,
    tracing,
    log,
    clock,
    ids,
    tokens,
    random: Math.random,
    settings: {
      scanIntervalMs: config.DEX_SCAN_INTERVAL_MINUTES * 60_000,
      retentionDays: config.DEX_RETENTION_DAYS,
      scanConcurrency: config.DEX_SCAN_CONCURRENCY,
      thresholds: { warning: config.DEX_SCORE_ALERT_THRESHOLD, critical: config.DEX_SCORE_CRITICAL_THRESHOLD },
      alertMessengers: [
        ...new Set([
          ...peopleMessengers.map(({ name }) => name).filter((name) => name !== SURVEY_MESSENGER),
          ...(slackNotified ? ['slack'] : []),
        ]),
      ],
      selfHealing: config.DEX_SELF_HEALING_ENABLED,
      tickets: config.DEX_TICKET_WEBHOOK_URL !== '',
      publicUrl: config.PUBLIC_URL,
    },
  };
  if (overrides.healing !== null) {
    const healing = overrides.healing ?? createHealing(ports);
    ports.healing = planner.model.llm ? triageFirst(ports, healing) : healing;
  }
  const invoke = createInvoke(TOOLS, ports);
  const messengers = [...peopleMessengers, ...ticketMessengers(config, ports)];
  ports.runKinds = createRunKinds(ports, planner, invoke);
  if (config.DEX_SCAN_MODE === 'agent') {
    const investigate = investigateByRun(ports);
    ports.scanner = agentCollector({ direct: collector, investigate, now: clock.now });
  }
  if (!planner.model.llm) log.info({ reason: planner.model.reason }, 'no language model: agents answer by rules');
  else if (
    costUsd(planner.prices.current(), planner.model.llm.describe(), { inputTokens: 0, outputTokens: 0 }) === null
  )
    log.warn(planner.model.llm.describe(), 'this model has no price in llm_prices.yaml: no budget holds for it');
  const decided: DecidedHandlers = {
    async tool(approval, signal) {
      if (approval.status !== 'approved') return;
      await invoke(approval.tool, approval.input, approval.requester, { approvalId: approval.id, signal });
    },
    remediation: (approval) => remediationDecided(ports, approval),
    planner_step: (approval, signal) => plannerStepDecided(ports, approval, signal),
  };
  scheduler.define(
    EXECUTE_RUN,
    async ({ run_id }, signal) => {
      await executeRun(ports, String(run_id), signal);
    },
    config.DEX_SCAN_CONCURRENCY,
  );
  const scanShards = createShardScan(ports);
  scheduler.define(SCAN_SHARDS, ({ run_id }, signal) => scanShards(String(run_id), signal), SHARDS_AT_ONCE);
  scheduler.define(
    SETTLE_APPROVAL,
    ({ approval_id }, signal) => settleApproval(ports, decided, String(approval_id), signal),
    config.DEX_SCAN_CONCURRENCY,
  );
  scheduler.define(HANDLE_ALERTS, () => handOver(ports), 1);
  const stopped = new AbortController();
  const deliveries: Promise<void>[] = [];

  let beats: NodeJS.Timeout | undefined;
  let tending: Promise<void> = Promise.resolve();
  const wasAsleep = createSleepCheck(clock);
  const tend = (jobs: boolean, recover: boolean): Promise<void> => {
    tending = (async () => {
      await beat(ports, jobs);
      if (wasAsleep() || !recover) return;
      const taken = await reclaimFromDeadProcesses(ports, isProcessGone);
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
    model: planner.model,
    health: () =>
      checkHealth(ports, {
        startedAt,
        version: config.version,
        probes: {
          queue: queueProbe,
          disk: diskProbe(config.DATA_DIR),
          llm: llmProbe(planner.model, clock),
          vectors: runbooksProbe(runbooks),
          mcp_servers: planner.serversProbe,
          ...(slack?.probe && { slack: slack.probe }),
        },
      }),
    async metricsPage() {
      // The page has to stand when what it tells about does not.
      await fleetStatus(store).then(metrics.fleet, () => {});
      metrics.openAlerts(await store.alerts.openCounts().catch(() => []));
      metrics.deadMessages(await store.outbox.deadCounts().catch(() => []));
      const [waiting, lagS, workers, jobs] = await Promise.all([
        scheduler.waiting().catch(() => Number.NaN),
        scheduler.lagS().catch(() => Number.NaN),
        requireWorkers(ports).catch(() => 0),
        store.jobs.list().catch(() => []),
      ]);
      metrics.work({ waiting, lagS, workers, jobs });
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
        deliveries.push(keepDelivering(createDispatcher(ports, messenger, Math.random), log, stopped.signal));
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
      forRunbooks.index.close();
      await collectors.close();
      await database.close();
      await tracing.close();
    },
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

/** Puts a backup in the place of the configured database; refuses while the service runs. */
export async function restore(config: Config, file: string, options: { unverified: boolean }): Promise<string> {
  const places = { databaseUrl: config.DATABASE_URL, uploadsDir: uploadsDir(config) };
  const { created_at } = await restoreBackup(file, places, new Date(), options);
  return `Restored ${file} of ${created_at}. Start the service again.`;
}
