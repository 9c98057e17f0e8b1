/** Prompts over MCP: ready-made tasks for people to pick; every step names the tool that does it and is left out when that tool is not offered. */
import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import {
  ErrorCode,
  GetPromptRequestSchema,
  ListPromptsRequestSchema,
  McpError,
  type PromptArgument,
} from '@modelcontextprotocol/sdk/types.js';
import { offers } from '../src/core/policy.ts';
import { hostnameInput } from '../src/core/shapes.ts';
import type { McpServerOptions } from './options.ts';

interface Prompt {
  name: string;
  title: string;
  description: string;
  aboutEndpoint: boolean;
  task: string;
  steps: { tool: string; what: string }[];
  answer: string;
}

const HOSTNAME: PromptArgument = { name: 'hostname', description: 'Hostname of the endpoint', required: true };

export const PROMPTS: readonly Prompt[] = [
  {
    name: 'triage_endpoint',
    title: 'Triage an endpoint',
    description: 'Finds out why one machine serves its user badly and what to do first.',
    aboutEndpoint: true,
    task: 'Find out what is wrong with this endpoint.',
    steps: [
      { tool: 'get_endpoint', what: 'see whose machine it is and whether it answers' },
      { tool: 'get_score', what: 'see what lowered the score and what would raise it most' },
      { tool: 'get_score_history', what: 'tell a sudden drop from a slow decline' },
      { tool: 'scan_endpoint', what: 'scan again when the score is missing or stale' },
      { tool: 'get_run', what: 'read what a new scan found, once it has ended' },
      { tool: 'endpoint_runbooks', what: 'find the page on what to do about it' },
    ],
    answer:
      'Answer with the likely cause, the evidence for it in numbers, and the one thing to do first. Say what was not measured.',
  },
  {
    name: 'fleet_report',
    title: 'Report on the fleet',
    description: 'A short report on the whole fleet for a standup or a manager.',
    aboutEndpoint: false,
    task: 'Report how well the fleet serves its people right now.',
    steps: [
      { tool: 'get_fleet', what: 'get the counts, the average and the worst machines' },
      { tool: 'list_endpoints', what: 'find the stale ones (state stale) and the critical tier (criticality_tier 1)' },
      { tool: 'get_score', what: 'learn why the three worst are where they are' },
    ],
    answer:
      'Answer in at most ten lines: the state, what stands out by persona, the three worst machines with their reason, and what to do today.',
  },
  {
    name: 'onboard_endpoint',
    title: 'Watch a new endpoint',
    description: 'Registers a machine, scans it for the first time and explains its first score.',
    aboutEndpoint: true,
    task: 'Begin to watch this machine. Ask me for its address, its owner and its collector where you do not know them.',
    steps: [
      { tool: 'register_endpoint', what: 'register it' },
      { tool: 'scan_endpoint', what: 'scan it, unless it reports by itself (collector push)' },
      { tool: 'get_run', what: 'wait until the scan has ended' },
      { tool: 'get_score', what: 'read the first score' },
    ],
    answer:
      'Answer with the score and its reasons or, when it could not be reached, with what to check on the machine.',
  },
];

export function servePrompts(server: Server, { tools, actor }: McpServerOptions): void {
  const offered = new Set(tools.filter((tool) => offers(tool, actor)).map(({ name }) => name));
  // A task whose first step this actor may not take is not worth offering.
  const available = PROMPTS.filter(({ steps }) => steps[0] && offered.has(steps[0].tool));

  server.setRequestHandler(ListPromptsRequestSchema, () => ({
    prompts: available.map(({ name, title, description, aboutEndpoint }) => ({
      name,
      title,
      description,
      ...(aboutEndpoint && { arguments: [HOSTNAME] }),
    })),
  }));

  server.setRequestHandler(GetPromptRequestSchema, ({ params }) => {
    const prompt = available.find(({ name }) => name === params.name);
    if (!prompt) throw new McpError(ErrorCode.InvalidParams, `There is no prompt named ${params.name}.`);
    const about = prompt.aboutEndpoint ? [`Endpoint: ${requireHostname(params.arguments)}`] : [];
    const steps = prompt.steps.filter(({ tool }) => offered.has(tool)).map(({ tool, what }) => `- ${tool}: ${what}`);
    const text = [prompt.task, ...about, 'Use these tools:', ...steps, prompt.answer].join('\n');
    return { description: prompt.description, messages: [{ role: 'user', content: { type: 'text', text } }] };
  });
}

function requireHostname(given: Record<string, string> | undefined): string {
  const parsed = hostnameInput.safeParse(given?.hostname);
  if (parsed.success) return parsed.data;
  throw new McpError(ErrorCode.InvalidParams, 'This prompt needs the argument hostname, of at most 253 characters.');
}
