/** One call of a tool as every revision of the protocol makes it: arguments read leniently, the answer as content, failures as results. */
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { AppError } from '../src/core/errors.ts';
import type { InvokeOptions } from '../src/core/invoke.ts';
import { offers } from '../src/core/policy.ts';
import type { AnyTool } from '../src/core/tool.ts';
import { contentOf } from './answerText.ts';
import { CHART_ARGUMENT, isForPrograms, isShown, takesChart } from './catalogue.ts';
import { invalidParams, type ProtocolFailure } from './failures.ts';
import { readArguments } from './lenientArguments.ts';
import type { McpServerOptions } from './options.ts';

/** Rows of a list that fit into an answer. */
const PAGE_ROWS = 25;

/** The tool of this name as far as it exists for MCP at all. */
export function toolNamed({ tools, actor }: McpServerOptions, name: string): AnyTool | undefined {
  return tools.find((tool) => tool.name === name && !tool.hiddenFrom?.includes(actor.via));
}

export function noToolNamed(name: string): ProtocolFailure {
  return invalidParams(`There is no tool named ${name}; tools/list names those there are.`);
}

/** @throws AppError, or whatever a bug throws */
export async function callTool(
  options: McpServerOptions,
  tool: AnyTool,
  given: unknown,
  how: InvokeOptions,
): Promise<CallToolResult> {
  const { invoke, actor, charts, view } = options;
  if (!isShown(tool, view) && offers(tool, actor)) throw notAskedFor(tool);
  const { input, drawn } = readInput(tool, given);
  const answer = await invoke(tool.name, input, actor, how);
  return {
    content: await contentOf(answer, charts, drawn),
    ...(view.structured && { structuredContent: answer.output }),
  };
}

function notAskedFor({ name, toolset }: AnyTool): AppError {
  return new AppError(
    'denied',
    `${name} belongs to the toolset ${toolset}, which this connection did not ask for. A person adds it to the connection: ?toolsets=${toolset} in its address, or --toolsets ${toolset} over stdio.`,
  );
}

/** The input without what only this interface knows, and whether a picture is wanted. */
function readInput(tool: AnyTool, given: unknown): { input: unknown; drawn: boolean } {
  const read = readArguments(tool, given);
  if (typeof read !== 'object' || read === null || Array.isArray(read)) return { input: read, drawn: false };
  const input: Record<string, unknown> = { ...read };
  let drawn = false;
  if (takesChart(tool) && Object.hasOwn(input, CHART_ARGUMENT)) {
    drawn = ['true', '1', 'yes'].includes(String(input[CHART_ARGUMENT]).toLowerCase());
    delete input[CHART_ARGUMENT];
  }
  if (isForPrograms(tool, 'limit') && input.limit === undefined) input.limit = PAGE_ROWS;
  return { input, drawn };
}
