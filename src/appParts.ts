/** Parts that the composition root plugs in and that take more than a line to make. */
import { join } from 'node:path';
import type { z } from 'zod';
import { charts } from './adapters/charts.ts';
import { createLlm } from './adapters/llm/create.ts';
import type { AgentConnection } from './adapters/mcpTools.ts';
import { reloadedFile, yamlFiles } from './adapters/reloadedFile.ts';
import { createTicketMessenger } from './adapters/tickets.ts';
import { type Config, namedSecret } from './config.ts';
import { ticketGivenUp, ticketTaken } from './core/alerts/ticketing.ts';
import { TicketMappingFile } from './core/alerts/ticketMapping.ts';
import { AppError } from './core/errors.ts';
import { AgentProfilesFile, McpServersFile } from './core/planner/agentProfiles.ts';
import { LlmPricesFile } from './core/planner/llm.ts';
import { mcpServersProbe } from './core/planner/mcpServers.ts';
import type { PlannerParts } from './core/planner/plannerRuns.ts';
import type { Messenger } from './core/ports/messagePorts.ts';
import type { Clock, Log, Ports } from './core/ports/ports.ts';
import type { Probe } from './core/processes/health.ts';
import { TOOLS } from './core/tools/index.ts';
import { NO_TRACING, type Tracing } from './core/tracing.ts';

/** OpenTelemetry is loaded only for those who collect traces. */
export async function openTracing(
  config: Config,
  instanceId: string,
  log: Log,
): Promise<Tracing & { close(): Promise<void> }> {
  if (config.OTEL_EXPORTER_OTLP_ENDPOINT === '') return { ...NO_TRACING, close: async () => {} };
  const { createTracing } = await import('./adapters/tracing.ts');
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
  return {
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
      (await import('./adapters/mcpTools.ts')).openMcpTools({
        servers: new Map([...servers.current()].filter(([name]) => profile.servers.includes(name))),
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
      async look(external) {
        const { openMcpTools } = await import('./adapters/mcpTools.ts');
        const connectInProcess = () => Promise.reject(new Error('Only external servers are checked.'));
        const tools = await openMcpTools({ servers: external, connectInProcess, env, log });
        return tools.close().then(tools.status);
      },
    }),
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

/** Runbooks that came by upload; a backup takes them along. */
export function uploadsDir(config: Config): string {
  return join(config.DATA_DIR, 'runbooks');
}
