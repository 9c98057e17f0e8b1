/** How the external MCP servers of agents stand, for the health page: there or not, and still as they were approved. */

import { pause } from '../concurrency/pause.ts';
import type { Clock, Reloaded } from '../ports/ports.ts';
import type { Check, Probe } from '../processes/health.ts';
import type { McpServerConfig } from './agentProfiles.ts';

/** How a server or one of its tools stands, for people. */
export interface McpServerStatus {
  server: string;
  /** Null when connected, else why not. */
  problem: string | null;
  tools: {
    /** `server__tool`. */
    name: string;
    hash: string;
    /** Null when it may be called. */
    problem: string | null;
  }[];
}

/** Health pages are asked every few seconds; a check starts processes and opens sessions. */
const POLL_EVERY_MS = 5 * 60_000;
/** Less than the health page waits for a probe; a check that takes longer is reported the next time. */
const PATIENCE_MS = 2000;

interface McpServersProbeOptions {
  servers: Reloaded<Map<string, McpServerConfig>>;
  /** Connects to these servers, lists their tools, and disconnects. */
  check(servers: Map<string, McpServerConfig>): Promise<McpServerStatus[]>;
  clock: Clock;
}

export function mcpServersProbe({ servers, check, clock }: McpServersProbeOptions): Probe {
  let last: Check = { status: 'ok', detail: 'external MCP servers are being checked' };
  let lookedMs = Number.NEGATIVE_INFINITY;
  let lookedAt: Map<string, McpServerConfig> | null = null;
  let checking: Promise<void> = Promise.resolve();
  return async () => {
    const configured = servers.current();
    const external = new Map([...configured].filter(([, { transport }]) => transport !== 'in_process'));
    if (external.size === 0) return { status: 'ok', servers: {} };
    const nowMs = clock.now().getTime();
    if (configured !== lookedAt || nowMs - lookedMs >= POLL_EVERY_MS) {
      lookedMs = nowMs;
      lookedAt = configured;
      checking = check(external).then(
        (found) => {
          last = judge(external, found);
        },
        (error: unknown) => {
          last = { status: 'degraded', detail: String(error) };
        },
      );
    }
    const over = new AbortController();
    await Promise.race([checking, pause(PATIENCE_MS, over.signal)]).finally(() => over.abort());
    return last;
  };
}

function judge(configured: Map<string, McpServerConfig>, found: McpServerStatus[]): Check {
  const problems = found.flatMap(({ server, problem, tools }) => {
    if (problem !== null) return [`${server} cannot be reached: ${problem}`];
    return approvedTools(configured.get(server)).flatMap((approved) => {
      const tool = tools.find(({ name }) => name === `${server}__${approved}`);
      if (!tool) return [`${server} has no tool ${approved} any more`];
      return tool.problem === null ? [] : [`${tool.name}: ${tool.problem}`];
    });
  });
  const facts = found.map(({ server, problem, tools }) => [
    server,
    { reachable: problem === null, usable_tools: tools.filter((tool) => tool.problem === null).length },
  ]);
  return {
    status: problems.length === 0 ? 'ok' : 'degraded',
    servers: Object.fromEntries(facts),
    ...(problems.length > 0 && { detail: problems.join('; ') }),
  };
}

const approvedTools = (config: McpServerConfig | undefined) =>
  config && config.transport !== 'in_process' ? Object.keys(config.tools) : [];
