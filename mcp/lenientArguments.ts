/** Arguments as MCP clients send them, read leniently by a tool's own schema before the strict check that every interface shares. */
import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { jsonSchema } from '../src/core/invoke.ts';
import type { AnyTool } from '../src/core/tool.ts';

/** What the input's JSON Schema says that decides how a value is read. */
interface Schema {
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  oneOf?: Schema[];
  properties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
  items?: Schema;
  required?: string[];
}

/** Keys that clients add to the arguments of any tool, for themselves or because a model wants at least one. */
const ADDED_BY_CLIENTS = new Set(['_meta', 'task_progress', 'random_string', 'wait_for_previous', 'toolCallId']);

/** Deeper than any input; what lies below is left to the check. */
const DEEPEST = 8;

const schemas = new WeakMap<AnyTool, Schema>();

/**
 * The arguments with what clients mean by them: `null` and `""` for an optional field are left out, JSON text is read where an
 * object, a list, a number or a boolean is wanted, the case of enums does not matter, and keys that clients add are dropped.
 * Nothing else changes, and nothing is checked here.
 */
export function readArguments(tool: AnyTool, given: unknown): unknown {
  if (given === undefined) return {};
  const schema = schemas.get(tool) ?? (jsonSchema(tool.input, 'input') as Schema);
  schemas.set(tool, schema);
  const read = readValue(schema, given, 0);
  if (!isObject(read)) return read;
  const known = schema.properties ?? {};
  return Object.fromEntries(
    Object.entries(read).filter(([key]) => Object.hasOwn(known, key) || !ADDED_BY_CLIENTS.has(key)),
  );
}

/** Makes a server take `arguments` that are null, empty or JSON text, which its library would refuse before any handler sees them. */
export function takeLooseArguments(server: Server): void {
  const connect = server.connect.bind(server);
  server.connect = async (transport: Transport) => {
    await connect(transport);
    const { onmessage } = transport;
    transport.onmessage = (message, extra) => onmessage?.(withLooseArguments(message), extra);
  };
}

/** A message whose `arguments`, where it has any, are read like those of `takeLooseArguments`. */
export function withLooseArguments<T extends object>(message: T): T {
  const { params } = message as { params?: unknown };
  if (!isObject(params) || !Object.hasOwn(params, 'arguments')) return message;
  return { ...message, params: { ...params, arguments: argumentsOf(params.arguments) } };
}

function argumentsOf(given: unknown): unknown {
  if (given === null || (typeof given === 'string' && given.trim() === '')) return {};
  return typeof given === 'string' ? readText([{ type: 'object' }], given) : given;
}

function readValue(schema: Schema, given: unknown, depth: number): unknown {
  if (depth > DEEPEST) return given;
  const variants = flatten(schema);
  const value = typeof given === 'string' ? readText(variants, given) : given;
  const list = variants.find(({ type }) => type === 'array');
  if (Array.isArray(value))
    return list?.items ? value.map((item) => readValue(list.items as Schema, item, depth + 1)) : value;
  const object = variants.find(({ properties, additionalProperties }) => properties || additionalProperties);
  return isObject(value) && object ? readFields(object, value, depth) : value;
}

function readFields(schema: Schema, given: Record<string, unknown>, depth: number): Record<string, unknown> {
  const required = new Set(schema.required);
  const rest = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : null;
  const fields = Object.entries(given).flatMap(([key, value]): [string, unknown][] => {
    const field = schema.properties && Object.hasOwn(schema.properties, key) ? schema.properties[key] : rest;
    if (!field) return [[key, value]];
    if (rest !== field && !required.has(key) && meansLeftOut(field, value)) return [];
    return [[key, readValue(field, value, depth + 1)]];
  });
  return Object.fromEntries(fields);
}

/** A null that the field takes is a value of its own: it clears what is set. */
function meansLeftOut(field: Schema, value: unknown): boolean {
  if (value === null) return !flatten(field).some(({ type }) => type === 'null');
  return typeof value === 'string' && value.trim() === '';
}

/** Text where the schema wants something else. */
function readText(variants: readonly Schema[], text: string): unknown {
  const choices = variants.flatMap(({ enum: values, const: only }) => values ?? (only === undefined ? [] : [only]));
  if (choices.length > 0) {
    const same = choices.find((choice) => String(choice).toLowerCase() === text.trim().toLowerCase());
    return same ?? text;
  }
  const types = new Set(variants.flatMap(({ type }) => type ?? []));
  if (types.size === 0 || types.has('string')) return text;
  if (types.has('boolean') && /^\s*(true|false)\s*$/i.test(text)) return text.trim().toLowerCase() === 'true';
  try {
    const value: unknown = JSON.parse(text);
    const type = Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value;
    return types.has(type) || (type === 'number' && types.has('integer')) ? value : text;
  } catch {
    return text;
  }
}

function flatten(schema: Schema): Schema[] {
  const inner = schema.anyOf ?? schema.oneOf;
  return inner ? inner.flatMap(flatten) : [schema];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
