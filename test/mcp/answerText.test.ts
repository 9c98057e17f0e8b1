/** The size of answers: what fits is whole, what does not is cut between lines and says so. */
import { expect, test } from 'vitest';
import { MOST_TEXT_BYTES, withinSize } from '../../mcp/answerText.ts';

test('what fits is left as it is', () => {
  const text = 'x'.repeat(MOST_TEXT_BYTES);
  expect(withinSize(text)).toBe(text);
});

test('a long list is cut between lines, and says how many are missing', () => {
  const lines = Array.from({ length: 500 }, (_, i) => `${i}  größer als erlaubt, mit Umlauten  pc-${i}`);
  const cut = withinSize(lines.join('\n'));
  expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(MOST_TEXT_BYTES);
  const kept = cut.split('\n');
  const note = kept.pop();
  expect(kept).toEqual(lines.slice(0, kept.length));
  expect(note).toBe(
    `[Cut at 8 KB: ${500 - kept.length} more lines not shown. Narrow the call, or go on with offset where it has one.]`,
  );
});

test('one endless line is cut within, never through a character', () => {
  const cut = withinSize('€'.repeat(10_000));
  expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(MOST_TEXT_BYTES);
  expect(cut).not.toContain('\uFFFD');
  expect(cut).toMatch(/^€+\n\[Cut at 8 KB: the rest of the line not shown/);
});
