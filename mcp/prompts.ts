/** Prompts over MCP: ready-made tasks for people to pick; every step names the tool that does it and is left out when that tool is not offered. */
import type {
  GetPromptRequestParams,
  GetPromptResult,
  ListPromptsResult,
  PromptArgument,
} from '@modelcontextprotocol/sdk/types.js';
import { offers } from '../src/core/policy.ts';
import { hostnameInput } from '../src/core/shapes.ts';
import { MODEL_TASKS } from '../src/core/tools/modelGuide.ts';
import { invalidParams } from './failures.ts';
import type { McpServerOptions } from './options.ts';

const HOSTNAME: PromptArgument = { name: 'hostname', description: 'Hostname of the endpoint', required: true };

interface PromptAnswers {
  list(): ListPromptsResult;
  get(params: GetPromptRequestParams): GetPromptResult;
}

/** What every revision of the protocol answers about prompts. */
export function promptAnswers({ tools, actor }: Pick<McpServerOptions, 'tools' | 'actor'>): PromptAnswers {
  const offered = new Set(tools.filter((tool) => offers(tool, actor)).map(({ name }) => name));
  // A task whose first step this actor may not take is not worth offering.
  const available = MODEL_TASKS.filter(({ steps }) => steps[0] && offered.has(steps[0].tool));

  return {
    list: () => ({
      prompts: available.map(({ name, title, description, aboutEndpoint }) => ({
        name,
        title,
        description,
        ...(aboutEndpoint && { arguments: [HOSTNAME] }),
      })),
    }),

    get(params) {
      const prompt = available.find(({ name }) => name === params.name);
      if (!prompt) throw invalidParams(`There is no prompt named ${params.name}.`);
      const about = prompt.aboutEndpoint ? [`Endpoint: ${requireHostname(params.arguments)}`] : [];
      const steps = prompt.steps.filter(({ tool }) => offered.has(tool)).map(({ tool, what }) => `- ${tool}: ${what}`);
      const text = [prompt.task, ...about, 'Use these tools:', ...steps, prompt.answer].join('\n');
      return { description: prompt.description, messages: [{ role: 'user', content: { type: 'text', text } }] };
    },
  };
}

function requireHostname(given: Record<string, string> | undefined): string {
  const parsed = hostnameInput.safeParse(given?.hostname);
  if (parsed.success) return parsed.data;
  throw invalidParams('This prompt needs the argument hostname, of at most 253 characters.');
}
