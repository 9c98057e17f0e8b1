/** Front-matter, facts and sections of a page. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  factsOf,
  isDocId,
  MAX_SECTION_CHARS,
  sectionsOf,
  splitFrontMatter,
} from '../../../src/domain/runbooks/runbook.ts';

describe('splitFrontMatter', () => {
  test('takes the first block off, whatever the line ends', () => {
    expect(splitFrontMatter('\uFEFF---\r\ntitle: A\r\n---\r\n# B\r\n')).toEqual({ yaml: 'title: A', body: '# B\n' });
  });
  test('a rule further down, or a block that never ends, is text', () => {
    expect(splitFrontMatter('# A\n\n---\n\nb').yaml).toBeNull();
    expect(splitFrontMatter('---\ntitle: A\n# B').yaml).toBeNull();
  });
  test('an empty block is empty', () => expect(splitFrontMatter('---\n---\nx')).toEqual({ yaml: '', body: 'x' }));
});

describe('factsOf', () => {
  test('reads what is there', () => {
    const { facts, problems } = factsOf(
      'disk',
      {
        title: 'Disk full',
        alerts: ['DiskFull', 'DiskSoonFull'],
        platforms: ['Linux'],
        severity: 'critical',
        playbook: 'disk_cleanup',
      },
      '# Other',
    );
    expect(facts).toEqual({
      title: 'Disk full',
      alerts: ['DiskFull', 'DiskSoonFull'],
      platforms: ['linux'],
      severity: 'critical',
      playbook: 'disk_cleanup',
    });
    expect(problems).toEqual([]);
  });
  test('title: front-matter, first heading, doc_id', () => {
    expect(factsOf('a', null, 'text\n## Head ##\n').facts.title).toBe('Head');
    expect(factsOf('disk_full-now', null, 'text').facts.title).toBe('disk full now');
  });
  test('what does not fit is left out and named', () => {
    const { facts, problems } = factsOf('a', { title: 7, alerts: ['A', 3], platforms: 'beos', severity: [] }, '# T');
    expect(facts).toEqual({ title: 'T', alerts: ['A'], platforms: [], severity: null, playbook: null });
    expect(problems).toHaveLength(4);
    expect(problems.join('\n')).toMatch(/platforms knows linux, macos, windows, not beos/);
  });
  test('a list where fields belong', () => {
    expect(factsOf('a', ['x'], '').problems).toEqual([expect.stringContaining('key: value')]);
  });
});

describe('sectionsOf', () => {
  const body =
    '# Disk full\n\nIntro.\n\n## Fix\n\nDo it.\n\n### On Linux\n\n```sh\n# not a heading\ndf -h\n```\n\n## Verify\n\nLook.\n\n## Empty\n';
  test('one for each heading with text, with the headings above', () => {
    expect(sectionsOf('Disk full', body)).toEqual([
      { heading: 'Disk full', text: 'Intro.' },
      { heading: 'Fix', text: 'Do it.' },
      { heading: 'Fix › On Linux', text: '```sh\n# not a heading\ndf -h\n```' },
      { heading: 'Verify', text: 'Look.' },
    ]);
  });
  test('no section is longer than the limit and no word is lost', () => {
    const word = fc.stringMatching(/^[a-z]{1,30}$/);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(word, fc.constantFrom(' ', '\n', '\n\n')), { minLength: 1, maxLength: 400 }),
        (words) => {
          const text = words.flat().join('');
          const sections = sectionsOf('t', text);
          expect(sections.every((section) => section.text.length <= MAX_SECTION_CHARS)).toBe(true);
          expect(sections.flatMap((section) => section.text.split(/\s+/))).toEqual(text.trim().split(/\s+/));
        },
      ),
    );
  });
  test('a wall of text without spaces is cut too', () => {
    expect(sectionsOf('t', 'x'.repeat(4_000)).map((section) => section.text.length)).toEqual([1_500, 1_500, 1_000]);
  });
});

test.each([
  ['disk_cleanup_v2', true],
  ['a.b-c', true],
  ['../etc/passwd', false],
  ['a/b', false],
  ['a\\b', false],
  ['..', false],
  ['a..b', false],
  ['.hidden', false],
  ['', false],
  ['a\0b', false],
  ['x'.repeat(129), false],
])('isDocId(%j) is %s', (docId, expected) => expect(isDocId(docId)).toBe(expected));
