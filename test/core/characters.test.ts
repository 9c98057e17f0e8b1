/** Where a NUL stands in an input, and how characters that act on a terminal or reorder a line are shown. */
import { describe, expect, it, test } from 'vitest';
import { pathOfNul, visible, visibleJson, visibleLine } from '../../src/core/characters.ts';
import { clip, plainReply } from '../../src/surfaces/slack/cards/text.ts';

test.each([
  [{ hostname: 'a\0b' }, 'hostname'],
  [{ tags: { dept: 'x', site: '\0' } }, 'tags.site'],
  [{ options: { services: ['cron', 'x\0'] } }, 'options.services.1'],
  [{ tags: { 'a\0': 'x' } }, 'tags'],
  [{ hostname: 'a', since: new Date(), limit: 3, none: null }, null],
])('%j', (input, path) => expect(pathOfNul(input)).toBe(path));

describe('what acts on whoever shows it', () => {
  const mean = 'a\x1b[31mb\x9bc\u202ed\u2066e\x07f\rg\u2028h';

  it('is shown as escapes, and line feeds and tabs stay', () => {
    expect(visible(`${mean}\n\tü 日本 👩‍💻`)).toBe(
      'a\\x1b[31mb\\x9bc\\u202ed\\u2066e\\x07f\\x0dg\\u2028h\n\tü 日本 👩‍💻',
    );
    expect(visibleLine('one\ntwo')).toBe('one\\ntwo');
  });

  it('leaves JSON that reads back equal', () => {
    const json = visibleJson(JSON.stringify({ [mean]: mean }, null, 2));
    expect(JSON.parse(json)).toEqual({ [mean]: mean });
    expect(json).toMatch(/^[\x20-\x7e\n]*$/);
  });

  it('stays out of texts for Slack, whole or cut', () => {
    expect(JSON.stringify(plainReply(mean))).not.toMatch(/\\u001b|[\x80-\x9f\u202e\u2066]/);
    expect(clip(mean, 20)).toHaveLength(20);
  });
});
