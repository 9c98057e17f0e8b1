/** What a shell is offered while a command is typed. */

import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { TOOLS } from '../../../src/core/tools/index.ts';
import { completionScript, completions } from '../../../src/surfaces/cli/completion.ts';
import { findBinary } from '../../helpers/findBinary.ts';

const TYPED = TOOLS.filter(({ hiddenFrom }) => !hiddenFrom?.includes('cli'));
const offered = (...words: string[]) => completions(words, TYPED, async () => ['alice-laptop', 'bob-laptop']);

describe('after what is typed comes', () => {
  test.each<[string, string[], string[]]>([
    ['a command', ['scor'], ['score']],
    ['a machine', ['score', 'al'], ['alice-laptop']],
    ['the second word of a command', ['keys', 'cr'], ['create']],
    ['an option', ['alerts', '--sev'], ['--severity']],
    ['a value of the option', ['alerts', '--severity', 'crit'], ['critical']],
    ['a shell', ['completion', 'z'], ['zsh']],
    ['nothing where nothing fits', ['score', 'zzz'], []],
  ])('%s', async (_what, words, expected) => {
    expect(await offered(...words)).toEqual(expected);
  });

  test('every command, when nothing is typed', async () => {
    expect(await offered('')).toEqual(expect.arrayContaining(['alerts', 'fleet', 'help', 'open', 'restore', 'score']));
  });
});

test.each(['bash', 'zsh', 'fish'])('the script for %s is one that it reads', (shell) => {
  const script = completionScript(shell);
  expect(script).toContain('--complete');
  const program = findBinary(shell);
  if (program !== null) execFileSync(program, ['-n'], { input: script });
});

test('an unknown shell is told which are known', () => {
  expect(() => completionScript('tcsh')).toThrow(/bash, zsh or fish/);
});
