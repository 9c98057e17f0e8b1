/** The composition root: configuration in, a working application out. Everything that is plugged into core is chosen here. */
import { join } from 'node:path';
import { charts } from './adapters/charts.ts';
import { createCollectors } from './adapters/collectors/collectors.ts';
import { openDatabase } from './adapters/db/open.ts';
import { createStore } from './adapters/db/store.ts';
import { systemClock, tokens, ulids } from './adapters/identity.ts';
import { createLog } from './adapters/log.ts';
import { createMetrics } from './adapters/metrics.ts';
import { diskProbe } from './adapters/probes.ts';
import { reloadedFile, yamlFiles } from './adapters/reloadedFile.ts';
import { createAnsibleRunner } from './adapters/runners/ansible.ts';
import { createScheduler, type Scheduler } from './adapters/scheduler/scheduler.ts';
import { createTicketMessenger } from './adapters/tickets.ts';
import { type Config, namedSecret, programEnv } from './config.ts';
import { handOver } from './core/alerting.ts';
import { type DecidedHandlers, recoverApprovals, settleApproval } from './core/approvals.ts';
import { createExecutors } from './core/executors.ts';
import { createHealing } from './core/healing.ts';
import { checkHealth, type Health } from './core/health.ts';
import { createInvoke, type Invoke } from './core/invoke.ts';
import { notice } from './core/messages.ts';
import { createCourier, keepDelivering } from './core/outbox.ts';
import type { Clock, Collector, Healing, Log, Messenger, PlaybookRunner, Ports } from './core/ports.ts';
import { recoverRemediations, remediationDecided } from './core/remediating.ts';
import { RemediationFile } from './core/remediationMap.ts';
import { executeRun, recoverRuns } from './core/runs.ts';
import { ScoreFile } from './core/scoreRules.ts';
import { linkTicket } from './core/ticketing.ts';
import { TicketMappingFile } from './core/ticketMapping.ts';
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
  const peopleMessengers = overrides.messengers ?? [];
  const scheduler = createScheduler(config.RUN_QUEUE_URL, log);
  const collectors = createCollectors({
    ssh: {
      keysDir: config.SSH_KEYS_DIR,
      knownHosts: { get: store.endpoints.hostKey, set: store.endpoints.rememberHostKey },
    },
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
      alertMessengers: peopleMessengers.map(({ name }) => name),
      selfHealing: config.DEX_SELF_HEALING_ENABLED,
      tickets: config.DEX_TICKET_WEBHOOK_URL !== '',
      publicUrl: config.PUBLIC_URL,
    },
  };
  if (overrides.healing !== null) ports.healing = overrides.healing ?? createHealing(ports);
  const invoke = createInvoke(TOOLS, ports);
  const messengers = [...peopleMessengers, ...ticketMessengers(config, ports)];
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
        probes: { queue: scheduler.probe, disk: diskProbe(config.DATA_DIR) },
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
      await collectors.close();
      await database.close();
    },
  };
}

/** The messenger to the ticket system; none while no ticket system is connected. */
function ticketMessengers(config: Config, ports: Ports): Messenger[] {
  const url = config.DEX_TICKET_WEBHOOK_URL;
  if (url === '') return [];
  const folder = join(config.CONFIG_DIR, 'ticket_mappings');
  const mappings = yamlFiles(folder).map((file) => reloadedFile(file, TicketMappingFile, { log: ports.log }).current());
  return [
    createTicketMessenger({
      url,
      secret: config.WEBHOOK_SECRET,
      mapping: mappings.find(({ target }) => target.test(url)) ?? null,
      secretOf: namedSecret,
      nowMs: () => ports.clock.now().getTime(),
      link: (ticketId, link) => linkTicket(ports, ticketId, link),
      async givenUp(messages, reason) {
        for (const { idempotencyKey, payload } of messages) {
          const text = `A ticket could not be delivered and was given up: ${payload.title}. ${reason}`;
          await notice(ports, `given-up:${idempotencyKey}`, text);
        }
      },
    }),
  ];
}
