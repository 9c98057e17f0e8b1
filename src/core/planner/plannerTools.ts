/** What the planner needs of tools, and how a profile and a target narrow them. */
import { canonicalJson } from '../canonicalJson.ts';
import type { Effect } from '../tool.ts';
import type { JsonSchema } from './llm.ts';

export interface PlannerTool {
  /** `server__tool`. */
  name: string;
  description: string;
  inputSchema: JsonSchema;
  effect: Effect;
}

export interface ToolResult {
  /** What the model reads; untrusted. */
  text: string;
  /** The structured result, null when the tool gave none. */
  output: unknown;
  isError: boolean;
}

export interface PlannerTools {
  /** What may be called now. A tool that has changed since it was approved is not in it. */
  list(): PlannerTool[];
  /**
   * Throws AppError `refused`, `denied`, `invalid` or `not_found` when the call was certainly not carried out, and
   * `unavailable` when nobody knows (timeout, broken connection). When `signal` aborts, throws its reason.
   */
  call(name: string, input: unknown, options: { signal: AbortSignal }): Promise<ToolResult>;
}

/** Arguments that a run may not choose: where a tool has a property of this name, it gets this value. */
export type PinnedArguments = Record<string, string>;

/** Does a tool's name fit a pattern: the name itself, or its beginning followed by `*`. */
function matchesTool(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

export const matchesAnyTool = (patterns: string[], name: string) =>
  patterns.some((pattern) => matchesTool(pattern, name));

/** Is this tool still, in every word the model or the policy relied on, the one that was pinned? */
export const sameTool = (a: PlannerTool, b: PlannerTool) => canonicalJson(a) === canonicalJson(b);

/**
 * The arguments with the pinned ones filled in, or why the call may not be made: it names another target, or its
 * arguments are no object.
 */
export function pinArguments(
  tool: PlannerTool,
  input: unknown,
  pinned: PinnedArguments,
): { input: unknown } | { refusal: string } {
  if (input === null || typeof input !== 'object' || Array.isArray(input)) {
    return { refusal: `The arguments of ${tool.name} must be a JSON object.` };
  }
  const properties = tool.inputSchema.properties;
  const filled: Record<string, unknown> = { ...input };
  for (const [key, value] of Object.entries(pinned)) {
    if (properties === null || typeof properties !== 'object' || !(key in properties)) continue;
    if (filled[key] !== undefined && filled[key] !== value) {
      return { refusal: `This run is about ${key} "${value}" only; ${tool.name} was called for another ${key}.` };
    }
    filled[key] = value;
  }
  return { input: filled };
}
