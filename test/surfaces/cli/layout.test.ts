/** Answers within the width of a terminal. */
import { expect, test } from 'vitest';
import { forTerminal } from '../../../src/surfaces/cli/layout.ts';

const LONG = `pc-1      score 59 (at risk)  ${'word '.repeat(20)}end`;

test('goes on below, a little to the right, and loses nothing', () => {
  const lines = forTerminal(LONG, { columns: 60, colours: false }).split('\n');
  expect(lines.length).toBeGreaterThan(1);
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(60);
  expect(lines.slice(1).every((line) => line.startsWith('    '))).toBe(true);
  expect(lines.join(' ').split(/\s+/)).toEqual(LONG.split(/\s+/));
});

test('keeps a long word whole, and its hands off what goes to a program', () => {
  const address = `see ${'a'.repeat(90)} there`;
  expect(forTerminal(address, { columns: 60, colours: false })).toContain('a'.repeat(90));
  expect(forTerminal(LONG, { columns: null, colours: false })).toBe(LONG);
});

test('colours words of state where there are colours', () => {
  expect(forTerminal('3 critical', { columns: null, colours: true })).toBe('3 \u001B[31mcritical\u001B[0m');
  expect(forTerminal('3 critical', { columns: null, colours: false })).toBe('3 critical');
});
