import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../../../src/core/errors.ts';
import { TOOLS } from '../../../../src/core/tools/index.ts';
import {
  clip,
  escapeText,
  lineBlocks,
  MAX_SECTION_CHARS,
  unescapeTyped,
} from '../../../../src/surfaces/slack/cards/text.ts';
import { formCall, formErrors, toolForm, wantsForm } from '../../../../src/surfaces/slack/commands/forms.ts';
import { createOnce } from '../../../../src/surfaces/slack/once.ts';
import { testClock } from '../../../helpers/clock.ts';

describe('text', () => {
  it.each([
    ['score <http://dev-01.example.com|dev-01.example.com>', 'score dev-01.example.com'],
    ['endpoints <mailto:a@b.example|a@b.example>', 'endpoints a@b.example'],
    ['score <https://dev-01.example.com>', 'score https://dev-01.example.com'],
    ['score <@U1|alice>', 'score <@U1|alice>'],
    ['a &amp;lt; b &lt;c&gt;', 'a &lt; b <c>'],
  ])('reads %s as typed', (sent, typed) => expect(unescapeTyped(sent)).toBe(typed));

  it('escapes so that nothing comes to life', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
        const escaped = escapeText(text);
        expect(escaped).not.toMatch(/[<>]|&(?!amp;|lt;|gt;)|(?<!\u2060)[*_~`]/);
      }),
    );
  });

  it('cuts between characters', () => {
    expect(clip('short', 5)).toBe('short');
    expect(clip('longer', 5)).toBe('long…');
    expect(clip('ab😀d', 4)).toBe('ab…');
  });

  it('keeps any lines within the limits, and counts what it leaves out', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 5000 }), { maxLength: 300 }), (lines) => {
        const blocks = lineBlocks(lines);
        expect(blocks.length).toBeLessThanOrEqual(50);
        for (const block of blocks) {
          const chars = [...JSON.stringify(block).matchAll(/"text":"((?:[^"\\]|\\.)*)"/g)].reduce(
            (sum, [, text]) => sum + JSON.parse(`"${text}"`).length,
            0,
          );
          expect(chars).toBeLessThanOrEqual(MAX_SECTION_CHARS);
        }
      }),
      { numRuns: 50 },
    );
    const many = lineBlocks(Array.from({ length: 500 }, (_, i) => `machine-${i} ${'x'.repeat(90)}`));
    expect(JSON.stringify(many.at(-1))).toMatch(/and \d+ more/);
  });
});

describe('once', () => {
  it('knows a key again until its time is over', () => {
    const clock = testClock();
    const once = createOnce(clock.now);
    expect([once.first('a', 1000), once.first('a', 1000), once.first('b', 1000)]).toEqual([true, false, true]);
    clock.advance(1000);
    expect(once.first('a', 1000)).toBe(false);
    clock.advance(1);
    expect(once.first('a', 1000)).toBe(true);
  });

  it('forgets the oldest instead of growing', () => {
    const once = createOnce(testClock().now);
    for (let i = 0; i < 10_001; i++) once.first(`key-${i}`);
    expect(once.first('key-10000')).toBe(false);
    expect(once.first('key-0')).toBe(true);
  });
});

describe('forms', () => {
  const register = TOOLS.find(({ name }) => name === 'register_endpoint')!;
  const state = (values: Record<string, string | null>) =>
    Object.fromEntries(Object.entries(values).map(([id, value]) => [id, { value: { value } }]));

  it('are offered where a line would not do', () => {
    const offered = TOOLS.filter((tool) => tool.command && wantsForm(tool)).map(({ name }) => name);
    expect(offered).toContain('register_endpoint');
    expect(offered).not.toContain('get_score');
    expect(offered).not.toContain('scan_endpoint');
  });

  it('ask for every field, choices as menus', () => {
    const { blocks } = toolForm(register);
    const element = (id: string) => blocks.find((block) => block.block_id === id);
    expect(element('hostname')).toMatchObject({ optional: false, element: { type: 'plain_text_input' } });
    expect(element('persona')).toMatchObject({ optional: true, element: { type: 'static_select' } });
    expect(element('options.port')).toBeDefined();
  });

  it('give their values as the tool wants them, empty ones left out', () => {
    const filled = state({ hostname: ' web-01 ', tags: 'a=1', 'options.port': '22', owner_email: null, persona: ' ' });
    expect(formCall(register, filled).input).toEqual({ hostname: 'web-01', tags: { a: '1' }, options: { port: 22 } });
  });

  it('put complaints at their fields, and those of no field at the first', () => {
    const filled = state({ hostname: 'x', tags: '' });
    const fields = [
      { field: 'tags.a b', problem: 'a tag name has letters' },
      { field: 'collector', problem: 'unknown' },
    ];
    expect(formErrors(new AppError('invalid', 'no', { fields }), filled)).toEqual({
      tags: 'a tag name has letters',
      hostname: 'unknown',
    });
    expect(formErrors(new AppError('conflict', 'x is registered already'), filled)).toEqual({
      hostname: 'x is registered already',
    });
  });
});
