/** What planner tests share: a scripted model, a real MCP server in memory, a profile, a clock that stands still. */
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { onTestFinished } from 'vitest';
import { type McpTools, openMcpTools } from '../../src/adapters/mcpTools.ts';
import { type AgentProfile, AgentProfilesFile } from '../../src/core/planner/agentProfiles.ts';
import type { Llm, LlmReply, LlmRequest } from '../../src/core/planner/llm.ts';
import { type PlannerResult, type PlannerRun, runPlanner } from '../../src/core/planner/planner.ts';
import type { PlannerState } from '../../src/core/planner/plannerState.ts';
import type { Log } from '../../src/core/ports/ports.ts';
import { NO_TRACING } from '../../src/core/tracing.ts';
import { mcpServerOf, type TestTool } from './mcpServer.ts';

export type ScriptedReply = { text?: string; calls?: [name: string, input: unknown][] } & Partial<LlmReply>;
type Asked = Omit<LlmRequest, 'signal' | 'onText'>;
type Script = ScriptedReply | ((request: LlmRequest) => ScriptedReply | Promise<ScriptedReply>);

/** A model that says its lines in order, the last one for ever; it keeps what it was asked. */
export function scriptedLlm(...script: Script[]): Llm & { requests: Asked[] } {
  const requests: Asked[] = [];
  return {
    requests,
    describe: () => ({ provider: 'scripted', model: 'script-1' }),
    ping: async () => ({ ok: true, reason: null }),
    async complete(request) {
      request.signal.throwIfAborted();
      const { signal: _signal, onText: _onText, ...asked } = request;
      requests.push(structuredClone(asked));
      const line = script[Math.min(requests.length, script.length) - 1]!;
      const { text = '', calls = [], ...rest } = typeof line === 'function' ? await line(request) : line;
      return {
        text,
        toolCalls: calls.map(([name, input], index) => ({
          id: `p${requests.length}_${index}`,
          name,
          input,
          unparsedInput: null,
        })),
        usage: { inputTokens: 100, outputTokens: 10 },
        stopReason: calls.length > 0 ? 'tools' : 'end',
        carry: null,
        ...rest,
      };
    },
  };
}

const nothing = () => {};
export const silentLog: Log = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  child: () => silentLog,
};

/** The tools of an in-memory server named `dexops`, through the real client; closed when the test ends. */
export async function toolsOf(tools: Record<string, TestTool>): Promise<McpTools> {
  const opened = await openMcpTools({
    servers: new Map([['dexops', { transport: 'in_process' }]]),
    connectInProcess: (_name: string, transport: Transport) => mcpServerOf(tools).connect(transport),
    env: () => undefined,
    log: silentLog,
  });
  onTestFinished(() => opened.close());
  return opened;
}

export function profileOf(changes: Record<string, unknown> = {}): AgentProfile {
  const profiles = AgentProfilesFile.parse({
    profiles: {
      tester: {
        description: 'For tests.',
        prompt: 'You are tested.',
        servers: ['dexops'],
        tools: ['dexops__*'],
        limits: { steps: 15, tokens: 100_000, cost_usd: 1, seconds: 60 },
        answer: {
          type: 'object',
          additionalProperties: false,
          required: ['cause'],
          properties: { cause: { type: 'string' } },
        },
        ...changes,
      },
    },
  });
  return profiles.get('tester')!;
}

export const ANSWER = { text: '{"cause":"disk"}' };
export const START = new Date('2026-11-24T08:00:00Z');

/** Runs the planner with test defaults; `states` are what was persisted, as the database would give it back. */
export async function plan(
  changes: Partial<PlannerRun> & Pick<PlannerRun, 'llm' | 'tools'>,
): Promise<PlannerResult & { states: PlannerState[] }> {
  const states: PlannerState[] = [];
  const result = await runPlanner({
    prices: [],
    profile: profileOf(),
    goal: 'Why is it slow?',
    context: {},
    clock: { now: () => START },
    tracing: NO_TRACING,
    onStep: async (state) => {
      states.push(JSON.parse(JSON.stringify(state)));
    },
    signal: new AbortController().signal,
    ...changes,
  });
  return { ...result, states };
}
