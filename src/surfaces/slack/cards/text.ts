/** Text for Slack: pieces of blocks that show untrusted words as they are, with no formatting, mention or link coming to life. */
import type { types } from '@slack/bolt';
import { visible } from '../../../core/characters.ts';

export type Block = types.KnownBlock;
type RichTextBlock = types.RichTextBlock;
type TextElement = types.RichTextSection['elements'][number];

/** What a message says: the blocks, and the plain line that notifications and screen readers get. */
export interface Reply {
  text: string;
  blocks: Block[];
}

/** Slack's limits (docs.slack.dev/reference/block-kit/blocks). */
export const MAX_BLOCKS = 50;
export const MAX_SECTION_CHARS = 3000;
const MAX_HEADER_CHARS = 150;
const MAX_BUTTON_CHARS = 75;
const MAX_CONFIRM_TITLE_CHARS = 100;
const MAX_CONFIRM_CHARS = 300;
/** Not documented; messages whose blocks hold more text than this are refused as msg_blocks_too_long. */
const MAX_MESSAGE_CHARS = 12_000;

/**
 * For the one place that has no literal form, a message's `text`: the three characters Slack asks to escape, and the
 * marks of mrkdwn kept from pairing up by an invisible joiner.
 */
export function escapeText(text: string): string {
  return clip(text, MAX_SECTION_CHARS)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/[*_~`]/g, '\u2060$&');
}

/** What a person typed into a command, without Slack's own marks: links and mail addresses become their labels again. */
export function unescapeTyped(text: string): string {
  return text
    .replace(/<(?:https?:\/\/|mailto:|tel:)[^|>]*\|([^>]*)>/g, '$1')
    .replace(/<(?:mailto:|tel:)?([^@#!|>][^|>]*)>/g, '$1')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}

/** At most `limit` UTF-16 units of what can be seen, ending in an ellipsis where something was cut; never half a character. */
export function clip(text: string, limit: number): string {
  const seen = visible(text);
  if (seen.length <= limit) return seen;
  const cut = seen.slice(0, limit - 1);
  return `${/[\uD800-\uDBFF]$/.test(cut) ? cut.slice(0, -1) : cut}…`;
}

export function textElement(text: string, style?: { bold?: boolean; italic?: boolean; code?: boolean }): TextElement {
  // Slack refuses an empty text element.
  return { type: 'text', text: visible(text) || ' ', ...(style && { style }) };
}

/** Who did something, by the actor's id: people of this workspace under the name they have there. */
export function who(actorId: string): TextElement {
  const userId = /^slack:([UW][A-Z0-9]+)$/.exec(actorId)?.[1];
  return userId ? { type: 'user', user_id: userId } : textElement(clip(actorId, 100));
}

/** Notifies a user, or a user group by its id. */
export function mention(id: string): TextElement {
  return id.startsWith('S') ? { type: 'usergroup', usergroup_id: id } : { type: 'user', user_id: id };
}

/** A timestamp, shown in the reader's own time zone. */
export function dateElement(iso: string): TextElement {
  const fallback = `${iso.slice(0, 16).replace('T', ' ')} UTC`;
  const seconds = Math.floor(Date.parse(iso) / 1000);
  return { type: 'date', timestamp: seconds, format: '{date_short_pretty} {time}', fallback };
}

export function paragraph(...elements: TextElement[]): RichTextBlock {
  return { type: 'rich_text', elements: [{ type: 'rich_text_section', elements }] };
}

export function monospaced(text: string): RichTextBlock {
  return {
    type: 'rich_text',
    elements: [{ type: 'rich_text_preformatted', elements: [{ type: 'text', text: visible(text) }] }],
  };
}

export function bullets(items: TextElement[][]): RichTextBlock {
  return {
    type: 'rich_text',
    elements: [
      {
        type: 'rich_text_list',
        style: 'bullet',
        elements: items.map((elements) => ({ type: 'rich_text_section', elements })),
      },
    ],
  };
}

export function header(text: string): Block {
  return { type: 'header', text: { type: 'plain_text', text: clip(text, MAX_HEADER_CHARS), emoji: false } };
}

export function note(text: string): Block {
  return { type: 'context', elements: [{ type: 'plain_text', text: clip(text, MAX_SECTION_CHARS), emoji: false }] };
}

export function button(actionId: string, label: string, value: string, style?: 'primary' | 'danger'): types.Button {
  return {
    type: 'button',
    action_id: actionId,
    text: { type: 'plain_text', text: clip(label, MAX_BUTTON_CHARS), emoji: true },
    value,
    ...(style && { style }),
  };
}

/** A button that asks again before it acts. */
export function confirmed(it: types.Button, ask: { title: string; text: string; yes: string }): types.Button {
  const plain = (text: string) => ({ type: 'plain_text', text }) as const;
  const confirm = {
    title: plain(clip(ask.title, MAX_CONFIRM_TITLE_CHARS)),
    text: plain(clip(ask.text, MAX_CONFIRM_CHARS)),
    confirm: plain(ask.yes),
    deny: plain('Not now'),
  };
  return { ...it, confirm: { ...confirm, ...(it.style && { style: it.style }) } };
}

export function option(label: string, value: string): types.PlainTextOption {
  return { text: { type: 'plain_text', text: clip(label, MAX_BUTTON_CHARS), emoji: true }, value };
}

export function picture(fileId: string, alt: string): Block {
  return { type: 'image', slack_file: { id: fileId }, alt_text: clip(alt, 2000) };
}

const TIMESTAMP = /\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z/g;

/** Text whose timestamps (ISO 8601, UTC) are shown in the reader's own time zone. */
function datedText(text: string, bold: boolean): TextElement[] {
  const style = bold ? { bold } : undefined;
  const pieces = text.split(TIMESTAMP);
  const stamps = text.match(TIMESTAMP) ?? [];
  return pieces.flatMap((piece, i) => [
    ...(piece === '' && stamps.length > 0 ? [] : [textElement(piece, style)]),
    ...(stamps[i] === undefined ? [] : [dateElement(stamps[i])]),
  ]);
}

/** Ids that no reader needs where a button or a direct message brings the result. */
const RUN_ID = / \((?:run|approval) [0-9A-HJKMNP-TV-Z]{26}\)/g;

/** Lines as blocks within Slack's limits, the first one bold when it heads the others; what does not fit is counted. */
export function lineBlocks(lines: string[], limitChars = MAX_MESSAGE_CHARS): Block[] {
  const blocks: Block[] = [];
  let pack: TextElement[] = [];
  let packChars = 0;
  let allChars = 0;
  let shown = 0;
  for (const [i, line] of lines.entries()) {
    const text = clip(line, MAX_SECTION_CHARS - 1);
    if (allChars + text.length > limitChars) break;
    if (packChars + text.length + 1 > MAX_SECTION_CHARS) {
      blocks.push(paragraph(...pack));
      pack = [];
      packChars = 0;
    }
    pack.push(...datedText(`${pack.length > 0 ? '\n' : ''}${text}`, i === 0 && lines.length > 1));
    packChars += text.length + 1;
    allChars += text.length + 1;
    shown++;
  }
  if (pack.length > 0) blocks.push(paragraph(...pack));
  if (shown < lines.length) blocks.push(note(`and ${lines.length - shown} more`));
  return blocks;
}

/** A reply in plain text. */
export function plainReply(text: string, ...more: Block[]): Reply {
  const said = text.replace(RUN_ID, '');
  return { text: escapeText(said), blocks: [...lineBlocks(said.split('\n')), ...more] };
}

/** The way to the page that shows the same; nothing without one. */
export function pageBlocks(page: string | null): Block[] {
  if (page === null) return [];
  const link: types.RichTextLink = { type: 'link', url: page, text: 'Open in DexOps' };
  return [paragraph(link)];
}
