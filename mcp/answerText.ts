/** What a client's model reads of an answer: the text within the size that assistants show whole, and a picture where one was asked for. */
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import type { ChartRenderer } from '../src/core/chart.ts';
import type { Answer } from '../src/core/invoke.ts';

/** Bytes of UTF-8; about two thousand tokens. */
export const MOST_TEXT_BYTES = 8192;

/** Room for the sentence that says what was left out. */
const NOTE_BYTES = 160;

/** @param drawn whether a picture was asked for */
export async function contentOf(
  { text: said, chart, page }: Pick<Answer, 'text' | 'chart' | 'page'>,
  charts: ChartRenderer,
  drawn: boolean,
): Promise<CallToolResult['content']> {
  const text = page === null ? said : `${said}\nPage: ${page}`;
  if (!drawn) return [{ type: 'text', text: withinSize(text) }];
  if (!chart) return [{ type: 'text', text: withinSize(`${text}\nThere is nothing to draw yet.`) }];
  const png = Buffer.from(await charts.png(chart));
  return [
    { type: 'text', text: withinSize(`${text}\nPicture: ${chart.alt}`) },
    { type: 'image', data: png.toString('base64'), mimeType: 'image/png' },
  ];
}

/** The text, cut between lines where it is too long, and then it says so. */
export function withinSize(text: string, most = MOST_TEXT_BYTES): string {
  if (Buffer.byteLength(text) <= most) return text;
  const lines = text.split('\n');
  let bytes = 0;
  let kept = 0;
  for (const line of lines) {
    bytes += Buffer.byteLength(line) + 1;
    if (bytes > most - NOTE_BYTES) break;
    kept++;
  }
  // A single line that is too long is cut within; the rest says how much it was.
  const shown = kept > 0 ? lines.slice(0, kept) : [clipped(lines[0] as string, most - NOTE_BYTES)];
  const left = lines.length - Math.max(kept, 1);
  const what = left > 0 ? `${left} more line${left === 1 ? '' : 's'}` : 'the rest of the line';
  return [
    ...shown,
    `[Cut at ${most / 1024} KB: ${what} not shown. Narrow the call, or go on with offset where it has one.]`,
  ].join('\n');
}

function clipped(line: string, bytes: number): string {
  const cut = Buffer.from(line).subarray(0, bytes).toString();
  // Half a character at the end becomes the replacement character.
  return cut.replace(/\uFFFD$/, '');
}
