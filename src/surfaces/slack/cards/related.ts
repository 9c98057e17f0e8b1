/** Calls that an answer offers, as buttons and menus; each carries its call, so that it works after a restart too. */
import type { types } from '@slack/bolt';
import type { RelatedCall, ToolCall } from '../../../core/presentation.ts';
import { type Block, button, confirmed, option } from './text.ts';

/** Slack refuses longer values (docs.slack.dev/reference/block-kit/composition-objects/option-object). */
const MAX_VALUE_CHARS = 2000;
const MAX_OPTION_VALUE_CHARS = 150;
/** Slack's most elements in a block of actions. */
const MOST_ELEMENTS = 25;

type Element = types.Button | types.StaticSelect;

/** What a click does with the call: answer the one who clicks, answer in the thread of the message, or take the message's place. */
type ClickAction = 'run' | 'thread' | 'replace';

/** A row for each thing that the calls are about. */
export function relatedBlocks(
  related: readonly RelatedCall[],
  { action = 'run' as ClickAction, more = [] as Element[] } = {},
): Block[] {
  const rows = [...Map.groupBy(related, ({ about }) => about).entries()].map(([about, calls]) => ({
    about,
    elements: elementsOf(calls, action),
  }));
  const general = rows.find(({ about }) => about === undefined);
  if (general) general.elements.push(...more);
  else if (more.length > 0) rows.push({ about: undefined, elements: more });
  return rows
    .filter(({ elements }) => elements.length > 0)
    .map(({ elements }) => ({ type: 'actions', elements: elements.slice(0, MOST_ELEMENTS) }));
}

function elementsOf(calls: readonly RelatedCall[], action: ClickAction): Element[] {
  return [...Map.groupBy(calls, ({ menu, id }) => menu ?? id).values()].flatMap((group): Element[] => {
    const [first] = group;
    if (first?.menu !== undefined) return [menuOf(first.menu, group, action)];
    // What is asked for first is asked in a form, which is certain enough.
    const click = first?.asksFor === undefined ? action : 'asked';
    const it = first && callButton(`${click}:${first.id}`, first.label, first, first.style, first.asksFor);
    if (!it) return [];
    if (first.asksFor !== undefined) return [it];
    return [first.confirm ? confirmed(it, { ...first.confirm, yes: first.label }) : it];
  });
}

function menuOf(name: string, calls: readonly RelatedCall[], action: ClickAction): types.StaticSelect {
  return callMenu(
    `${action}:${name.toLowerCase()}`,
    name,
    calls.map((call) => ({ label: call.label, call })),
  );
}

/** A menu whose options each carry a call; those that are too long for one are left out. */
export function callMenu(
  actionId: string,
  placeholder: string,
  choices: readonly { label: string; call: ToolCall }[],
): types.StaticSelect {
  return {
    type: 'static_select',
    action_id: actionId,
    placeholder: { type: 'plain_text', text: placeholder },
    options: choices
      .map(({ label, call }) => option(label, carriedValue(call)))
      .filter(({ value }) => value !== undefined && value.length <= MAX_OPTION_VALUE_CHARS),
  };
}

/** A button that carries a call of a tool; null when the call is too long for one. */
export function callButton(
  actionId: string,
  label: string,
  call: ToolCall,
  style?: 'primary' | 'danger',
  asksFor?: string,
) {
  const value = carriedValue(call, asksFor);
  return value.length > MAX_VALUE_CHARS ? null : button(actionId, label, value, style);
}

/** Thumbs under an answer, each with the call that keeps it. */
export function feedbackButtons(yes: ToolCall, no: ToolCall): Block {
  const thumb = (text: string, label: string, call: ToolCall) => ({
    text: { type: 'plain_text' as const, text },
    accessibility_label: label,
    value: carriedValue(call),
  });
  return {
    type: 'context_actions',
    elements: [
      {
        type: 'feedback_buttons',
        action_id: 'run:rated',
        positive_button: thumb('Helpful', 'This answer helped', yes),
        negative_button: thumb('Not helpful', 'This answer did not help', no),
      },
    ],
  };
}

function carriedValue({ tool, input }: ToolCall, asksFor?: string): string {
  return JSON.stringify({ tool, input, asksFor });
}
