import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { ScoreFile } from '../../src/core/scoreRules.ts';

const shipped = () => parse(readFileSync('config/dex_score.yaml', 'utf8'));

test('the shipped file is right', () => {
  expect(ScoreFile.safeParse(shipped()).success).toBe(true);
});

test.each<[string, (file: ReturnType<typeof shipped>) => void]>([
  ['an unknown measure', (file) => (file.deductions.device[0].measure = 'gpu_pct')],
  ['a weight below zero', (file) => (file.weights.app = -1)],
  ['a missing weight', (file) => delete file.weights.app],
  ['steps and points_per_unit together', (file) => (file.deductions.app[0].steps = [{ above: 1, points: 1 }])],
  ['a clearing line above the raising line', (file) => (file.alerts[0].clear = 99)],
  ['two alerts of one name', (file) => file.alerts.push(file.alerts[0])],
  ['an unknown key', (file) => (file.extra = true)],
  ['a persona that does not exist', (file) => (file.personas = { pirate: file.weights })],
])('%s is refused', (_what, breakIt) => {
  const file = shipped();
  breakIt(file);
  expect(ScoreFile.safeParse(file).success).toBe(false);
});
