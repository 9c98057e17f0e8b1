/** The composition root: configuration in, a working application out. Everything that is plugged into core is chosen here. */
import { hostname } from 'node:os';
import { join } from 'node:path';
import { charts } from './adapters/charts/charts.ts';
import { createCollectors } from './adapters/collectors/collectors.ts';
import { openPostgresPool } from './adapters/db/postgresPool.ts';
import { createStore } from './adapters/db/store.ts';
import { systemClock, tokens, ulids } from './adapters/identity.ts';
import type { CreatedLlm } from './adapters/llm/create.ts';
import { createLog, logProbe } from './adapters/log.ts';
import type { AgentConnection } from './adapters/mcpTools.ts';
import { createMetrics } from './adapters/metrics/metrics.ts';
import { createAnsibleRunner } from './adapters/runners/ansible.ts';
import { createScheduler, type Scheduler } from './adapters/scheduler/scheduler.ts';
import type { SlackFormatting } from './adapters/slack/connect.ts';
import { agentsOf } from './composition/agents.ts';
import { completePorts } from './composition/corePorts.ts';
import { defineQueueJobs, recordJobEnd } from './composition/jobs.ts';
import { openOperatorFiles } from './composition/operatorFiles.ts';
import { healthPage, metricsPage } from './composition/pages.ts';
import {
  agentReleasesOf,
  alertReceivers,
  backupsOf,
  openSlack,
  openStorage,
  openTracing,
  plannerParts,
  runbookPlaces,
  settingsOf,
  sourceParts,
  ticketMessengers,
} from './composition/parts.ts';
import { openPrivacy } from './composition/privacy.ts';
import { createRecovery } from './composition/recovery.ts';
import { indexApart, runbookParts } from './composition/runbookParts.ts';
import { createRunKinds } from './composition/runKinds.ts';
import type { Config } from './config.ts';
import { createInvoke, type Invoke } from './core/invoke.ts';
import { createDeliveries } from './core/outbox/deliveries.ts';
import type { PeopleDirectory } from './core/ports/feedbackPorts.ts';
import type { Messenger } from './core/ports/messagePorts.ts';
import type { Clock, Collector, Healing, Log, PlaybookRunner, Ports } from './core/ports/ports.ts';
import { guardedInvoke, shownTools } from './core/privacy/guardedInvoke.ts';
import type { Health } from './core/processes/health.ts';
import { createRunbooks } from './core/runbooks/runbooks.ts';
import type { AnyTool } from './core/tool.ts';
import { TOOLS } from './core/tools/index.ts';
import { programEnv } from './environment.ts';

/** What a test puts in the place of the outside world. */
export interface Overrides {
  clock?: Clock;
  collector?: Collector;
  log?: Log;
  messengers?: Messenger[];
  runner?: PlaybookRunner;
  /** Null: alerts stay where their sources put them. */
  healing?: Healing | null;
  people?: PeopleDirectory;
  /** False: no job comes by the time of day; whoever composes the service calls what it wants done. */
  scheduled?: boolean;
  /** False: messages go out as fast as they are taken, where nobody limits their rate. */
  paced?: boolean;
}

/** What interfaces lend to the inside, which does not know them. */
interface InterfaceParts {
  /** Serves our own tools to the MCP client of an agent; without it agents of this process have none of ours. */
  connectAgent?: AgentConnection;
  /** How alerts look in Slack; a process without it leaves their messages to one that has it. */
  slackFormatting?: SlackFormatting | undefined;
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
   * Works on jobs, or with `jobs: false` leaves them to workers. With `recover` it belongs to the service: it reclaims, now and
   * from then on, what processes that died left unfinished, and delivers messages. With `follow` it also follows the runbook files.
   */
  startWorking(options: { recover: boolean; jobs?: boolean; follow?: boolean }): Promise<void>;
  /** Lets running work end within the time given, then closes everything. */
  close(drainMs?: number): Promise<void>;
}

export async function createApp(config: Config, overrides: Overrides = {}, faces: InterfaceParts = {}): Promise<App> {
  const processLog = createLog({ level: config.LOG_LEVEL, format: config.LOG_FORMAT });
  const privacy = openPrivacy(config);
  const log = privacy.log(overrides.log ?? processLog);
  const clock = overrides.clock ?? systemClock;
  const planner = privacy.planner(plannerParts(config, clock, log, faces.connectAgent));
  const database = await openStorage(config);
  const store = createStore(database.em, () => deliveries.messagesWait());
  const metrics = createMetrics();
  const lent = { store, clock, log, ports: (): Ports => ports, invoke: (): Invoke => invoke };
  const slack = await openSlack(config, faces.slackFormatting, lent);
  const outside = [...(slack?.messengers ?? []), ...alertReceivers(config, () => invoke, clock)];
  const peopleMessengers = [...(overrides.messengers ?? []), ...outside];
  const ids = ulids(privacy.idClock(clock));
  const worker: Ports['worker'] = { id: ids.next(), host: hostname(), pid: process.pid, startedAt: clock.now() };
  const tracing = await openTracing(config, worker.id, log);
  const queue = { url: config.RUN_QUEUE_URL, name: worker.id, openPostgres: openPostgresPool, log, tracing };
  const scheduler = await createScheduler({
    ...queue,
    onEnd(job, startedAt, error) {
      metrics.jobEnded(job, error ? 'failed' : 'ok', (Date.now() - startedAt.getTime()) / 1000);
      return recordJobEnd(store.jobs, job, startedAt, error);
    },
  });
  const knownHosts = { get: store.endpoints.hostKey, set: store.endpoints.rememberHostKey };
  const collectors = createCollectors({ ssh: { keysDir: config.SSH_KEYS_DIR, knownHosts } });
  const forRunbooks = runbookParts(runbookPlaces(config), log, { mayDownload: false });
  const indexing = { places: runbookPlaces(config), log: { level: config.LOG_LEVEL, format: config.LOG_FORMAT } };
  const runbooks = createRunbooks({ ...forRunbooks, indexApart: (stop) => indexApart(indexing, stop) });

  const ports = completePorts(
    {
      store,
      collector: overrides.collector ?? collectors,
      ...openOperatorFiles(config, metrics, log, () => ports),
      runner:
        overrides.runner ??
        createAnsibleRunner({
          playbooksDir: join(config.RUNBOOKS_DIR, 'playbooks'),
          keysDir: config.SSH_KEYS_DIR,
          knownHostKey: knownHosts.get,
          env: programEnv(),
        }),
      queue: scheduler,
      agents: agentsOf(planner, privacy, lent),
      worker,
      backups: backupsOf(config, database, privacy.backupKey),
      privacy: privacy.boundary(store, clock),
      ...sourceParts(config, log),
      runbooks,
      agentReleases: agentReleasesOf(config, log),
      people: overrides.people ?? slack?.directory,
      charts,
      metrics,
      tracing,
      log,
      clock,
      ids,
      tokens,
      random: Math.random,
      settings: settingsOf(config, peopleMessengers),
    },
    overrides.healing,
    config.DEX_SCAN_MODE === 'agent',
  );
  const invoke = guardedInvoke(createInvoke(shownTools(TOOLS, ports), ports), TOOLS, ports);
  ports.runKinds = createRunKinds(ports, planner, invoke);
  defineQueueJobs(scheduler, ports, invoke);
  const recovery = createRecovery(ports);
  const deliveries = createDeliveries(ports, [...peopleMessengers, ...ticketMessengers(config, ports)], overrides);
  return {
    config,
    tools: TOOLS,
    invoke,
    ports,
    scheduler,
    log,
    model: planner.model,
    health: healthPage(ports, config, scheduler, planner, {
      log: logProbe(processLog),
      ...(slack?.probe && { slack: slack.probe }),
    }),
    metricsPage: metricsPage(ports, metrics, scheduler, processLog.lost),
    async startWorking({ recover, jobs = true, follow = recover }) {
      await recovery.startBeating(jobs, recover);
      if (jobs) await scheduler.start();
      if (follow) await runbooks.follow();
      if (!recover) return;
      await recovery.recover();
      deliveries.start();
    },
    async close(drainMs = 10_000) {
      await scheduler.stop(drainMs);
      await deliveries.stop();
      await recovery.stop();
      await runbooks.close();
      forRunbooks.index.close();
      await collectors.close();
      await database.close();
      await tracing.close();
    },
  };
}
