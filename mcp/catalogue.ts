/** The catalogue: which tools a client is offered, and each as MCP lists it, in as few tokens as a model needs. */
import type { Tool as WireTool } from '@modelcontextprotocol/sdk/types.js';
import type { Actor } from '../src/core/actor.ts';
import { callTextFor, descriptionFor } from '../src/core/callText.ts';
import { jsonSchema } from '../src/core/invoke.ts';
import { offers } from '../src/core/policy.ts';
import type { AnyTool, CallText } from '../src/core/tool.ts';
import type { McpServerOptions } from './options.ts';
import type { McpView } from './view.ts';

/** What `tools/list` answers, in every revision of the protocol. */
export function catalogueFor({ tools, actor, view }: Pick<McpServerOptions, 'tools' | 'actor' | 'view'>): WireTool[] {
  const callText = callTextFor(tools, actor.via);
  return offeredTools(tools, actor, view).map((tool) => describeTool(tool, callText, view));
}

/** The tools that this actor may call and that belong to what the client asked for. */
export function offeredTools(tools: readonly AnyTool[], actor: Actor, view: Pick<McpView, 'toolsets'>): AnyTool[] {
  return tools.filter((tool) => offers(tool, actor) && isShown(tool, view));
}

/** Whether a tool belongs to what the client asked for. */
export function isShown({ toolset }: AnyTool, { toolsets }: Pick<McpView, 'toolsets'>): boolean {
  return toolset === undefined || toolsets === 'all' || toolsets.includes(toolset);
}

/** One tool as MCP lists it. */
export function describeTool(tool: AnyTool, callText: CallText, { structured }: Pick<McpView, 'structured'>): WireTool {
  return {
    name: tool.name,
    title: tool.title,
    description: descriptionFor(tool, callText),
    inputSchema: inputSchema(tool),
    ...(structured && { outputSchema: jsonSchema(tool.output, 'output') as WireTool['outputSchema'] }),
    annotations: {
      readOnlyHint: tool.effect === 'read',
      // Read-only tools leave it out, since the hint says nothing about them.
      ...(tool.effect !== 'read' && { destructiveHint: tool.effect === 'destructive' }),
      openWorldHint: false,
    },
  };
}

/** What asks for a picture beside the text; only over MCP, where somebody pays for each. */
export const CHART_ARGUMENT = 'chart';

/** Whether a client may ask for a picture of its answers. */
export function takesChart(tool: AnyTool): boolean {
  return tool.chart !== undefined && !Object.hasOwn(tool.input.shape, CHART_ARGUMENT);
}

type Schema = Record<string, unknown>;

/** What of a JSON Schema only a validator needs; the error says it to whoever breaks it. */
const LIMITS = [
  'minLength',
  'maxLength',
  'pattern',
  'format',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'minItems',
  'maxItems',
  'propertyNames',
  'additionalProperties',
  'default',
];

function inputSchema(tool: AnyTool): WireTool['inputSchema'] {
  const { properties = {}, required } = jsonSchema(tool.input, 'input') as {
    properties?: Record<string, Schema>;
    required?: string[];
  };
  const shown = Object.entries(properties).filter(([field]) => !isForPrograms(tool, field));
  const chart = takesChart(tool) ? [[CHART_ARGUMENT, { type: 'boolean', description: 'Add a picture' }] as const] : [];
  return {
    type: 'object',
    properties: Object.fromEntries([...shown.map(([field, schema]) => [field, withoutLimits(schema)]), ...chart]),
    ...(required && required.length > 0 && { required }),
  };
}

/** Fields that a model does better without: sizes of pages, which its answers fit anyhow. */
export function isForPrograms(tool: AnyTool, field: string): boolean {
  return tool.input.shape[field]?.meta()?.forPrograms === true;
}

function withoutLimits(schema: Schema): Schema {
  const variants = (schema.anyOf ?? schema.oneOf) as Schema[] | undefined;
  if (variants) {
    const { anyOf: _any, oneOf: _one, ...rest } = schema;
    const kept = variants.filter(({ type }) => type !== 'null');
    // A boolean that may be written as text, or a value that may be null, is shown as what it is.
    const single = kept.find(({ type }) => type === 'boolean') ?? (kept.length === 1 ? kept[0] : undefined);
    return single ? { ...withoutLimits(single), ...withoutLimits(rest) } : { ...rest, anyOf: kept.map(withoutLimits) };
  }
  const kept = Object.entries(schema).filter(([key]) => !LIMITS.includes(key));
  if (Array.isArray(schema.type)) return { ...Object.fromEntries(kept), type: plainType(schema.type) };
  return Object.fromEntries(
    kept.map(([key, value]) => {
      if (key === 'properties') return [key, mapValues(value as Record<string, Schema>, withoutLimits)];
      return key === 'items' ? [key, withoutLimits(value as Schema)] : [key, value];
    }),
  );
}

/** Of the types that a value may have, the one that it means. */
function plainType(types: readonly unknown[]): unknown {
  return types.includes('boolean') ? 'boolean' : types.find((type) => type !== 'null');
}

function mapValues<A, B>(record: Record<string, A>, change: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}
