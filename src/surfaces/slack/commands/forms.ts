/** Forms: a tool's input as a Slack modal, its answers back as that input, and the invoker's complaints at their fields. */
import type { types } from '@slack/bolt';
import { type Field, fieldsOf } from '../../../core/commands/fields.ts';
import { readFields } from '../../../core/commands/readCommand.ts';
import type { AppError } from '../../../core/errors.ts';
import type { ToolCall } from '../../../core/presentation.ts';
import type { AnyTool } from '../../../core/tool.ts';
import { type Block, clip, lineBlocks, option } from '../cards/text.ts';

export const FORM_CALLBACK = 'tool_form';
const INPUT = 'value';
const MAX_TITLE_CHARS = 24;
/** What may be longer than this is more than a line; Slack takes at most 3000. */
const LONG_TEXT_CHARS = 2000;
/** As long as a comment of feedback may be. */
export const MAX_COMMENT_CHARS = 2000;
/** Fields inside others (ports, login names) that a form asks for; the rest is for the command. */
const INNER_FIELDS = new Set(['port', 'username']);

/** What Slack sends back of a form: values by block id and action id. */
export type FormState = Record<
  string,
  Record<
    string,
    { value?: string | null; selected_option?: { value: string } | null; selected_options?: { value: string }[] }
  >
>;

/** True for tools that take more than their command's words, so that a form is kinder than a line. */
export function wantsForm(tool: AnyTool): boolean {
  return tool.effect === 'write' && fieldsOf(tool).length > tool.command!.args.length;
}

/**
 * @param choices by field: the values that somebody can choose from, where they are known
 * @param texts by field: what stands there already
 */
export function toolForm(
  tool: AnyTool,
  choices: Record<string, readonly string[]> = {},
  texts: Record<string, string> = {},
): types.ModalView {
  return {
    type: 'modal',
    callback_id: FORM_CALLBACK,
    private_metadata: tool.name,
    title: plain(clip(tool.title, MAX_TITLE_CHARS)),
    submit: plain('Save'),
    close: plain('Cancel'),
    blocks: fieldsOf(tool)
      .filter(({ path, name }) => path.length === 1 || INNER_FIELDS.has(name))
      .map((field) =>
        inputBlock({ ...field, choices: [...(choices[field.name] ?? field.choices)] }, texts[field.name]),
      ),
  };
}

export const ASKING_CALLBACK = 'asked_call';

/** A form that asks for one field of a call whose other fields are known. @param about what it is about, in a line */
export function askingForm(tool: AnyTool, call: ToolCall, fieldName: string, about: string): types.ModalView {
  const fields = fieldsOf(tool).filter(({ name }) => name === fieldName);
  return {
    type: 'modal',
    callback_id: ASKING_CALLBACK,
    private_metadata: JSON.stringify({ tool: call.tool, input: call.input }),
    title: plain(clip(tool.title, MAX_TITLE_CHARS)),
    submit: plain('Do it'),
    close: plain('Not now'),
    blocks: [...lineBlocks([clip(about, 300)]), ...fields.map((field) => inputBlock(field))],
  };
}

function inputBlock(field: Field, text?: string): Block {
  const label = field.name.replaceAll('_', ' ');
  const hint = field.types.has('object') ? 'name=value, name=value' : field.description;
  return {
    type: 'input',
    block_id: field.path.join('.'),
    optional: !field.required,
    label: plain(label.charAt(0).toUpperCase() + label.slice(1)),
    ...(hint && { hint: plain(clip(hint, 150)) }),
    element: field.choices.length > 0 ? choiceOf(field) : textInput(field, text),
  };
}

function choiceOf({ choices, initial, required }: Field): types.StaticSelect {
  // A menu holds at most 100 options.
  const options = choices.slice(0, 100).map((choice) => option(choice.replaceAll('_', ' '), choice));
  const chosen = options.find(({ value }) => value === initial) ?? (required ? options[0] : undefined);
  return { type: 'static_select', action_id: INPUT, options, ...(chosen && { initial_option: chosen }) };
}

/** A text that may be long is given room. */
function textInput({ maxLength }: Field, text?: string): types.PlainTextInput {
  const isLong = maxLength !== null && maxLength >= LONG_TEXT_CHARS;
  return {
    type: 'plain_text_input',
    action_id: INPUT,
    ...(text && { initial_value: text }),
    ...(isLong && { multiline: true, max_length: maxLength }),
  };
}

/** The value of one field of a form; null when it was left empty. */
export function formValue(state: FormState, blockId: string): string | null {
  const [element] = Object.values(state[blockId] ?? {});
  return element?.selected_option?.value ?? element?.value ?? null;
}

/** The boxes of a field that were ticked. */
export function formValues(state: FormState, blockId: string): string[] {
  const [element] = Object.values(state[blockId] ?? {});
  return element?.selected_options?.map(({ value }) => value) ?? [];
}

export function formCall(tool: AnyTool, state: FormState): ToolCall {
  const typed = Object.keys(state).flatMap((blockId) => {
    const value = formValue(state, blockId);
    return value === null || value.trim() === '' ? [] : [[blockId, value.trim()] as const];
  });
  return { tool: tool.name, input: readFields(tool, Object.fromEntries(typed)) };
}

/**
 * The complaints of a failed call, by block id, as `response_action: errors` wants them; what belongs to no field of the
 * form stands at its first.
 */
export function formErrors(error: AppError, state: FormState): Record<string, string> {
  const blockIds = Object.keys(state);
  const errors: Record<string, string> = {};
  for (const { field, problem } of fieldProblems(error)) {
    const blockId = blockIds.find((id) => field === id || field.startsWith(`${id}.`)) ?? blockIds[0] ?? field;
    errors[blockId] = clip(errors[blockId] ? `${errors[blockId]}; ${problem}` : problem, 150);
  }
  return errors;
}

function fieldProblems(error: AppError): { field: string; problem: string }[] {
  const { details } = error;
  if (error.kind === 'invalid' && typeof details === 'object' && details !== null && 'fields' in details)
    return details.fields as { field: string; problem: string }[];
  return [{ field: '', problem: error.message }];
}

/** A modal that only says something. */
export function messageModal(title: string, text: string): types.ModalView {
  return {
    type: 'modal',
    title: plain(clip(title, MAX_TITLE_CHARS)),
    close: plain('Close'),
    blocks: lineBlocks(text.split('\n')),
  };
}

export function plain(text: string): types.PlainTextElement {
  return { type: 'plain_text', text, emoji: true };
}
