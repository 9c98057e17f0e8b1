/** How an answer stands on a terminal: within its width, and with the words that matter in colour. */
import type { TerminalFacts } from './terminal.ts';

const RESET = '\u001B[0m';
/** A word of state and its colour (SGR); what they mean is said by the word, the colour only helps to find it. */
const COLOURS: readonly [words: RegExp, sgr: string][] = [
  [/\b(?:critical|failed|unreachable|not reachable|could not be reached|does not answer)\b/gi, '31'],
  [/\b(?:warning|at risk|poor|stale|pending)\b/gi, '33'],
  [/\b(?:healthy|good|resolved|succeeded|fixed)\b/gi, '32'],
];

/** A timestamp of the wire within a text, which people read to the minute. */
const TIMESTAMP = /\b(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\d(?:\.\d+)?Z/g;

/** @param given plain text without characters that act on a terminal */
export function forTerminal(given: string, { columns, colours }: Pick<TerminalFacts, 'columns' | 'colours'>): string {
  const text = given.replace(TIMESTAMP, '$1 $2 UTC');
  const fitting =
    columns === null
      ? text
      : text
          .split('\n')
          .map((line) => wrapped(line, columns))
          .join('\n');
  return colours
    ? COLOURS.reduce((coloured, [words, sgr]) => coloured.replace(words, `\u001B[${sgr}m$&${RESET}`), fitting)
    : fitting;
}

/** Narrower ones would leave a word a line. */
const LEAST_COLUMNS = 40;
/** What goes on below a line stands a little to the right of where it began. */
const HANGING = 4;

/** A line broken at white space; a word longer than the width stays whole, so that it can be copied. */
function wrapped(line: string, columns: number): string {
  if (line.length <= columns || columns < LEAST_COLUMNS) return line;
  const indent = ' '.repeat(line.search(/\S/) + HANGING);
  const lines: string[] = [];
  let rest = line;
  while (rest.length > columns) {
    const from = lines.length === 0 ? indent.length - HANGING : indent.length;
    const inside = rest.lastIndexOf(' ', columns);
    const at = inside > from ? inside : rest.indexOf(' ', columns);
    if (at === -1) break;
    lines.push(rest.slice(0, at).trimEnd());
    rest = indent + rest.slice(at).trimStart();
  }
  return [...lines, rest].join('\n');
}
