/** Text for people: without characters that act on whoever shows it, in columns that stand below each other, times with their zone. */
import { timeText } from '../domain/time/localTime.ts';

/** Controls (C0 but tab and line feed, DEL, C1), bidirectional marks and the separators that some programs take for line ends. */
const ACTING = /[^\P{Cc}\t\n]|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;
const NEWLINE = /\n/g;

/** The text with what would act on a terminal or reorder a line shown as an escape: `\x1b`, `\u202e`. Line feeds and tabs stay. */
export function visible(text: string): string {
  return text.replace(ACTING, escaped);
}

/** As `visible`, on one line: a line feed within is an escape too, so that nobody can write a line of their own. */
export function visibleLine(text: string): string {
  return visible(text).replace(NEWLINE, '\\n');
}

/** JSON as it is, with the same characters as JSON's own escapes, so that it reads back equal. */
export function visibleJson(json: string): string {
  return json.replace(ACTING, (character) => `\\u${hex(character, 4)}`);
}

function escaped(character: string): string {
  const code = character.charCodeAt(0);
  return code < 256 ? `\\x${hex(character, 2)}` : `\\u${hex(character, 4)}`;
}

function hex(character: string, digits: number): string {
  return character.charCodeAt(0).toString(16).padStart(digits, '0');
}

/** The path of the first field that holds a NUL, dots between its parts; null when none does. */
export function pathOfNul(value: unknown): string | null {
  // Nearly nothing has one, and paths cost more than looking.
  return holdsNul(value) ? nulBelow(value, []) : null;
}

function holdsNul(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('\0');
  if (value === null || typeof value !== 'object' || value instanceof Date) return false;
  if (Array.isArray(value)) return value.some(holdsNul);
  return Object.keys(value).some((name) => name.includes('\0') || holdsNul((value as Record<string, unknown>)[name]));
}

function nulBelow(value: unknown, path: readonly string[]): string | null {
  if (typeof value === 'string') return value.includes('\0') ? path.join('.') : null;
  if (value === null || typeof value !== 'object' || value instanceof Date) return null;
  for (const [name, inner] of Object.entries(value)) {
    const found = name.includes('\0') ? path.join('.') : nulBelow(inner, [...path, name]);
    if (found !== null) return found;
  }
  return null;
}

/** Wider cells push only their own line out of the column. */
const WIDEST_COLUMN = 40;
const GAP = '  ';

/** Rows as lines whose cells stand below each other; the last cell of a row is as long as it is. */
export function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.slice(0, -1).forEach((cell, column) => {
      const { length } = cell;
      if (length <= WIDEST_COLUMN) widths[column] = Math.max(widths[column] ?? 0, length);
    });
  }
  return rows.map((row) =>
    row
      .map((cell, column) => (column < row.length - 1 ? cell.padEnd(widths[column] ?? 0) : cell))
      .join(GAP)
      .trimEnd(),
  );
}

/** `2026-11-28 01:10 UTC`; a dash for a time that there is none of. @param iso ISO 8601 in UTC */
export function utc(iso: string | null): string {
  return iso === null ? '–' : `${iso.slice(0, 16).replace('T', ' ')} UTC`;
}

/** A time on the clock of a person, and on everybody's when that is another. */
export function localText(at: Date, timeZone: string): string {
  const local = timeText(at, timeZone);
  return timeZone === 'UTC' ? local : `${local} (${utc(at.toISOString())})`;
}

/** Text as one line of at most so many characters. */
export function clipped(text: string, most: number): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= most ? line : `${line.slice(0, most - 1).trimEnd()}…`;
}
