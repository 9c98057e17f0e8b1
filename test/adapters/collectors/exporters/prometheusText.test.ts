import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  parseSamples,
  type Sample,
  type WantedMetrics,
} from '../../../../src/adapters/collectors/exporters/prometheusText.ts';

const plain = (samples: Map<string, Sample[]>) =>
  Object.fromEntries(
    [...samples].map(([name, list]) => [name, list.map(({ labels, value }) => [{ ...labels }, value])]),
  );

const all = (names: string[]): WantedMetrics => new Map(names.map((name) => [name, 'all']));

function parse(text: string, ...wanted: string[]) {
  const found = new Map<string, Sample[]>();
  parseSamples(text, all(wanted), found);
  return plain(found);
}

describe('parseSamples', () => {
  it('finds the wanted metrics among comments and others', () => {
    const page = [
      '# HELP up Whether it is up.',
      '# TYPE up gauge',
      'up 1',
      'upper 2',
      'load{host="a",core="0"} 0.5',
      'load{host="b"} 1e3 1700000000000',
      '# EOF',
    ].join('\n');
    expect(parse(page, 'up', 'load')).toEqual({
      up: [[{}, 1]],
      load: [
        [{ host: 'a', core: '0' }, 0.5],
        [{ host: 'b' }, 1000],
      ],
    });
  });

  it('reads escapes, blanks, trailing commas, empty braces and carriage returns', () => {
    expect(parse('m{p="C:\\\\dir\\"x\\"\\n}, ="} 1', 'm')).toEqual({ m: [[{ p: 'C:\\dir"x"\n}, =' }, 1]] });
    expect(parse(' \tm { a = "1" , b="2" , }\t 3 \r', 'm')).toEqual({ m: [[{ a: '1', b: '2' }, 3]] });
    expect(parse('m{} 4\r\nm 5\r\n', 'm')).toEqual({
      m: [
        [{}, 4],
        [{}, 5],
      ],
    });
  });

  it('reads NaN, infinities, OpenMetrics timestamps and exemplars', () => {
    const page = 'm NaN\nm +Inf\nm -Inf\nm 17 1700000000.123 # {trace_id="x"} 0.5 1.2\n';
    expect(parse(page, 'm')).toEqual({
      m: [
        [{}, Number.NaN],
        [{}, Number.POSITIVE_INFINITY],
        [{}, Number.NEGATIVE_INFINITY],
        [{}, 17],
      ],
    });
  });

  it.each([
    'm',
    'm ',
    'm x',
    'm{a="1} 2',
    'm{a=1} 2',
    'm{a="1"',
    'm{a="1" b="2"} 3',
    'm{="1"} 2',
    'm{a="1"}',
    'm{a="\\',
  ])('leaves out the malformed line %j and reads on', (line) =>
    expect(parse(`${line}\nm 9`, 'm')).toEqual({ m: [[{}, 9]] }),
  );

  it('passes over zeros of a family of which they say nothing, and over no other number', () => {
    const found = new Map<string, Sample[]>();
    const page = 's{a="0"} 0\ns{a="1"} 1\ns{a="2"} 10\ns 0\nup 0\n';
    parseSamples(
      page,
      new Map([
        ['s', 'nonzero'],
        ['up', 'all'],
      ] as const),
      found,
    );
    expect(plain(found)).toEqual({
      s: [
        [{ a: '1' }, 1],
        [{ a: '2' }, 10],
      ],
      up: [[{}, 0]],
    });
  });

  it('takes a label named like an object member for a label', () => {
    const found = new Map<string, Sample[]>();
    parseSamples('m{__proto__="x"} 1', all(['m']), found);
    expect(Object.entries(found.get('m')?.[0]?.labels ?? {})).toEqual([['__proto__', 'x']]);
  });

  const name = fc.stringMatching(/^[a-z_][a-z0-9_]{0,20}$/);
  const sample = fc.record({
    name,
    labels: fc.dictionary(name, fc.string({ unit: 'binary', maxLength: 20 }), { maxKeys: 4, noNullPrototype: false }),
    // -0 is written as 0.
    value: fc.double().map((value) => value || Math.abs(value)),
  });
  const escapeLabel = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
  const goValue = (value: number) =>
    Number.isFinite(value) ? String(value) : String(value).replace('Infinity', 'Inf');
  const lineOf = ({ name, labels, value }: { name: string; labels: Record<string, string>; value: number }) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
    return `${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${goValue(value)}\n`;
  };

  it('reads back whatever was written, wherever the page is cut between lines', () => {
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 20 }), fc.nat(20), (samples, cut) => {
        const found = new Map<string, Sample[]>();
        const wanted = new Set(samples.map((each) => each.name));
        parseSamples(samples.slice(0, cut).map(lineOf).join(''), all([...wanted]), found);
        parseSamples(samples.slice(cut).map(lineOf).join(''), all([...wanted]), found);
        for (const metric of wanted) {
          const expected = samples.filter((each) => each.name === metric).map(({ labels, value }) => [labels, value]);
          expect(plain(found)[metric]).toEqual(expected);
        }
      }),
    );
  });

  it('never throws and never invents a metric, whatever the text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('m', '{', '}', '"', '\\', '=', ',', ' ', '\n', '1', '#'), maxLength: 60 }),
        (text) => {
          for (const [metric, samples] of Object.entries(parse(text, 'm', 'mm'))) {
            expect(['m', 'mm']).toContain(metric);
            expect(samples.length).toBeLessThanOrEqual(text.split('\n').length);
          }
        },
      ),
    );
  });
});
