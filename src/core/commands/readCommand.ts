/** Reads typed words as a call of a tool, so that `/dex …` in Slack and `dex …` in a shell mean the same. */

import { readDuration } from '../../domain/time/duration.ts';
import type { AnyTool } from '../tool.ts';
import { isHelpTopic } from './commandHelp.ts';
import { didYouMean } from './didYouMean.ts';
import { asChoice, type Field, fieldsOf, problemOf, readValue, usage } from './fields.ts';
import { nearMiss, tidied } from './looseWords.ts';

export type Reading =
  /** `input` is what was typed, for the invoker to check. */
  | { kind: 'call'; tool: AnyTool; input: Record<string, unknown> }
  /** Help about what is used daily when `tool` is null, or about a topic, or `all`. */
  | { kind: 'help'; tool: AnyTool | null; topic: string | null }
  | { kind: 'unknown'; word: string; suggestions: string[] }
  /** The command is known, its arguments are not right. `missing` names the required fields that were not given, `input` has the others; `meant` is the probable line. */
  | {
      kind: 'mistake';
      tool: AnyTool;
      problem: string;
      missing: string[];
      input: Record<string, unknown>;
      meant: string[] | null;
    };

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
  if (first === undefined) return { kind: 'help', tool: null, topic: null };
  const wantsHelp = HELP.has(first.toLowerCase());
  const named = wantsHelp ? words.slice(1) : words;
  if (named.length === 0) return { kind: 'help', tool: null, topic: null };
  const found = findCommand(named, tools);
  if (!found && wantsHelp && isHelpTopic(named.join(' '))) return { kind: 'help', tool: null, topic: named.join(' ') };
  if (!found) {
    const names = tools.flatMap(({ command }) => (command ? namesOf(command) : []));
    return { kind: 'unknown', word: named[0]!, suggestions: didYouMean(named[0]!, names) };
  }
  const { tool, rest, input } = found;
  if (wantsHelp || rest.some((word) => word === '--help' || word === '-h')) return { kind: 'help', tool, topic: null };
  return readArguments(tool, rest, input);
}

/** `scan-all`, `scan_all` and `scan all` are one command; the longest name that fits wins. */
function findCommand(words: string[], tools: readonly AnyTool[]): FoundCommand | null {
  const key = (name: string) => name.toLowerCase().replace(/[\s_]+/g, '-');
  for (const count of [4, 3, 2, 1]) {
    if (words.length < count) continue;
    const typed = key(words.slice(0, count).join('-'));
    const rest = words.slice(count);
    const tool = tools.find(({ command }) => command && key(command.name) === typed);
    if (tool) return { tool, rest, input: {} };
    for (const other of tools) {
      const also = other.command?.also?.find(({ name }) => key(name) === typed);
      if (also) return { tool: other, rest, input: also.input ?? {} };
    }
  }
  return null;
}

interface FoundCommand {
  tool: AnyTool;
  rest: string[];
  /** What the name itself says. */
  input: Record<string, unknown>;
}

function namesOf({ name, also = [] }: NonNullable<AnyTool['command']>): string[] {
  return [name, ...also.map((other) => other.name)];
}

function readArguments(tool: AnyTool, typed: string[], said: Record<string, unknown>): Reading {
  const fields = fieldsOf(tool);
  const words = tidied(tool, fields, typed);
  const input: Record<string, unknown> = { ...said };
  const bare: string[] = [];
  /** The option of free text that a bare word follows; words that have no other place belong to it. */
  const follows: (Field | null)[] = [];
  let last: Field | null = null;
  const mistake = (problem: string, missing: string[] = [], meant: string[] | null = null): Reading => ({
    kind: 'mistake',
    tool,
    problem,
    missing,
    input,
    meant,
  });

  for (let i = 0; i < words.length; i++) {
    const { name, value, dashed } = option(words[i]!);
    const field =
      name === null ? undefined : (findField(fields, name) ?? (dashed ? beginning(fields, name) : undefined));
    if (!field && !dashed) {
      const chosen = choiceMeant(tool, fields, words[i]!, input);
      const near = chosen ? null : nearMiss(tool, fields, words[i]!);
      if (chosen) input[chosen.field] = chosen.value;
      else if (near) {
        const meant = [tool.command!.name, ...words.with(i, near)];
        return mistake(didYouMeanThis(tool, fields, words[i]!, meant), [], meant);
      } else {
        bare.push(words[i]!);
        follows.push(last);
      }
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
    last = isFreeText(field) ? field : null;
  }

  const wrong = fields.map((one) => problemOf(one, valueAt(input, one))).find((problem) => problem !== null);
  if (wrong) return mistake(wrong);
  const { args, sentence } = tool.command!;
  const places = args.filter((arg) => !(arg in input));
  const rest = sentence ? args.at(-1) : undefined;
  const takesRest = rest !== undefined && places.includes(rest);
  if (!takesRest) joinAmounts(bare, follows);
  const owner = takesRest ? null : (follows[places.length] ?? null);
  if (owner && follows.slice(places.length).every((field) => field === owner))
    put(input, owner, [String(valueAt(input, owner)), ...bare.splice(places.length)].join(' '));
  const surplus = bare.slice(places.length);
  if (surplus.length > 0 && !takesRest) {
    return mistake(
      `${usage(tool)} has no place for ${JSON.stringify(surplus[0])}. Put words that belong together in quotes.`,
    );
  }
  for (const [i, place] of places.entries()) {
    const text = place === rest ? bare.slice(i).join(' ') : bare[i];
    const field = fields.find(({ path }) => path.length === 1 && path[0] === place);
    if (!text || !field) continue;
    put(input, field, text);
    const problem = problemOf(field, input[field.path[0]!]);
    if (problem) return mistake(problem);
  }
  const missing = fields.filter(({ required, path }) => required && !(path[0]! in input)).map(({ name }) => name);
  if (missing.length > 0) return mistake(`${tool.command!.name} needs ${missing.map(spoken).join(' and ')}.`, missing);
  return { kind: 'call', tool, input };
}

/** `7 days` is one value. */
function joinAmounts(bare: string[], follows: unknown[]): void {
  for (let i = bare.length - 1; i > 0; i--) {
    if (!/^\d+(?:\.\d+)?$/.test(bare[i - 1]!) || readDuration(`1 ${bare[i]}`) === null) continue;
    bare.splice(i - 1, 2, `${bare[i - 1]} ${bare[i]}`);
    follows.splice(i, 1);
  }
}

/** Whether a field takes any words, so that quotes around them may be left out. */
function isFreeText({ types, choices, path, name }: Field): boolean {
  return (
    types.has('string') && choices.length === 0 && path.length === 1 && !name.endsWith('_id') && name !== 'hostname'
  );
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

/** The option whose listed value a bare word of a reading command is: `alerts critical` is `alerts --severity critical`. */
function choiceMeant(
  tool: AnyTool,
  fields: Field[],
  word: string,
  input: Record<string, unknown>,
): { field: string; value: string } | null {
  if (tool.effect !== 'read') return null;
  for (const { path, choices } of fields) {
    const [name] = path as [string];
    const value = path.length === 1 && !(name in input) ? asChoice(word, choices) : null;
    if (value !== null) return { field: name, value };
  }
  return null;
}

function valueAt(input: Record<string, unknown>, { path }: Field): unknown {
  const [first, second] = path as [string, string?];
  const outer = input[first];
  return second === undefined ? outer : (outer as Record<string, unknown> | undefined)?.[second];
}

function noSuchOption(tool: AnyTool, name: string, fields: Field[]): string {
  const names = fields.map((field) => field.name);
  const [nearest] = didYouMean(name, names);
  const hint = nearest ? ` Did you mean --${nearest}?` : names.length > 0 ? ` It has: ${names.join(', ')}.` : '';
  return `${tool.command!.name} has no option --${name}.${hint}`;
}

/** A machine may be called so all the same. */
function didYouMeanThis(tool: AnyTool, fields: readonly Field[], word: string, meant: readonly string[]): string {
  const text = `"${word}" is none of the values of ${tool.command!.name}. Did you mean: ${meant.join(' ')}?`;
  const [place] = tool.command!.args;
  const takesNames = fields.some(({ name, choices }) => name === place && choices.length === 0);
  return !takesNames || place === undefined
    ? text
    : `${text} If it is a ${place.replaceAll('_', ' ')}: --${place} ${word}.`;
}

function oneOf({ choices }: Field): string {
  return choices.length > 0 ? `: one of ${choices.join(', ')}` : '';
}

function spoken(field: string): string {
  if (field === 'q') return 'some words to search for';
  const words = field.replaceAll('_', ' ').replace(/\bid\b/, 'number');
  return `${/^[aeio]/.test(words) ? 'an' : 'a'} ${words}`;
}
