/** How people speak of their own machine. */
import { expect, test } from 'vitest';
import { asksAboutOwnMachine, isOwnMachine, joinOwnMachine } from '../../../src/domain/people/ownMachine.ts';

test.each(['my', 'mine', 'me', 'My laptop', 'my work laptop', 'MY-PC', 'my machine'])('%s is one’s own', (word) =>
  expect(isOwnMachine(word)).toBe(true),
);

test.each(['myhost', 'mine-01', 'my boss', 'alice-laptop', 'method'])('%s is not', (word) =>
  expect(isOwnMachine(word)).toBe(false),
);

test('two typed words become one, and others stay', () => {
  expect(joinOwnMachine(['score', 'my', 'laptop'])).toEqual(['score', 'mine']);
  expect(joinOwnMachine(['scan', 'my', 'boss'])).toEqual(['scan', 'my', 'boss']);
  expect(joinOwnMachine(['report', 'mine', 'it', 'is', 'slow'])).toEqual(['report', 'mine', 'it', 'is', 'slow']);
});

test.each([
  ['why is my laptop slow?', true],
  ['Why does my WLAN drop?', true],
  ['is mine ok', true],
  ['my new battery lasts an hour', true],
  ['why is alice-laptop slow?', false],
  ['what can my team do about alerts?', false],
])('%s: %s', (question, own) => expect(asksAboutOwnMachine(question)).toBe(own));
