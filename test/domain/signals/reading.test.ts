/** What machines report is bounded and made possible before anything reads it. */
import { describe, expect, test } from 'vitest';
import {
  completeReadings,
  judgedItems,
  measured,
  missing,
  sanitisedReading,
} from '../../../src/domain/signals/reading.ts';

describe('sanitisedReading', () => {
  test.each([
    ['batteryHealthPct', 140, '140 % is not possible'],
    ['diskPct', -30, '-30 % is not possible'],
    ['diskFreeBytes', Number.NaN, 'what came is not a number'],
    ['diskLatencyMs', Number.POSITIVE_INFINITY, 'what came is not a number'],
  ] as const)('%s of %s is missing', (name, value, reason) => {
    expect(sanitisedReading(name, { items: [{ item: 'x', value }] })).toEqual({
      items: [{ item: 'x', missing: reason }],
    });
  });

  test('a negative counter is missing, not zero', () => {
    expect(sanitisedReading('logErrors', measured(-1))).toEqual({ missing: '-1 is not possible' });
  });

  test('a share that counters made a little too large is held to its bound and rounded', () => {
    expect(sanitisedReading('cpuPct', measured(100.4))).toEqual({ value: 100 });
    expect(sanitisedReading('cpuPct', measured(-0.2))).toEqual({ value: 0 });
    expect(sanitisedReading('cpuPct', measured(33.333333))).toEqual({ value: 33.33 });
  });

  test('clocks may be behind and signals below zero', () => {
    expect(sanitisedReading('clockOffsetS', measured(-3600.5))).toEqual({ value: -3600.5 });
    expect(sanitisedReading('wifiSignalDbm', { items: [{ item: 'wlan0', value: -71 }] })).toEqual({
      items: [{ item: 'wlan0', value: -71 }],
    });
  });

  test('a thousand mounts become as many as are kept, long names short', () => {
    const items = Array.from({ length: 1000 }, (_, at) => ({ item: `/mnt/${'x'.repeat(400)}${at}`, value: 1 }));
    const kept = sanitisedReading('diskPct', { items });
    expect('items' in kept && kept.items.length).toBe(64);
    expect('items' in kept && kept.items[0]?.item.length).toBe(256);
    const setAside = 'only the first 63 of 1000 are kept';
    expect('items' in kept && kept.items.at(-1)).toEqual({ item: 'and 937 more', setAside, missing: setAside });
    expect(sanitisedReading('diskPct', kept)).toEqual(kept);
  });

  test('sixty thousand failed units are counted, and a row stays small', () => {
    const units = Array.from({ length: 60_000 }, (_, at) => `unit-${at}.service`);
    const kept = sanitisedReading('servicesDown', measured(units));
    const names = 'value' in kept && Array.isArray(kept.value) ? kept.value : [];
    expect([names.length, names[0], names.at(-1)]).toEqual([500, 'unit-0.service', 'and 59501 more']);
    expect(JSON.stringify(kept).length).toBeLessThan(20_000);
    expect(sanitisedReading('servicesDown', kept)).toEqual(kept);
  });

  test('more failures than tries are missing', () => {
    expect(sanitisedReading('dnsFailures', measured({ count: 4, of: 3 }))).toEqual({
      missing: '4 of 3 is not possible',
    });
  });
});

test('what is not given is missing with a reason, for every signal', () => {
  const readings = completeReadings({ cpuPct: measured(5) }, (name) => `no ${name} here`);
  expect(readings.cpuPct).toEqual({ value: 5 });
  expect(readings.vpnUp).toEqual({ missing: 'no vpnUp here' });
});

test('an item that is set aside or was not read does not count', () => {
  const items = [
    { item: 'C:', value: 60 },
    { item: 'E:', value: 100, setAside: 'optical disc' },
    { item: 'F:', ...missing('no size') },
  ];
  expect(judgedItems({ items })).toEqual([{ item: 'C:', value: 60 }]);
});
