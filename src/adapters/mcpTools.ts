/** Gives the planner the tools of MCP servers, ours in process and others by stdio or HTTP, each held to what was approved. */
import { createHash } from 'node:crypto';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { type CallToolResult, CallToolResultSchema, McpError, type Tool } from '@modelcontextprotocol/sdk/types.js';
import type { Actor } from '../core/actor.ts';
import { canonicalJson } from '../core/canonicalJson.ts';
import type { ChartRenderer } from '../core/chart.ts';
import { AppError } from '../core/errors.ts';
import type { Invoke } from '../core/invoke.ts';
import type { McpServerConfig } from '../core/planner/agentProfiles.ts';
import type { McpServerStatus } from '../core/planner/mcpServers.ts';
import type { PlannerTool, PlannerTools, ToolResult } from '../core/planner/plannerTools.ts';
import type { Log } from '../core/ports/ports.ts';
import type { AnyTool, Effect } from '../core/tool.ts';

/** Connects a server of our own tools, as the actor may have them, to the other end of an in-memory transport. */
export type AgentConnection = (
  options: {
    tools: readonly AnyTool[];
    invoke: Invoke;
    actor: Actor;
    charts: ChartRenderer;
    log: Log;
    version: string;
  },
  transport: Transport,
) => Promise<void>;

interface McpToolsOptions {
  /** The servers to connect to, by name; those of a profile. */
  servers: Map<string, McpServerConfig>;
  /** Connects one of our own servers, made for this run's actor, to the other end of an in-memory transport. */
  connectInProcess: (server: string, transport: Transport) => Promise<void>;
  /** The value of an environment variable that the configuration names. */
  env: (name: string) => string | undefined;
  log: Log;
}

export interface McpTools extends PlannerTools {
  status(): McpServerStatus[];
  /** Ends the sessions and the processes. */
  close(): Promise<void>;
}

const IN_PROCESS_TIMEOUT_MS = 120_000;
const CONNECT_TIMEOUT_MS = 15_000;
/** More tools than this no model chooses well from, and a server that keeps listing is broken. */
const MAX_TOOLS_PER_SERVER = 200;
/** What every provider takes as a function's name. */
const USABLE_NAME = /^[A-Za-z0-9_-]{1,64}$/;

interface Server {
  name: string;
  config: McpServerConfig;
  client: Client;
  timeoutMs: number;
  tools: Map<string, { tool: PlannerTool; hash: string; problem: string | null }>;
  problem: string | null;
}

/**
 * What a human approves when they approve a tool: everything of its declaration that the model or the policy relies
 * on, as `sha256:` and hexadecimal digits.
 */
export function toolHash({ name, title, description, inputSchema, outputSchema, annotations }: Tool): string {
  const declared = canonicalJson({ name, title, description, inputSchema, outputSchema, annotations });
  return `sha256:${createHash('sha256').update(declared).digest('hex')}`;
}

/**
 * Connects to all servers side by side. One that cannot be reached has no tools and says why in `status()`; the others
 * work. Close what this returns.
 */
export async function openMcpTools(options: McpToolsOptions): Promise<McpTools> {
  const servers = await Promise.all([...options.servers].map(([name, config]) => open(name, config, options)));
  const serverOf = (toolName: string) => servers.find(({ tools }) => tools.has(toolName));

  return {
    list: () =>
      servers.flatMap(({ tools }) => [...tools.values()].filter(({ problem }) => !problem).map(({ tool }) => tool)),

    async call(toolName, input, { signal }) {
      const server = serverOf(toolName);
      if (!server) throw new AppError('not_found', `No connected MCP server has a tool ${toolName}.`);
      // A server may change its tools without saying so, hence a check before every call that leaves the process.
      if (server.config.transport !== 'in_process') await refresh(server, options.log, signal);
      const problem = server.tools.get(toolName)?.problem;
      if (problem !== null) {
        throw new AppError('refused', `${toolName} may not be called: ${problem ?? 'the server no longer has it'}.`);
      }
      return callTool(server, toolName, input, signal);
    },

    status: () =>
      servers.map(({ name, problem, tools }) => ({
        server: name,
        problem,
        tools: [...tools.values()].map((entry) => ({
          name: entry.tool.name,
          hash: entry.hash,
          problem: entry.problem,
        })),
      })),

    close: async () => {
      await Promise.allSettled(servers.map(({ client }) => client.close()));
    },
  };
}

async function open(name: string, config: McpServerConfig, options: McpToolsOptions): Promise<Server> {
  // No capability is offered: a server that would ask this client (elicitation, sampling, roots) finds nobody to ask.
  const client = new Client({ name: 'dexops-planner', version: '1.0.0' });
  const timeoutMs = config.transport === 'in_process' ? IN_PROCESS_TIMEOUT_MS : config.timeout_seconds * 1000;
  const server: Server = { name, config, client, timeoutMs, tools: new Map(), problem: null };
  try {
    await client.connect(await transportOf(name, config, options), { timeout: CONNECT_TIMEOUT_MS });
    await refresh(server, options.log, AbortSignal.timeout(CONNECT_TIMEOUT_MS));
  } catch (error) {
    server.problem = messageOf(error);
    server.tools.clear();
    options.log.warn({ server: name, problem: server.problem }, 'MCP server not usable');
    await client.close().catch(() => {});
  }
  return server;
}

async function transportOf(
  name: string,
  config: McpServerConfig,
  { connectInProcess, env }: McpToolsOptions,
): Promise<Transport> {
  const valueOfVariable = (variable: string): string => {
    const value = env(variable);
    if (value === undefined) {
      throw new AppError(
        'unavailable',
        `MCP server ${name} needs the environment variable ${variable}, which is not set.`,
      );
    }
    return value;
  };
  switch (config.transport) {
    case 'in_process': {
      const [ours, theirs] = InMemoryTransport.createLinkedPair();
      await connectInProcess(name, theirs);
      return ours;
    }
    case 'stdio':
      return new StdioClientTransport({
        command: config.command,
        args: config.args,
        env: Object.fromEntries(config.env.map((variable) => [variable, valueOfVariable(variable)])),
        stderr: 'ignore',
      });
    case 'http':
      return new StreamableHTTPClientTransport(new URL(config.url), {
        requestInit: {
          headers: Object.fromEntries(
            Object.entries(config.headers).map(([header, variable]) => [header, valueOfVariable(variable)]),
          ),
        },
      });
  }
}

/** Lists the server's tools anew and judges each; what newly became unusable is logged. */
async function refresh(server: Server, log: Log, signal: AbortSignal): Promise<void> {
  const listed: Tool[] = [];
  let cursor: string | undefined;
  do {
    const page = await server.client
      .listTools({ cursor }, { signal, timeout: server.timeoutMs })
      .catch((error: unknown) => {
        signal.throwIfAborted();
        throw new AppError('refused', `MCP server ${server.name} did not list its tools: ${messageOf(error)}`);
      });
    listed.push(...page.tools);
    cursor = page.nextCursor;
  } while (cursor !== undefined && listed.length < MAX_TOOLS_PER_SERVER);

  const before = server.tools;
  server.tools = new Map();
  for (const declared of listed.slice(0, MAX_TOOLS_PER_SERVER)) {
    const tool = plannerTool(server.name, declared);
    const hash = toolHash(declared);
    const problem = server.tools.has(tool.name)
      ? 'the server lists it twice'
      : problemOf(server.config, declared, tool, hash);
    if (problem && before.get(tool.name)?.problem !== problem) {
      log.warn(
        { server: server.name, tool: declared.name, hash, problem, description: tool.description },
        'MCP tool not usable',
      );
    }
    server.tools.set(tool.name, { tool, hash, problem });
  }
}

function problemOf(config: McpServerConfig, declared: Tool, tool: PlannerTool, hash: string): string | null {
  if (!USABLE_NAME.test(tool.name)) return 'model providers do not take its name';
  if (config.transport === 'in_process') return null;
  const approved = Object.hasOwn(config.tools, declared.name) ? config.tools[declared.name] : undefined;
  if (approved === undefined) return `not approved in mcp_servers.yaml; it is ${hash}`;
  return approved === hash ? null : `changed since it was approved: it is ${hash}, approved was ${approved}`;
}

function plannerTool(server: string, { name, description, inputSchema, annotations }: Tool): PlannerTool {
  return { name: `${server}__${name}`, description: description ?? '', inputSchema, effect: effectOf(annotations) };
}

/** A hint that is missing counts as the worse of its two meanings, as the protocol's own defaults do. */
function effectOf(annotations: Tool['annotations']): Effect {
  if (annotations?.readOnlyHint === true) return 'read';
  return annotations?.destructiveHint === false ? 'write' : 'destructive';
}

/** A plain request, because `client.callTool` checks outputs and reports a bad one as if nothing had been carried out. */
async function callTool(server: Server, toolName: string, input: unknown, signal: AbortSignal): Promise<ToolResult> {
  const name = toolName.slice(server.name.length + 2);
  const { content, structuredContent, isError } = await server.client
    .request(
      { method: 'tools/call', params: { name, arguments: isRecord(input) ? input : {} } },
      CallToolResultSchema,
      {
        signal,
        timeout: server.timeoutMs,
      },
    )
    .catch((error: unknown) => {
      signal.throwIfAborted();
      // A timeout or a lost connection leaves open whether the call was carried out, and so does any other error.
      const kind = error instanceof McpError && NOT_CARRIED_OUT.has(error.code) ? 'invalid' : 'unavailable';
      throw new AppError(kind, `${toolName} gave no result: ${messageOf(error)}`, undefined, { cause: error });
    });
  const text = content.map(textOf).join('\n');
  return {
    text: text || (structuredContent ? JSON.stringify(structuredContent) : '(no text)'),
    output: structuredContent ?? null,
    isError: isError === true,
  };
}

function textOf(block: CallToolResult['content'][number]): string {
  if (block.type === 'text') return block.text;
  if (block.type === 'resource' && 'text' in block.resource) return block.resource.text;
  return `[${block.type}, not shown]`;
}

/** Parse error, invalid request, no such method, invalid parameters (JSON-RPC 2.0, section 5.1). */
const NOT_CARRIED_OUT = new Set([-32700, -32600, -32601, -32602]);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error)).slice(0, 300);
