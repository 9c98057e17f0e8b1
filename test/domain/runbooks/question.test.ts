import { describe, expect, test } from 'vitest';
import { fitOf, isConfident } from '../../../src/domain/runbooks/confidence.ts';
import { conceptOf, type Glossary, NO_GLOSSARY, translated } from '../../../src/domain/runbooks/glossary.ts';
import { terms } from '../../../src/domain/runbooks/lexicon.ts';
import { understood, withoutName } from '../../../src/domain/runbooks/question.ts';
import { corrected, vocabularyOf } from '../../../src/domain/runbooks/vocabulary.ts';

const PAGES = [
  'Disk full on Linux. No space left on device, discovery of large files',
  'Machine overheats, high temperature, fan loud, thermal throttling',
  'Printer does not print, print queue is stuck',
  'No network address, DHCP fails, an address that begins with 169.254',
  'Updates stuck, error 0x80070002 in the update log',
  'Names do not resolve, DNS failures',
  'VPN does not connect',
  'Battery drains',
  'Certificate expired',
  'Slow boot',
  'Login problem',
];
const vocabulary = vocabularyOf(PAGES.map(terms));
const glossary: Glossary = {
  concepts: [
    conceptOf('disk full', ['out of room'], ['festplatte ist voll', 'disco', '磁盘已满']),
    conceptOf('overheats temperature', ['scorching'], ['überhitzt', 'heiß']),
    conceptOf('printer', [], ['drucker']),
  ],
  ignored: new Set(['mein', 'ist', 'der']),
};
const isUsed = (key: string) => vocabulary.frequency.has(key);

describe('a misspelt word', () => {
  test.each([
    ['printre', 'printer'],
    ['resolv', 'resolv'],
    ['tempereture', 'temperature'],
  ])('%s is read as %s', (said, meant) => expect(corrected(terms(said)[0]!, vocabulary)).toBe(terms(meant)[0]));

  test.each(['vpm', 'zebra', 'prnt1'])('%s stays: too short, too far, or a code', (said) =>
    expect(corrected(said, vocabulary)).toBe(said),
  );

  test('a word that pages use is never changed', () => expect(corrected('print', vocabulary)).toBe('print'));
});

describe('the glossary', () => {
  test.each([
    ['Mein Laptop überhitzt', ['overheats temperature']],
    ['der Netzwerkdrucker streikt', ['printer']],
    ['我的磁盘已满', ['disk full']],
    ['Die Festplatte ist voll!', ['disk full']],
  ])('%s', (question, meant) =>
    expect(translated(question, glossary, isUsed).concepts.map(({ means }) => means)).toEqual(meant),
  );

  test('a word that pages use is not taken for a foreign one that begins it', () =>
    expect(translated('discovery fails', glossary, isUsed).concepts).toEqual([]));

  test('words of grammar are dropped, what is unknown stays', () =>
    expect(translated('mein Drucker ist lila', glossary, isUsed).rest).toBe('lila'));

  test('a synonym helps where no page uses the word', () => {
    expect(understood('scorching laptop', glossary, vocabulary).keys).toEqual(
      expect.arrayContaining(terms('overheats temperature')),
    );
    expect(understood('high temperature', glossary, vocabulary).keys).toEqual(terms('high temperature'));
  });
});

describe('numbers', () => {
  test('that a page carries are kept', () => {
    expect(understood('address is 169.254.7.9 here', NO_GLOSSARY, vocabulary).keys).toEqual(
      expect.arrayContaining(['169', '254']),
    );
    expect(understood('update fails with 0x80070002', NO_GLOSSARY, vocabulary).keys).toContain('0x80070002');
  });

  test('that no page carries are not', () =>
    expect(understood('disk at 97 % for 15 minutes', NO_GLOSSARY, vocabulary).keys).not.toContain('15'));
});

describe('confidence', () => {
  const fits = (question: string, page: number) => {
    const words = new Set(terms(PAGES[page]!));
    const name = new Set(terms(PAGES[page]!.split(/[.,]/, 1)[0]!));
    return isConfident(fitOf(understood(question, NO_GLOSSARY, vocabulary).keys, words, name, vocabulary));
  };

  test.each([
    ['printer does not print', 2],
    ['no space left on device', 0],
    ['names do not resolve', 5],
  ])('%s is answered', (question, page) => expect(fits(question, page)).toBe(true));

  test.each([
    ['how do I book a meeting room', 2],
    ['what is the meaning of life', 5],
    ['asdf qwer zxcv', 0],
  ])('%s is not', (question, page) => expect(fits(question, page)).toBe(false));
});

test('the name of a machine is no part of what is asked about it', () => {
  expect(withoutName('Disk of LT-Anna.corp.example is full on lt-anna.corp.example', 'lt-anna.corp.example')).toBe(
    'Disk of   is full on  ',
  );
});
