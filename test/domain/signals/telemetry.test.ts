/** Snapshots that are no sound ones: what is no number counts as not measured, and says so. */
import { describe, expect, test } from 'vitest';
import { emptySnapshot, type Snapshot, sanitised } from '../../../src/domain/signals/telemetry.ts';

const TARGET = { hostname: 'pc-1', ipAddress: null, osPlatform: 'linux', collector: 'local', options: {} } as const;
const SOUND: Snapshot = {
  ...emptySnapshot(TARGET, new Date('2026-03-02T09:00:00Z')),
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
};
const NO_NUMBER = 'what came is no number';

test('a sound snapshot stays as it is', () => {
  expect(sanitised(SOUND)).toEqual(SOUND);
});

describe.each(['cpuPct', 'memoryPct', 'diskPct', 'latencyMs', 'packetLossPct', 'dnsFailures', 'logErrors'] as const)(
  '%s',
  (metric) => {
    test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('%d is not measured', (value) => {
      const clean = sanitised({ ...SOUND, [metric]: value });
      expect(clean[metric]).toBeNull();
      expect(clean.unmeasured.filter((each) => each.metric === metric)).toEqual([{ metric, reason: NO_NUMBER }]);
      expect(clean.diskMount).toBe(metric === 'diskPct' ? null : '/');
      expect(clean.dnsLookups).toBe(metric === 'dnsFailures' ? null : 4);
    });
  },
);

test('a share of no number, a date that is none and an endless look are not measured either', () => {
  const clean = sanitised({
    ...SOUND,
    dnsLookups: Number.NaN,
    bootedAt: new Date(Number.NaN),
    durationMs: Number.POSITIVE_INFINITY,
  });
  expect(clean).toMatchObject({ dnsFailures: null, dnsLookups: null, bootedAt: null, durationMs: 0 });
  expect(clean.unmeasured.map(({ metric }) => metric)).toEqual(['logErrors', 'bootedAt', 'dnsFailures']);
});
