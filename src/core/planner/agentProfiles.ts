/** What `config/agent_profiles.yaml` and `config/mcp_servers.yaml` may say, and what they mean to the planner. */
import { z } from 'zod';
import type { JsonSchema } from './llm.ts';
import { matchesAnyTool, type PlannerTool } from './plannerTools.ts';

/** The guide's ceiling for one run. */
export const MAX_STEPS = 15;
/** The guide's ceiling for one run, in seconds. */
export const MAX_RUN_SECONDS = 600;

export interface PlannerLimits {
  steps: number;
  /** Input and output tokens together. */
  tokens: number;
  costUsd: number;
  /** Working time; waiting for a human does not count. */
  timeMs: number;
}

export interface AgentProfile {
  name: string;
  description: string;
  prompt: string;
  servers: string[];
  /** Names of tools, or their beginnings followed by `*`. */
  tools: string[];
  needsApproval: string[];
  allowWrites: string[];
  /** Names of context fields that become arguments the agent cannot choose. */
  pin: string[];
  /** The provider's name of the model; null means the default one. */
  model: string | null;
  limits: PlannerLimits;
  answer: { schema: JsonSchema; validator: z.ZodType };
}

const serverName = z.string().regex(/^[a-z][a-z0-9-]*$/, 'lower-case letters, digits and hyphens, a letter first');
const toolPattern = z
  .string()
  .regex(/^[a-z][a-z0-9-]*__[A-Za-z0-9_-]*\*?$/, 'server__tool, or a beginning followed by *');

const answerSchema = z.record(z.string(), z.unknown()).transform((schema, context) => {
  try {
    return { schema, validator: z.fromJSONSchema(schema) };
  } catch (error) {
    context.addIssue({ code: 'custom', message: `not a JSON Schema that can be checked: ${String(error)}` });
    return z.NEVER;
  }
});

const profileFile = z
  .strictObject({
    description: z.string().min(1),
    prompt: z.string().min(1),
    servers: z.array(serverName).min(1),
    tools: z.array(toolPattern).min(1),
    needs_approval: z.array(toolPattern).default([]),
    allow_writes: z.array(toolPattern).default([]),
    pin: z.array(z.string()).default([]),
    model: z.string().nullable().default(null),
    limits: z.strictObject({
      steps: z.number().int().min(1).max(MAX_STEPS),
      tokens: z.number().int().min(1),
      cost_usd: z.number().positive(),
      seconds: z.number().positive().max(MAX_RUN_SECONDS),
    }),
    answer: answerSchema,
  })
  .refine((profile) => profile.tools.every((pattern) => profile.servers.includes(serverOf(pattern))), {
    path: ['tools'],
    message: 'names a tool of a server that is not in servers',
  });

/** `config/agent_profiles.yaml`, by name. */
export const AgentProfilesFile = z.strictObject({ profiles: z.record(z.string(), profileFile) }).transform(
  ({ profiles }) =>
    new Map(
      Object.entries(profiles).map(([name, profile]): [string, AgentProfile] => [
        name,
        {
          name,
          description: profile.description,
          prompt: profile.prompt.trim(),
          servers: profile.servers,
          tools: profile.tools,
          needsApproval: profile.needs_approval,
          allowWrites: profile.allow_writes,
          pin: profile.pin,
          model: profile.model,
          limits: {
            steps: profile.limits.steps,
            tokens: profile.limits.tokens,
            costUsd: profile.limits.cost_usd,
            timeMs: profile.limits.seconds * 1000,
          },
          answer: profile.answer,
        },
      ]),
    ),
);

/** The tools a profile may see. */
export const toolsOf = (profile: AgentProfile, tools: PlannerTool[]) =>
  tools.filter((tool) => profile.servers.includes(serverOf(tool.name)) && matchesAnyTool(profile.tools, tool.name));

/**
 * Does a human have to approve first? Reads do not need it unless the profile says so, a write does unless the profile
 * allows it, and what destroys always does.
 */
export function needsApproval(profile: AgentProfile, tool: PlannerTool): boolean {
  if (matchesAnyTool(profile.needsApproval, tool.name)) return true;
  if (tool.effect === 'read') return false;
  return tool.effect === 'destructive' || !matchesAnyTool(profile.allowWrites, tool.name);
}

const serverOf = (toolName: string) => toolName.slice(0, toolName.indexOf('__'));

const envName = z
  .string()
  .regex(/^[A-Z][A-Z0-9_]*$/, 'the name of an environment variable; its value does not belong in this file');
const pin = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'sha256: and 64 hexadecimal digits');
const external = {
  /** Allowed tools, each with the hash of the declaration that a human has read. */
  tools: z.record(z.string(), pin).default({}),
  timeout_seconds: z.number().positive().max(MAX_RUN_SECONDS).default(30),
};

const mcpServer = z.discriminatedUnion('transport', [
  z.strictObject({ transport: z.literal('in_process') }),
  z.strictObject({
    transport: z.literal('stdio'),
    command: z.string().min(1),
    args: z.array(z.string()).default([]),
    env: z.array(envName).default([]),
    ...external,
  }),
  z.strictObject({
    transport: z.literal('http'),
    url: z.url({ protocol: /^https?$/ }),
    headers: z.record(z.string(), envName).default({}),
    ...external,
  }),
]);

export type McpServerConfig = z.output<typeof mcpServer>;

/** `config/mcp_servers.yaml`, by name. */
export const McpServersFile = z
  .strictObject({ servers: z.record(serverName, mcpServer) })
  .transform(({ servers }) => new Map(Object.entries(servers)));
