/** Writes the call of a tool the way each interface takes it: a request in REST, a command in Slack and the CLI, a name in MCP. */
import type { Interface } from './actor.ts';
import type { NextCall } from './errors.ts';
import type { AnyTool, CallText } from './tool.ts';

/** What stands before a command; `job`, `webhook` and `agent` have no reader, so their logs name the tool. */
export const COMMAND_PREFIXES = { slack: '/dex', cli: 'npx dex' } as const;

/** How a person gets a key of their own, whatever interface tells them: only a terminal of the service makes the first one. */
export const KEY_FOR_A_PERSON = `${COMMAND_PREFIXES.cli} keys create NAME --role operator --holder human`;

/** How a terminal of the service answers an approval, told where the interface at hand must not. */
export const ANSWER_IN_A_TERMINAL = `${COMMAND_PREFIXES.cli} decide ID approve`;

/** A reference in a declaration's own description, as `{get_run}`. */
const REFERENCE = /\{([a-z]+(?:_[a-z]+)+)\}/g;

export function callTextFor(tools: readonly AnyTool[], via: Interface): CallText {
  const byName = new Map(tools.map((tool) => [tool.name, tool]));
  return (name, input = {}) => {
    const tool = byName.get(name);
    if (!tool || tool.hiddenFrom?.includes(via)) return null;
    if (via === 'rest') return tool.http ? requestText(tool, tool.http, input) : null;
    if (via === 'slack' || via === 'cli')
      return tool.command ? `${COMMAND_PREFIXES[via]} ${commandText(tool, tool.command, input)}` : null;
    const set = via === 'mcp' && tool.toolset ? [`(toolset ${tool.toolset})`] : [];
    return [tool.name, ...(Object.keys(input).length > 0 ? [JSON.stringify(input)] : []), ...set].join(' ');
  };
}

/** An error's message with what can be done next; a call that the interface does not offer is left out. */
export function withNextCalls(message: string, next: readonly NextCall[], callText: CallText): string {
  const calls = next.flatMap(({ to, tool, input }) => {
    const text = callText(tool, input);
    return text === null ? [] : [`${to}: ${text}`];
  });
  return calls.length > 0 ? `${message} ${calls.join('; ')}` : message;
}

/** A tool's description with its references to other tools written for the interface. */
export function descriptionFor(tool: Pick<AnyTool, 'description'>, callText: CallText): string {
  return tool.description.replace(REFERENCE, (_reference, name: string) => callText(name) ?? name.replaceAll('_', ' '));
}

function requestText(tool: AnyTool, http: NonNullable<AnyTool['http']>, input: Record<string, unknown>): string {
  const rest = new Map(Object.entries(input).filter(([field]) => field in tool.input.shape));
  const path = http.path.replace(/:(\w+)/g, (_parameter, field: string) => {
    const value = rest.get(field);
    rest.delete(field);
    return value === undefined ? `{${field}}` : encodeURIComponent(String(value));
  });
  if (rest.size === 0) return `${http.method} ${path}`;
  if (http.method !== 'GET') return `${http.method} ${path} with ${JSON.stringify(Object.fromEntries(rest))}`;
  const query = new URLSearchParams(Object.fromEntries([...rest].map(([field, value]) => [field, String(value)])));
  return `${http.method} ${path}?${query}`;
}

/** `ack 42 4`; a required argument that is not known is written as its placeholder, `ack ALERT_ID`. */
function commandText(tool: AnyTool, command: NonNullable<AnyTool['command']>, input: Record<string, unknown>): string {
  const known = (field: string) => input[field] !== undefined && input[field] !== null;
  // An argument is read by its place, so those behind one that is left out become options.
  const gap = command.args.findIndex((arg) => !known(arg) && !isRequired(tool, arg));
  const places = gap === -1 ? command.args : command.args.slice(0, gap);
  const options = Object.keys(tool.input.shape).filter((field) => known(field) && !places.includes(field));
  return [
    command.name,
    ...places.map((arg) => (known(arg) ? quoted(String(input[arg])) : arg.toUpperCase())),
    ...options.flatMap((field) => [`--${field}`, quoted(String(input[field]))]),
  ].join(' ');
}

function isRequired(tool: AnyTool, field: string): boolean {
  return tool.input.shape[field]?.safeParse(undefined).success === false;
}

function quoted(value: string): string {
  if (/^[^\s"'“”„‘’]+$/.test(value)) return value;
  return value.includes('"') ? `'${value.replaceAll("'", '’')}'` : `"${value}"`;
}
