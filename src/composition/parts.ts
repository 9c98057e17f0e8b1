/** Parts that the composition root plugs in and that take more than a line to make. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import { createAgentReleases } from '../adapters/agentReleases.ts';
import {
  type AlertFacts,
  createAlertWebhook,
  createPagerDuty,
  PAGERDUTY_EVENTS_URL,
} from '../adapters/alertReceivers.ts';
import { charts } from '../adapters/charts/charts.ts';
import { createBackups } from '../adapters/db/backup/backup.ts';
import { makeFolder } from '../adapters/db/makeFolder.ts';
import { type Database, openDatabase } from '../adapters/db/open.ts';
import { createLlm } from '../adapters/llm/create.ts';
import { machineLists } from '../adapters/machineLists.ts';
import type { AgentConnection } from '../adapters/mcpTools.ts';
import { reloadedFile, yamlFiles } from '../adapters/reloadedFile.ts';
import type { SlackConnection, SlackFormatting } from '../adapters/slack/connect.ts';
import { createTicketMessenger } from '../adapters/tickets.ts';
import type { Config } from '../config.ts';
import { jobActor } from '../core/actor.ts';
import { ticketGivenUp, ticketTaken } from '../core/alerts/ticketing.ts';
import { TicketMappingFile } from '../core/alerts/ticketMapping.ts';
import { AppError } from '../core/errors.ts';
import type { Invoke } from '../core/invoke.ts';
import { composeSurveyMessage, SURVEY_MESSENGER } from '../core/people/surveys.ts';
import { AgentProfilesFile, McpServersFile } from '../core/planner/agentProfiles.ts';
import { costUsd, LlmPricesFile } from '../core/planner/llm.ts';
import { mcpServersProbe } from '../core/planner/mcpServers.ts';
import type { PlannerParts } from '../core/planner/plannerRuns.ts';
import type { AgentReleases } from '../core/ports/enrolmentPorts.ts';
import type { Messenger } from '../core/ports/messagePorts.ts';
import type { Backups, Clock, Log, Ports, Settings } from '../core/ports/ports.ts';
import type { Store } from '../core/ports/storePorts.ts';
import type { CardKind } from '../core/presentation.ts';
import type { Probe } from '../core/processes/health.ts';
import { composeOwnerReport } from '../core/remedies/ownerReport.ts';
import { composeRemedyMessage, REMEDY_MESSENGER } from '../core/remedies/remedyMessage.ts';
import { SourcesFile } from '../core/sources/sourceFile.ts';
import { callShowing } from '../core/tool.ts';
import { TOOLS } from '../core/tools/index.ts';
import { NO_TRACING, type Tracing } from '../core/tracing.ts';
import { namedSecret } from '../environment.ts';
import { PROJECT_DIR } from '../projectDir.ts';
import { recipientsOf } from './recipients.ts';
import type { RunbookPlaces } from './runbookParts.ts';

/** OpenTelemetry is loaded only for those who collect traces. */
export async function openTracing(
  config: Config,
  instanceId: string,
  log: Log,
): Promise<Tracing & { close(): Promise<void> }> {
  if (config.OTEL_EXPORTER_OTLP_ENDPOINT === '') return { ...NO_TRACING, close: async () => {} };
  const { createTracing } = await import('../adapters/tracing.ts');
  return createTracing({
    endpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT,
    headers: config.OTEL_EXPORTER_OTLP_HEADERS,
    serviceName: config.OTEL_SERVICE_NAME,
    version: config.version,
    instanceId,
    log,
  });
}

/** What agents are made from: the model, the configuration files, and connections to MCP servers. */
export function plannerParts(
  config: Config,
  clock: Clock,
  log: Log,
  connectAgent: AgentConnection | undefined,
): PlannerParts & { serversProbe: Probe } {
  const file = <S extends z.ZodType>(name: string, schema: S) =>
    reloadedFile(join(config.CONFIG_DIR, name), schema, { log });
  const servers = file('mcp_servers.yaml', McpServersFile);
  const env = (name: string) => namedSecret(name) ?? undefined;
  const parts: PlannerParts & { serversProbe: Probe } = {
    model: createLlm({
      provider: config.LLM_PROVIDER,
      model: config.LLM_MODEL,
      openai: { apiKey: config.OPENAI_API_KEY, baseUrl: config.OPENAI_BASE_URL },
      anthropic: { apiKey: config.ANTHROPIC_API_KEY, baseUrl: config.ANTHROPIC_BASE_URL },
      bedrock: { region: config.AWS_REGION, endpoint: config.BEDROCK_ENDPOINT_URL, credentials: null },
      ollama: { baseUrl: config.OLLAMA_URL },
    }),
    prices: file('llm_prices.yaml', LlmPricesFile),
    profiles: file('agent_profiles.yaml', AgentProfilesFile),
    budget: { dayUsd: config.LLM_DAILY_BUDGET_USD, callerUsd: config.LLM_DAILY_BUDGET_PER_KEY_USD },
    // Loaded when the first agent is set to work.
    openTools: async (profile, caller) =>
      (await import('../adapters/mcpTools.ts')).openMcpTools({
        // Other systems know nothing of teams: they would answer an agent about any machine.
        servers: new Map(
          [...servers.current()].filter(
            ([name, { transport }]) =>
              profile.servers.includes(name) && (transport === 'in_process' || !caller.actor.grants),
          ),
        ),
        async connectInProcess(server, transport) {
          if (!connectAgent) throw new AppError('unavailable', `This process does not serve ${server} to agents.`);
          await connectAgent({ ...caller, tools: TOOLS, charts, log, version: config.version }, transport);
        },
        env,
        log,
      }),
    serversProbe: mcpServersProbe({
      servers,
      clock,
      async check(external) {
        const { openMcpTools } = await import('../adapters/mcpTools.ts');
        const connectInProcess = () => Promise.reject(new Error('Only external servers are checked.'));
        const tools = await openMcpTools({ servers: external, connectInProcess, env, log });
        return tools.close().then(tools.status);
      },
    }),
  };
  logModel(parts, log);
  return parts;
}

/** Loads at the first call, and gives every later one the same. */
function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | null = null;
  return () => {
    loaded ??= load();
    return loaded;
  };
}

/** The systems that know machines already; none where there is no such file. Their reader is loaded with the first cycle. */
export function sourceParts(config: Config, log: Log): Pick<Ports, 'sources' | 'sourceReader' | 'machineLists'> {
  const file = join(config.CONFIG_DIR, 'sources.yaml');
  const prometheus = once(async () =>
    (await import('../adapters/collectors/prometheus/prometheusSource.ts')).createPrometheusSource(namedSecret),
  );
  const fleet = once(async () =>
    (await import('../adapters/collectors/fleet/fleetSource.ts')).createFleetSource(namedSecret),
  );
  return {
    machineLists,
    sources: existsSync(file) ? reloadedFile(file, SourcesFile, { log }) : { current: () => [] },
    sourceReader: {
      async read(source, ...cycle) {
        return source.type === 'prometheus'
          ? (await prometheus()).read(source, ...cycle)
          : (await fleet()).read(source, ...cycle);
      },
      async affected(source, ...asked) {
        return source.type === 'prometheus'
          ? (await prometheus()).affected(source, ...asked)
          : (await fleet()).affected(source, ...asked);
      },
    },
  };
}

/** The messenger to the ticket system; none while no ticket system is connected. */
export function ticketMessengers(config: Config, ports: Ports): Messenger[] {
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
      find: (ticketId) => ports.store.tickets.get(ticketId),
      taken: (ticketId, taken) => ticketTaken(ports, ticketId, taken),
      givenUp: (messages, reason) => ticketGivenUp(ports, messages, reason),
    }),
  ];
}

/** @param key encrypts what is written; null leaves it readable */
export function backupsOf(config: Config, database: Database, key: Buffer | null): Backups {
  return createBackups(database, {
    databaseUrl: config.DATABASE_URL,
    backupDir: config.BACKUP_DIR,
    uploadsDir: uploadsDir(config),
    version: config.version,
    key,
  });
}

/** The messengers to the systems that call people, as far as they are set up. */
export function alertReceivers(config: Config, invoke: () => Invoke, clock: Clock): Messenger[] {
  const readAlert = async (id: number): Promise<AlertFacts> => {
    const { tool, input } = callShowing(TOOLS, 'alert', String(id));
    return (await invoke()(tool, input, jobActor('notify_receivers'))).output.alert as AlertFacts;
  };
  const { PAGERDUTY_ROUTING_KEY: routingKey, PAGERDUTY_SEVERITIES: chosen, ALERT_WEBHOOK_URL: url } = config;
  const severities = chosen.length > 0 ? chosen : ['critical'];
  const pagerDuty = { routingKey, url: config.PAGERDUTY_EVENTS_URL || PAGERDUTY_EVENTS_URL, severities, readAlert };
  const webhook = { url, secret: config.ALERT_WEBHOOK_SECRET, readAlert, nowMs: () => clock.now().getTime() };
  return [
    ...(routingKey === '' ? [] : [createPagerDuty(pagerDuty)]),
    ...(url === '' ? [] : [createAlertWebhook(webhook)]),
  ];
}

/** The agent that machines are offered, and the key that signs its updates. */
export function agentReleasesOf(config: Config, log: Log): AgentReleases {
  const keyFile = join(config.DATA_DIR, 'agent-update-key.pem');
  return createAgentReleases({ dir: config.DEX_AGENT_DIR, keyFile, log });
}

/** Runbooks that came by upload; a backup takes them along. */
export function uploadsDir(config: Config): string {
  return join(config.DATA_DIR, 'runbooks');
}

/** Where a process finds runbooks, their index and the embedding model. */
export function runbookPlaces(config: Config): RunbookPlaces {
  return {
    root: PROJECT_DIR,
    shippedDir: config.RUNBOOKS_DIR,
    uploadedDir: uploadsDir(config),
    indexDir: join(config.DATA_DIR, 'runbook-index'),
    modelsDir: join(config.DATA_DIR, 'models'),
    glossaryFile: join(config.CONFIG_DIR, 'runbook_glossary.yaml'),
    model: config.EMBEDDING_MODEL,
  };
}

/** The part of the configuration that use cases read. @param messengers those that post to people and channels */
export function settingsOf(config: Config, messengers: readonly Messenger[]): Settings {
  const slackNotified = config.SLACK_BOT_TOKEN !== '' && config.SLACK_ALERT_CHANNEL !== '';
  return {
    scanIntervalMs: config.DEX_SCAN_INTERVAL_MINUTES * 60_000,
    agentUpdates: config.DEX_AGENT_UPDATES,
    retentionDays: config.DEX_RETENTION_DAYS,
    hostLabels: config.DEX_HOST_LABELS,
    scanConcurrency: config.DEX_SCAN_CONCURRENCY,
    thresholds: { warning: config.DEX_SCORE_ALERT_THRESHOLD, critical: config.DEX_SCORE_CRITICAL_THRESHOLD },
    alertMessengers: [
      ...new Set([
        ...messengers.map(({ name }) => name).filter((name) => name !== SURVEY_MESSENGER && name !== REMEDY_MESSENGER),
        ...(slackNotified ? ['slack'] : []),
      ]),
    ],
    timeZone: config.DEX_TIME_ZONE,
    healing: config.DEX_SELF_HEALING_ENABLED ? (config.DEX_HEALING_ALWAYS_ASKS ? 'always_ask' : 'as_mapped') : 'off',
    ownerRemedies: config.DEX_OWNER_REMEDIES,
    tickets: config.DEX_TICKET_WEBHOOK_URL !== '',
    publicUrl: config.PUBLIC_URL,
    revealNeedsSecond: config.DEX_REVEAL_SECOND_PERSON,
    recipients: recipientsOf(config),
  };
}

/** What Slack's messengers take from the application; null while no bot token is set. */
export async function openSlack(
  config: Config,
  formatting: SlackFormatting | undefined,
  parts: { ports: () => Ports; invoke: () => Invoke; store: Store; clock: Clock; log: Log },
): Promise<SlackConnection | null> {
  if (config.SLACK_BOT_TOKEN === '') return null;
  const { connectSlack } = await import('../adapters/slack/connect.ts');
  const read = (card: CardKind, id: string) => {
    const { tool, input } = callShowing(TOOLS, card, id);
    return parts.invoke()(tool, input, jobActor('tell_slack'));
  };
  return connectSlack(
    {
      token: config.SLACK_BOT_TOKEN,
      apiUrl: config.SLACK_API_URL,
      channel: config.SLACK_ALERT_CHANNEL,
      approvers: config.SLACK_APPROVERS.length > 0 ? config.SLACK_APPROVERS : config.SLACK_OPERATORS,
    },
    formatting,
    {
      messages: parts.store.slackMessages,
      readAlert: (id) => read('alert', String(id)),
      readApproval: (id) => read('approval', id),
      readReport: (days) => {
        const { tool, input } = callShowing(TOOLS, 'report');
        return parts.invoke()(tool, { ...input, days }, jobActor('tell_slack'));
      },
      charts,
      alertsOf: async (hostname) => {
        const { tool, input } = callShowing(TOOLS, 'alerts');
        const wanted = { ...input, hostname, status: 'all', limit: MOST_BESIDE };
        const { output } = await parts.invoke()(tool, wanted, jobActor('tell_slack'));
        return (output.alerts as { id: number }[]).map(({ id }) => id);
      },
      write: (message) => composeSurveyMessage(parts.ports(), message),
      compose: ({ remedy_id, owner_report }) =>
        owner_report === undefined
          ? composeRemedyMessage(parts.ports(), String(remedy_id))
          : composeOwnerReport(parts.ports(), String(owner_report)),
    },
    parts,
  );
}

/** Alerts of a machine among which those are found that came with a new one. */
const MOST_BESIDE = 10;

/** Says at start what agents think with, and what no budget holds for. */
function logModel({ model, prices }: PlannerParts, log: Log): void {
  const nothing = { inputTokens: 0, outputTokens: 0 };
  if (!model.llm) log.info({ reason: model.reason }, 'no language model: agents answer by rules');
  else if (costUsd(prices.current(), model.llm.describe(), nothing) === null)
    log.warn(model.llm.describe(), 'this model has no price in llm_prices.yaml: no budget holds for it');
}

/** The folder for all data of this process, and the database, which may be elsewhere. */
export function openStorage(config: Config): Promise<Database> {
  makeFolder(config.DATA_DIR, 0o700);
  return openDatabase(config.DATABASE_URL, config.DATABASE_POOL_SIZE);
}
