/** The composition root: configuration in, a working application out. Everything that is plugged into core is chosen here. */
import { join } from 'node:path';
import { charts } from './adapters/charts.ts';
import { createCollectors } from './adapters/collectors/collectors.ts';
import { openDatabase } from './adapters/db/open.ts';
import { createStore } from './adapters/db/store.ts';
import { createEmbedder } from './adapters/embeddings.ts';
import { systemClock, tokens, ulids } from './adapters/identity.ts';
import { createLog } from './adapters/log.ts';
import { createMetrics } from './adapters/metrics.ts';
import { diskProbe } from './adapters/probes.ts';
import { reloadedFile } from './adapters/reloadedFile.ts';
import { createRunbookFiles } from './adapters/runbookFiles.ts';
import { createAnsibleRunner } from './adapters/runners/ansible.ts';
import { createScheduler, type Scheduler } from './adapters/scheduler/scheduler.ts';
import { createSlackClient, slackProbe } from './adapters/slack/client.ts';
import { createSlackDirectory } from './adapters/slack/directory.ts';
import { createSurveyLetters, type LetterWording } from './adapters/slack/letters.ts';
import { createSlackNotifier, type NewsWording } from './adapters/slack/notifier.ts';
import { createRunbookIndex } from './adapters/vectors/runbookIndex.ts';
import { type Config, PROJECT_DIR, programEnv } from './config.ts';
import { jobActor } from './core/actor.ts';
import { handOver } from './core/alerting.ts';
import { type DecidedHandlers, recoverApprovals, settleApproval } from './core/approvals.ts';
import { createExecutors } from './core/executors.ts';
import type { People } from './core/feedbackPorts.ts';
import { createHealing } from './core/healing.ts';
import { checkHealth, type Health } from './core/health.ts';
import { createInvoke, type Invoke } from './core/invoke.ts';
import { notice } from './core/messages.ts';
import { createCourier, keepDelivering } from './core/outbox.ts';
import type { Clock, Collector, Healing, Log, Messenger, PlaybookRunner, Ports } from './core/ports.ts';
import { recoverRemediations, remediationDecided } from './core/remediating.ts';
import { RemediationFile } from './core/remediationMap.ts';
import { createRunbooks, runbooksProbe } from './core/runbooks.ts';
import { executeRun, recoverRuns } from './core/runs.ts';
import { ScoreFile } from './core/scoreRules.ts';
import { SURVEY_MESSENGER, writeLetter } from './core/surveys.ts';
import type { AnyTool } from './core/tool.ts';
import { TOOLS } from './core/tools/index.ts';

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
  /** Works on queued runs; with `recover` it is the service itself: it takes up runs and messages that an earlier process left, and follows the runbook files. */
  startWorking(options: { recover: boolean }): Promise<void>;
  /** Lets running work end within the time given, then closes everything. */
  close(drainMs?: number): Promise<void>;
}

/** @param slackWording how alerts look in Slack; a process without it leaves telling them to one that has it */
export async function createApp(
  config: Config,
  overrides: Overrides = {},
  slackWording?: NewsWording & LetterWording,
): Promise<App> {
  const log = overrides.log ?? createLog({ level: config.LOG_LEVEL, format: config.LOG_FORMAT });
  const clock = overrides.clock ?? systemClock;
  const startedAt = clock.now();
  const scoreRules = reloadedFile(join(config.CONFIG_DIR, 'dex_score.yaml'), ScoreFile, { log });
  const database = await openDatabase(config.DATABASE_URL, config.DATABASE_POOL_SIZE);
  const store = createStore(database.em);
  const metrics = createMetrics();
  const slackTold = config.SLACK_BOT_TOKEN !== '' && config.SLACK_ALERT_CHANNEL !== '';
  const messengers = [...(overrides.messengers ?? [])];
  const slackClient = config.SLACK_BOT_TOKEN ? createSlackClient(config.SLACK_BOT_TOKEN, config.SLACK_API_URL) : null;
  const directory = slackClient && createSlackDirectory(slackClient, clock, log);
  const slackHealth = slackClient && slackWording && slackProbe(slackClient, slackWording.problem, clock);
  if (slackClient && directory && slackWording) {
    const parts = { client: slackClient, directory, wording: slackWording, log };
    messengers.push(createSurveyLetters({ ...parts, write: (message) => writeLetter(ports, message) }));
    const read = async (tool: string, input: object) => (await invoke(tool, input, jobActor('tell_slack'))).output;
    if (slackTold) {
      messengers.push(
        createSlackNotifier({
          ...parts,
          channel: config.SLACK_ALERT_CHANNEL,
          messages: store.slackMessages,
          readAlert: (alert_id) => read('get_alert', { alert_id }),
          readApproval: (approval_id) => read('get_approval', { approval_id }),
        }),
      );
    }
  }
  const scheduler = await createScheduler(config.RUN_QUEUE_URL, log);
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
    runbooks,
    people: overrides.people ?? directory ?? undefined,
    charts,
    metrics,
    log,
    clock,
    ids: ulids(clock),
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
    'execute_run',
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
        probes: {
          queue: scheduler.probe,
          disk: diskProbe(config.DATA_DIR),
          vectors: runbooksProbe(runbooks),
          ...(slackHealth && { slack: slackHealth }),
        },
      }),
    async metricsPage() {
      // The page has to stand when the store does not.
      metrics.openAlerts(await store.alerts.openCounts().catch(() => []));
      metrics.deadMessages(await store.outbox.deadCounts().catch(() => []));
      return metrics.page();
    },
    async startWorking({ recover }) {
      await scheduler.start();
      if (!recover) return;
      await runbooks.follow();
      const recovered = await recoverRuns(ports);
      if (recovered.interrupted + recovered.requeued > 0)
        log.warn(recovered, 'took up runs that an earlier process left');
      await recoverApprovals(ports);
      await recoverRemediations(ports);
      for (const messenger of messengers) {
        deliveries.push(keepDelivering(createCourier(ports, messenger, Math.random), log, stopped.signal));
      }
    },
    async close(drainMs = 10_000) {
      await scheduler.stop(drainMs);
      stopped.abort();
      await Promise.all(deliveries);
      await runbooks.close();
      runbookIndex.close();
      await collectors.close();
      await database.close();
    },
  };
}
