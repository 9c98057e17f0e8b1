/** Names first, then five equal signals; excerpts and reasons. */
import { describe, expect, test } from 'vitest';
import { terms } from '../../../src/domain/runbooks/lexicon.ts';
import {
  excerptOf,
  nameBook,
  namedPages,
  PRIOR_WEIGHT,
  rank,
  type Signals,
  whyFound,
} from '../../../src/domain/runbooks/runbookRanking.ts';

const book = nameBook([
  { docId: 'disk-linux', title: 'Disk full on Linux', alerts: ['DiskFull'] },
  { docId: 'disk-windows', title: 'Disk full on Windows', alerts: ['DiskFull'] },
  { docId: 'printer', title: 'Printer', alerts: [] },
  { docId: 'vpn', title: 'VPN slow', alerts: ['VpnSlow', 'vpn_down'] },
]);
const none: Signals = {
  textDocument: new Map(),
  textSection: new Map(),
  vectorDocument: new Map(),
  vectorSection: new Map(),
};

describe('namedPages', () => {
  const named = (query: string, alert: string | null = null) => [...namedPages(query, alert, book).keys()];
  test('an alert name by parameter, as head, inside the text, in any spelling', () => {
    expect(named('', 'DiskFull')).toEqual(['disk-linux', 'disk-windows']);
    expect(named('diskfull: / has 2% left')).toEqual(['disk-linux', 'disk-windows']);
    expect(named('I got a VPN_DOWN, what now')).toEqual(['vpn']);
    expect(named('disk full on linux')).toEqual(['disk-linux']);
  });
  test('a plain word inside a sentence is no name, but alone it is', () => {
    expect(named('the printer is on fire')).toEqual([]);
    expect(named('Printer')).toEqual(['printer']);
  });
  test('the parameter goes before names in the text', () => {
    expect(namedPages('VpnSlow since the DiskFull', 'DiskFull', book).get('vpn')?.rank).toBe(1);
  });
});

describe('rank', () => {
  test('named pages lead whatever the signals say, and only they have score 1', () => {
    const signals = {
      ...none,
      textDocument: new Map([
        ['printer', 9],
        ['disk-windows', 1],
      ]),
    };
    const ranked = rank(terms('disk'), signals, namedPages('', 'DiskFull', book), book);
    expect(ranked.map(({ docId }) => docId)).toEqual(['disk-windows', 'disk-linux', 'printer']);
    expect(ranked.map(({ score }) => score === 1)).toEqual([true, true, false]);
  });
  test('each signal counts as a share of its best, the same for all', () => {
    const signals: Signals = {
      textDocument: new Map([
        ['vpn', 20],
        ['printer', 10],
      ]),
      textSection: new Map([['vpn', 3]]),
      vectorDocument: new Map([['printer', 0.4]]),
      vectorSection: new Map(),
    };
    const scores = new Map(rank([], signals, new Map(), book).map(({ docId, score }) => [docId, score]));
    expect(scores.get('vpn')).toBeCloseTo(2 / 5);
    expect(scores.get('printer')).toBeCloseTo(1.5 / 5);
  });
  test('a page whose whole name is said goes before one with half of it', () => {
    const ranked = rank(
      terms('disk full windows'),
      {
        ...none,
        textDocument: new Map([
          ['disk-linux', 1],
          ['disk-windows', 1],
        ]),
      },
      new Map(),
      book,
    );
    expect(ranked[0]?.docId).toBe('disk-windows');
  });
  test('votes order near-equals and no more, however they are given', () => {
    const near = {
      ...none,
      textDocument: new Map([
        ['vpn', 1],
        ['printer', 0.9],
      ]),
    };
    const far = {
      ...none,
      textDocument: new Map([
        ['vpn', 1],
        ['printer', 0.2],
      ]),
    };
    const prior = (docId: string) => (docId === 'printer' ? 99 : 0);
    expect(rank([], near, new Map(), book, prior)[0]).toMatchObject({
      docId: 'printer',
      score: expect.closeTo(0.18 + PRIOR_WEIGHT, 5),
    });
    expect(rank([], far, new Map(), book, prior)[0]?.docId).toBe('vpn');
  });
});

test('whyFound: the name, the shared words in the words of the question, or likeness', () => {
  expect(whyFound({ rank: 0, name: 'DiskFull', by: 'alerts' }, '', '')).toBe('answers the alert DiskFull');
  expect(whyFound({ rank: 0, name: 'Printer', by: 'title' }, '', '')).toBe('its title is Printer');
  expect(whyFound(null, 'why do uploads keep failing?', 'When an upload fails')).toBe(
    'shares the words uploads, failing',
  );
  expect(whyFound(null, 'teh pritner', 'printer')).toBe('reads like the question');
});

describe('excerptOf', () => {
  const text =
    'First we say hello.\n\n```sh\nls\n```\nThen check the spooler service. It may be stopped.\nAt last restart it.';
  test('begins where the query is answered', () => {
    expect(excerptOf(text, terms('spooler stopped'), 60)).toBe(
      'Then check the spooler service. It may be stopped. At last…',
    );
  });
  test('is the beginning when nothing is shared', () =>
    expect(excerptOf(text, ['zzz'])).toMatch(/^First we say hello\. ls Then/));
  test('is never longer than asked', () =>
    expect(excerptOf('x'.repeat(9_000), [], 280).length).toBeLessThanOrEqual(280));
});
