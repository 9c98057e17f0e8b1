/** Snapshots that are no sound ones: what cannot be counts as not measured, and says so. */
import { describe, expect, test } from 'vitest';
import { type Snapshot, sanitised } from '../../../src/domain/signals/telemetry.ts';
import { flatSnapshot } from '../../helpers/flatSnapshot.ts';

const TARGET = { hostname: 'pc-1', ipAddress: null, osPlatform: 'linux', collector: 'local', options: {} } as const;
const NOW = new Date('2026-03-02T09:00:00Z');
const SOUND: Snapshot = flatSnapshot(TARGET, NOW, {
  durationMs: 4,
  cpuPct: 0,
  memoryPct: 40,
  diskPct: 50,
  diskMount: '/',
  latencyMs: 3,
  packetLossPct: 0,
  dnsFailures: 0,
  dnsLookups: 4,
  servicesDown: [],
  bootedAt: new Date(0),
  unmeasured: [{ metric: 'logErrors', reason: 'no journal' }],
});
const read = (readings: Partial<Snapshot['readings']>) =>
  sanitised({ ...SOUND, readings: { ...SOUND.readings, ...readings } });

test('a sound snapshot stays as it is', () => {
  expect(sanitised(SOUND)).toEqual(SOUND);
});

describe.each(['cpuPct', 'memoryPct', 'latencyMs', 'packetLossPct', 'logErrors'] as const)('%s', (signal) => {
  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('%d is not measured', (value) => {
    expect(read({ [signal]: { value } }).readings).toEqual({
      ...SOUND.readings,
      [signal]: { missing: 'what came is not a number' },
    });
  });
});

test('tries that are no number, a date that is none and an endless scan are not measured either', () => {
  const { readings } = read({
    dnsFailures: { value: { count: 0, of: Number.NaN } },
    bootedAt: { value: new Date(Number.NaN) },
  });
  expect(readings.dnsFailures).toEqual({ missing: 'what came is not a count of tries' });
  expect(readings.bootedAt).toEqual({ missing: 'what came is no date' });
  expect(sanitised({ ...SOUND, durationMs: Number.POSITIVE_INFINITY }).durationMs).toBe(0);
});

test('“a boot time after now is not a measurement”', () => {
  expect(read({ bootedAt: { value: new Date('2099-12-04T00:00:00Z') } }).readings.bootedAt).toEqual({
    missing: 'a start at 2099-12-04T00:00:00.000Z, after the scan, is not possible',
  });
});
