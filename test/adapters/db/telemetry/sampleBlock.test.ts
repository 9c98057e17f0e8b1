import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeBlock, encodeBlock, type SampleTree } from '../../../../src/adapters/db/telemetry/sampleBlock.ts';

/** What JSON makes of a sample; a block promises no less and no more. */
const asJson = (samples: readonly SampleTree[]): unknown => JSON.parse(JSON.stringify(samples));

const leaf = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (Object.is(value, -0) ? 0 : value)),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.integer({ min: -100_000, max: 100_000 }).map((value) => value / 1000),
  fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed()),
  fc.boolean(),
  fc.constant(null),
);
const key = fc.string({ minLength: 1, maxLength: 12 }).filter((text) => text !== '__proto__');
const sample = fc.dictionary(
  key,
  fc.oneof(leaf, fc.array(leaf, { maxLength: 3 }), fc.dictionary(key, fc.oneof(leaf, fc.dictionary(key, leaf)))),
  { maxKeys: 6 },
);

describe('a block of samples', () => {
  test('gives back exactly what was put in', () => {
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 20 }), (samples) => {
        const plain = samples.map((each) => ({ ...each }));
        expect(asJson(decodeBlock(encodeBlock(plain)))).toEqual(asJson(plain));
      }),
      { numRuns: 200 },
    );
  });

  test('keeps an absent leaf apart from null and from zero', () =>
    expect(decodeBlock(encodeBlock([{ a: 0 }, { a: null }, {}, { a: undefined }, { a: 0.1 }]))).toEqual([
      { a: 0 },
      { a: null },
      {},
      {},
      { a: 0.1 },
    ]));

  test.each([
    [[0.1, 0.2, 1e-7]],
    [[2 ** 52, 1]],
    [[Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER]],
    [[-0, 5]],
    [[1e300]],
  ])('is exact for %s', (values) => {
    const read = decodeBlock(encodeBlock(values.map((a) => ({ a })))).map(({ a }) => a);
    for (const [i, value] of values.entries()) expect(Object.is(read[i], value)).toBe(true);
  });

  test('keeps what a machine names as hostile as it comes', () => {
    const hostile = [
      JSON.parse('{"mounts":{"__proto__":5,"a\\u001fb":1,"/":2}}') as SampleTree,
      { mounts: {} },
      { mounts: [] },
    ];
    expect(JSON.stringify(decodeBlock(encodeBlock(hostile)))).toBe(JSON.stringify(hostile));
    expect(({} as Record<string, unknown>).a).toBeUndefined();
  });

  test('reads only the series that are wanted', () =>
    expect(decodeBlock(encodeBlock([{ at: 1, mounts: { '/': 5 }, other: 1 }]), (name) => name !== 'other')).toEqual([
      { at: 1, mounts: { '/': 5 } },
    ]));

  test('stays small where little changes: a day of fifty series in less than four KiB', () => {
    const day = Array.from({ length: 96 }, (_, scan) => ({
      at: 1_700_000_000_000 + scan * 900_000 + ((scan * 7919) % 1000),
      ...Object.fromEntries(
        Array.from({ length: 50 }, (_, i) => [
          `signal_${i}`,
          Math.round(400 + i * 10 + 20 * Math.sin((scan + i) / 9)) / 10,
        ]),
      ),
      reasons: { battery_health_pct: 'this machine has no battery' },
    }));
    expect(encodeBlock(day).length).toBeLessThan(4096);
  });

  test('refuses bytes that are cut off, changed, or of another version', () => {
    const block = encodeBlock([{ a: 1 }, { a: 2 }]);
    expect(() => decodeBlock(block.subarray(0, block.length - 3))).toThrow();
    const changed = Buffer.from(block);
    changed[changed.length - 1] = (changed.at(-1) as number) ^ 1;
    expect(() => decodeBlock(changed)).toThrow();
    expect(() => decodeBlock(Buffer.from('no block'))).toThrow();
  });
});
