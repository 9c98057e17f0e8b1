/** The fields of a tool's input as they are typed: what each takes, and how a typed text becomes its value. */
import { readDuration } from '../../domain/time/duration.ts';
import { jsonSchema } from '../invoke.ts';
import type { AnyTool } from '../tool.ts';
import { didYouMean } from './didYouMean.ts';

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

/** What was typed for a field as its value; what cannot be read stays text. @param earlier the value so far, of a list or a map */
export function readValue({ name, types, choices, valueTypes }: Field, text: string, earlier: unknown): unknown {
  const isNull = (typed: string) => /^(none|null)$/i.test(typed);
  if (types.has('null') && isNull(text)) return null;
  if (types.has('boolean') && /^(true|false|yes|no)$/i.test(text)) return /^(true|yes)$/i.test(text);
  if (types.has('number') || types.has('integer')) return amountOf(name, text);
  if (types.has('array')) return [...((earlier as string[] | undefined) ?? []), ...text.split(',').filter(Boolean)];
  if (choices.length > 0) return asChoice(text, choices) ?? text;
  if (types.has('object')) {
    const pairs = text.split(',').map((pair) => {
      const [key, value] = /^([^=]*)=?(.*)$/s.exec(pair)!.slice(1) as [string, string];
      return [key, valueTypes.has('null') && isNull(value) ? null : value] as const;
    });
    return { ...(earlier as object | undefined), ...Object.fromEntries(pairs) };
  }
  return text;
}

/** What people say for a value of a list. */
const SYNONYMS: Record<string, string> = {
  yes: 'approve',
  ok: 'approve',
  approved: 'approve',
  no: 'deny',
  reject: 'deny',
  denied: 'deny',
  crit: 'critical',
  warn: 'warning',
  warnings: 'warning',
  information: 'info',
  any: 'all',
  everything: 'all',
  closed: 'resolved',
  acked: 'acknowledged',
  failing: 'failed',
};

/** The value of a list that a word means, whatever its case and its hyphens; null when it means none. */
export function asChoice(word: string, choices: readonly string[]): string | null {
  const key = (text: string) => text.toLowerCase().replace(/[\s_-]+/g, '');
  const synonym = SYNONYMS[key(word)];
  return choices.find((choice) => key(choice) === key(word)) ?? choices.find((choice) => choice === synonym) ?? null;
}

/** What a yes or no may be written as. */
const SWITCH_WORDS = ['true', 'false', 'yes', 'no', 'on', 'off', 'y', 'n', '1', '0', 'enabled', 'disabled'];

/** What is wrong with a value where that can be seen from the field alone; names of things are left to whoever looks them up. */
export function problemOf({ name, choices, types, description }: Field, value: unknown): string | null {
  if (typeof value !== 'string') return null;
  if (types.has('boolean') && choices.length === 0 && !SWITCH_WORDS.includes(value.toLowerCase())) {
    const [nearest] = didYouMean(value, ['yes', 'no', 'on', 'off']);
    return `${JSON.stringify(value)} is neither yes nor no. ${nearest ? `Did you mean ${nearest}?` : 'It is one of yes, no, on, off.'}`;
  }
  const isText = types.has('string') && choices.length === 0;
  if (isText || name.endsWith('_id')) return null;
  if (choices.length > 0 && !choices.includes(value)) {
    const [nearest] = didYouMean(value, choices);
    const hint = nearest ? `Did you mean ${nearest}?` : `It is one of ${choices.join(', ')}.`;
    return `${JSON.stringify(value)} is no ${name.replaceAll('_', ' ')}. ${hint}`;
  }
  const isNumber = (types.has('number') || types.has('integer')) && !types.has('boolean');
  return isNumber && choices.length === 0
    ? `${JSON.stringify(value)} is no number for ${name.replaceAll('_', ' ')}${description ? `: ${description}` : ''}.`
    : null;
}

const NUMBER_WORDS = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'];

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

/** Whether a field is a length of time, by the unit in its name. */
export function countsTime(fieldName: string): boolean {
  return FIELD_UNIT_MS[fieldName.split('_').at(-1) ?? ''] !== undefined;
}

/** A number, also written as `#42` or, where the field counts time, as a duration: `4h`, `30m`, `2d`. */
function amountOf(fieldName: string, text: string): number | string {
  const fieldMs = FIELD_UNIT_MS[fieldName.split('_').at(-1)!];
  const [, digits, unit] = /^#?(-?\d+(?:\.\d+)?)(ms|s|m|min|h|d|w)?$/i.exec(text) ?? [];
  if (digits === undefined) {
    const spoken = NUMBER_WORDS.indexOf(text.toLowerCase());
    if (spoken >= 0) return spoken;
    // `2 days`, `week`, `half an hour`.
    const ms = fieldMs === undefined ? null : (readDuration(text) ?? readDuration(`1 ${text}`));
    return ms === null || fieldMs === undefined ? text : ms / fieldMs;
  }
  const amount = Number(digits);
  if (unit === undefined) return amount;
  const fieldUnitMs = FIELD_UNIT_MS[fieldName.split('_').at(-1)!];
  return fieldUnitMs === undefined ? text : (amount * UNIT_MS[unit.toLowerCase()]!) / fieldUnitMs;
}

/** How a command is written: `ack ALERT_ID [HOURS]`. */
export function usage(tool: AnyTool): string {
  const fields = fieldsOf(tool);
  const { name, args, files = [] } = tool.command!;
  const places = args.map((arg) => {
    const required = fields.some((field) => field.path.length === 1 && field.name === arg && field.required);
    const written = files.includes(arg) ? 'FILE' : arg.toUpperCase();
    return required ? written : `[${written}]`;
  });
  return [name, ...places].join(' ');
}
