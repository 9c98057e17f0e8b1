/** The bar as a terminal and as a log file get it. */
import { expect, test } from 'vitest';
import { progressBar } from '../../../src/surfaces/cli/progressBar.ts';

function stream(isTTY: boolean) {
  const written: string[] = [];
  return { isTTY, written, write: (text: string) => written.push(text) };
}

test('a terminal sees one line that is drawn over and leaves no trace', () => {
  const terminal = stream(true);
  const bar = progressBar(terminal);
  bar.clear();
  expect(terminal.written).toEqual([]);
  bar.show(0, '0 of 4');
  bar.show(0.5, '2 of 4');
  bar.show(7, 'all');
  bar.clear();
  bar.clear();
  const shown = terminal.written.join('');
  expect(shown).not.toContain('\n');
  expect(shown.split('\r').map((line) => [...line].filter((letter) => letter === '█').length)).toEqual([
    0, 0, 15, 30, 0,
  ]);
  expect(shown).toContain('] 2 of 4');
  expect(shown.endsWith('\r\u001B[K')).toBe(true);
});

test('a file gets a line for every tenth, not for every step', () => {
  const file = stream(false);
  const bar = progressBar(file);
  for (let step = 0; step <= 1000; step += 1) bar.show(step / 1000, `${step}`);
  bar.clear();
  expect(file.written).toEqual([0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1000].map((step) => `${step}\n`));
});
