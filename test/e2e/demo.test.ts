/** `npm run demo -- --once`, as a newcomer starts it: the whole story, and nothing left behind. */
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { runProgram } from '../helpers/program.ts';

const folders = () => readdirSync(tmpdir()).filter((name) => name.startsWith('dexops-demo-'));

test('the demo tells its story to the end', { timeout: 400_000 }, async () => {
  const before = folders();
  const demo = runProgram('test/demo/demo.ts', ['--once', '--stand-in'], {});
  expect(await demo.ended, demo.output()).toBe(0);
  const said = demo.output().replace(/\s+/g, ' ');
  const inOrder = [
    'simulated: people, machines and their load',
    'lived through 7 days',
    '30 endpoints, average score',
    '30 people will be asked in their working hours',
    'DiskFull on alice-laptop: disk / at 86 %: rises',
    'forecast.png',
    'DiskFull on alice-laptop: disk /: 97 %, above 95 %',
    'clicks Approve',
    '(resolved: repaired, and a scan confirmed it)',
    'fixed; the disk is at 41 %',
    'Good to hear; thank you.',
    '12 of 30 people answered',
    'eNPS +41.7',
    'key-figures.png',
    'Cleaning up',
  ];
  const places = inOrder.map((words) => said.indexOf(words));
  expect(Object.fromEntries(inOrder.map((words, i) => [words, places[i] !== -1]))).toEqual(
    Object.fromEntries(inOrder.map((words) => [words, true])),
  );
  expect(places).toEqual(places.toSorted((a, b) => a - b));
  expect(folders().filter((name) => !before.includes(name))).toEqual([]);
});
