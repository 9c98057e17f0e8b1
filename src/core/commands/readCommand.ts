/** Reads typed words as a call of a tool, so that `/dex …` in Slack and `dex …` in a shell mean the same. */

import { jsonSchema } from '../invoke.ts';
import type { AnyTool } from '../tool.ts';
import { didYouMean } from './didYouMean.ts';

export type Reading =
  /** `input` is what was typed, for the invoker to check. */
  | { kind: 'call'; tool: AnyTool; input: Record<string, unknown> }
  /** Help about everything when `tool` is null. */
  | { kind: 'help'; tool: AnyTool | null }
  | { kind: 'unknown'; word: string; suggestions: string[] }
  /** The command is known, its arguments are not right. `missing` names the required fields that were not given, `input` has the others. */
  | { kind: 'mistake'; tool: AnyTool; problem: string; missing: string[]; input: Record<string, unknown> };

export interface Field {
  name: string;
  required: boolean;
  description: string;
  /** The values that are allowed, when they can be listed. */
  choices: string[];
  /** What is taken when nothing is given, where that is one of the choices. */
  initial: string | null;
  /** Most characters of a text; null when nothing limits it. */
  maxLength: number | null;
  /** Where the value goes: `['options', 'port']` for a field inside another. */
  path: string[];
  types: Set<string>;
  /** Of an object of any fields: the types of their values. */
  valueTypes: Set<string>;
}

interface Schema {
  type?: string;
  anyOf?: Schema[];
  enum?: unknown[];
  properties?: Record<string, Schema>;
  required?: string[];
  description?: string;
  default?: unknown;
  maxLength?: number;
  additionalProperties?: Schema | boolean;
}

const HELP = new Set(['help', '?', '-h', '--help']);

/** Quotes that people's keyboards and chat programs make, with what closes each. */
const QUOTES: Record<string, string> = { '"': '"”', '“': '”"', '„': '“”"', "'": "'’", '‘': "’'" };

/** Splits a line at white space, keeping what stands in quotes together; a quote that is never closed runs to the end. */
export function splitCommand(line: string): string[] {
  const words: string[] = [];
  let word: string | null = null;
  let closing = '';
  for (const letter of line) {
    if (closing) {
      if (closing.includes(letter)) closing = '';
      else word += letter;
    } else if (/\s/.test(letter)) {
      if (word !== null) words.push(word);
      word = null;
    } else if (QUOTES[letter] && (word === null || word.endsWith('='))) {
      closing = QUOTES[letter];
      word ??= '';
    } else word = (word ?? '') + letter;
  }
  if (word !== null) words.push(word);
  return words;
}

/** @param words as a shell or {@link splitCommand} gives them, without the leading `dex` */
export function readCommand(words: string[], tools: readonly AnyTool[]): Reading {
  const [first] = words;
  if (first === undefined) return { kind: 'help', tool: null };
  const wantsHelp = HELP.has(first.toLowerCase());
  const named = wantsHelp ? words.slice(1) : words;
  if (named.length === 0) return { kind: 'help', tool: null };
  const found = findCommand(named, tools);
  if (!found) {
    const names = tools.flatMap(({ command }) => command?.name ?? []);
    return { kind: 'unknown', word: named[0]!, suggestions: didYouMean(named[0]!, names) };
  }
  const { tool, rest } = found;
  if (wantsHelp || rest.some((word) => word === '--help' || word === '-h')) return { kind: 'help', tool };
  return readArguments(tool, rest);
}

/** `scan-all`, `scan_all` and `scan all` are one command; the longest name that fits wins. */
function findCommand(words: string[], tools: readonly AnyTool[]): { tool: AnyTool; rest: string[] } | null {
  const key = (name: string) => name.toLowerCase().replace(/[\s_]+/g, '-');
  for (const count of [3, 2, 1]) {
    if (words.length < count) continue;
    const typed = key(words.slice(0, count).join('-'));
    const tool = tools.find(({ command }) => command && key(command.name) === typed);
    if (tool) return { tool, rest: words.slice(count) };
  }
  return null;
}

function readArguments(tool: AnyTool, words: string[]): Reading {
  const fields = fieldsOf(tool);
  const input: Record<string, unknown> = {};
  const bare: string[] = [];
  const mistake = (problem: string, missing: string[] = []): Reading => ({
    kind: 'mistake',
    tool,
    problem,
    missing,
    input,
  });

  for (let i = 0; i < words.length; i++) {
    const { name, value, dashed } = option(words[i]!);
    const field =
      name === null ? undefined : (findField(fields, name) ?? (dashed ? beginning(fields, name) : undefined));
    if (!field && !dashed) {
      bare.push(words[i]!);
      continue;
    }
    if (!field) return mistake(noSuchOption(tool, name!, fields));
    if (value !== null) put(input, field, value);
    else if (field.types.has('boolean') && !/^(true|false|yes|no)$/i.test(words[i + 1] ?? '')) put(input, field, 'yes');
    else {
      const next = words[i + 1];
      if (next === undefined || option(next).dashed) return mistake(`--${field.name} needs a value${oneOf(field)}.`);
      put(input, field, next);
      i++;
    }
  }

  const { args, sentence } = tool.command!;
  const places = args.filter((arg) => !(arg in input));
  const surplus = bare.slice(places.length);
  if (surplus.length > 0 && !(sentence && places.length > 0)) {
    return mistake(
      `${usage(tool)} has no place for ${JSON.stringify(surplus[0])}. Put words that belong together in quotes.`,
    );
  }
  for (const [i, place] of places.entries()) {
    const last = sentence && i === places.length - 1;
    const text = last ? bare.slice(i).join(' ') : bare[i];
    const field = fields.find(({ path }) => path.length === 1 && path[0] === place);
    if (text && field) put(input, field, text);
  }
  const missing = fields.filter(({ required, path }) => required && !(path[0]! in input)).map(({ name }) => name);
  if (missing.length > 0) return mistake(`${tool.command!.name} needs ${missing.map(spoken).join(' and ')}.`, missing);
  return { kind: 'call', tool, input };
}

/** The same reading for values that were given by name, as a form does: `options.port` reaches into `options`. */
export function readFields(tool: AnyTool, values: Record<string, string>): Record<string, unknown> {
  const fields = fieldsOf(tool);
  const input: Record<string, unknown> = {};
  for (const [name, text] of Object.entries(values)) {
    const field = findField(fields, name);
    if (field) put(input, field, text);
  }
  return input;
}

/** `--key value`, `--key=value` and `key=value`; keyboards that turn two hyphens into a dash are forgiven. */
function option(word: string): { name: string | null; value: string | null; dashed: boolean } {
  const [, dashes, name, value] = /^(--|[—–])?([A-Za-z][\w.-]*)(?:=(.*))?$/s.exec(word) ?? [];
  const dashed = dashes !== undefined;
  if (name === undefined || (!dashed && value === undefined)) return { name: null, value: null, dashed: false };
  return { name: name.toLowerCase().replaceAll('-', '_'), value: value ?? null, dashed };
}

function findField(fields: Field[], name: string): Field | undefined {
  return (
    fields.find((field) => field.path.join('.') === name) ??
    fields.find((field) => field.path.length > 1 && field.name === name)
  );
}

/** The one field whose name begins so, as long options may be shortened in a shell: `--max` is `--max_machines`. */
function beginning(fields: Field[], name: string): Field | undefined {
  const fitting = fields.filter((field) => field.name.startsWith(name));
  return name.length >= 3 && fitting.length === 1 ? fitting[0] : undefined;
}

function put(input: Record<string, unknown>, field: Field, text: string): void {
  const [first, second] = field.path as [string, string?];
  if (second === undefined) input[first] = readValue(field, text, input[first]);
  else {
    const outer = (input[first] ?? {}) as Record<string, unknown>;
    input[first] = { ...outer, [second]: readValue(field, text, outer[second]) };
  }
}

function readValue({ name, types, valueTypes }: Field, text: string, earlier: unknown): unknown {
  const isNull = (typed: string) => /^(none|null)$/i.test(typed);
  if (types.has('null') && isNull(text)) return null;
  if (types.has('boolean') && /^(true|false|yes|no)$/i.test(text)) return /^(true|yes)$/i.test(text);
  if (types.has('number') || types.has('integer')) return amountOf(name, text);
  if (types.has('array')) return [...((earlier as string[] | undefined) ?? []), ...text.split(',').filter(Boolean)];
  if (types.has('object')) {
    const pairs = text.split(',').map((pair) => {
      const [key, value] = /^([^=]*)=?(.*)$/s.exec(pair)!.slice(1) as [string, string];
      return [key, valueTypes.has('null') && isNull(value) ? null : value] as const;
    });
    return { ...(earlier as object | undefined), ...Object.fromEntries(pairs) };
  }
  return text;
}

const UNIT_MS: Record<string, number> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const FIELD_UNIT_MS: Record<string, number> = {
  ms: 1,
  seconds: 1000,
  minutes: 60_000,
  hours: 3_600_000,
  days: 86_400_000,
};

/** A number, also written as `#42` or, where the field counts time, as a duration: `4h`, `30m`, `2d`. */
function amountOf(fieldName: string, text: string): number | string {
  const [, digits, unit] = /^#?(-?\d+(?:\.\d+)?)(ms|s|m|min|h|d|w)?$/i.exec(text) ?? [];
  if (digits === undefined) return text;
  const amount = Number(digits);
  if (unit === undefined) return amount;
  const fieldUnitMs = FIELD_UNIT_MS[fieldName.split('_').at(-1)!];
  return fieldUnitMs === undefined ? text : (amount * UNIT_MS[unit.toLowerCase()]!) / fieldUnitMs;
}

const fieldsByTool = new WeakMap<AnyTool, Field[]>();

/** The fields of a tool's input that can be typed, those inside others included. */
export function fieldsOf(tool: AnyTool): Field[] {
  // Making a JSON Schema takes a millisecond, and every command asks for it several times.
  const fields = fieldsByTool.get(tool) ?? readSchema(tool);
  fieldsByTool.set(tool, fields);
  return fields;
}

function readSchema(tool: AnyTool): Field[] {
  const schema = jsonSchema(tool.input, 'input') as Schema;
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const required = schema.required?.includes(name) ?? false;
    const { properties = {} } = flatten(property).find((variant) => variant.properties) ?? {};
    const inner = Object.entries(properties).map(([innerName, innerProperty]) =>
      toField([name, innerName], innerProperty, false),
    );
    return inner.length > 0 ? inner : [toField([name], property, required)];
  });
}

function toField(path: string[], schema: Schema, required: boolean): Field {
  const variants = flatten(schema);
  return {
    name: path.at(-1)!,
    path,
    required,
    description: schema.description ?? '',
    choices: variants.flatMap((variant) => variant.enum?.map(String) ?? []),
    initial: typeof schema.default === 'string' ? schema.default : null,
    maxLength: variants.find(({ maxLength }) => maxLength !== undefined)?.maxLength ?? null,
    types: typesOf(variants),
    valueTypes: typesOf(
      variants.flatMap(({ additionalProperties: values }) => (typeof values === 'object' ? flatten(values) : [])),
    ),
  };
}

function typesOf(variants: Schema[]): Set<string> {
  return new Set(variants.flatMap(({ type }) => type ?? []));
}

function flatten(schema: Schema): Schema[] {
  return schema.anyOf ? schema.anyOf.flatMap(flatten) : [schema];
}

function noSuchOption(tool: AnyTool, name: string, fields: Field[]): string {
  const names = fields.map((field) => field.name);
  const [nearest] = didYouMean(name, names);
  const hint = nearest ? ` Did you mean --${nearest}?` : names.length > 0 ? ` It has: ${names.join(', ')}.` : '';
  return `${tool.command!.name} has no option --${name}.${hint}`;
}

function oneOf({ choices }: Field): string {
  return choices.length > 0 ? `: one of ${choices.join(', ')}` : '';
}

function spoken(field: string): string {
  const words = field.replaceAll('_', ' ').replace(/\bid\b/, 'number');
  return `${/^[aeio]/.test(words) ? 'an' : 'a'} ${words}`;
}

/** How a command is written: `ack ALERT_ID [HOURS]`. */
export function usage(tool: AnyTool): string {
  const fields = fieldsOf(tool);
  const { name, args } = tool.command!;
  const places = args.map((arg) => {
    const required = fields.some((field) => field.path.length === 1 && field.name === arg && field.required);
    return required ? arg.toUpperCase() : `[${arg.toUpperCase()}]`;
  });
  return [name, ...places].join(' ');
}
