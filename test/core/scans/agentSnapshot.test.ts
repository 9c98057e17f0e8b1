import { describe, expect, it } from 'vitest';
import { agentSnapshotWire, snapshotFromWire } from '../../../src/core/scans/agentSnapshot.ts';
import { snapshotToWire } from '../../../src/domain/signals/agentReport.ts';
import type { ScanTarget, Snapshot } from '../../../src/domain/signals/telemetry.ts';
import { flatOf, flatSnapshot } from '../../helpers/flatSnapshot.ts';

const now = new Date('2026-03-01T10:00:00.000Z');
const target: ScanTarget = {
  hostname: 'laptop-7',
  ipAddress: null,
  osPlatform: 'macos',
  collector: 'push',
  options: {},
};
const snapshot: Snapshot = flatSnapshot(target, now, {
  durationMs: 1200,
  cpuPct: 12.5,
  memoryPct: 60,
  diskPct: 81.2,
  diskMount: '/System/Volumes/Data',
  latencyMs: 3.1,
  packetLossPct: 0,
  dnsFailures: 1,
  dnsLookups: 6,
  servicesDown: ['cups'],
  bootedAt: new Date('2026-02-27T08:00:00.000Z'),
  unmeasured: [{ metric: 'logErrors', reason: 'no journalctl' }],
  readings: {
    batteryHealthPct: { items: [{ item: 'BAT0', value: 71 }] },
    diskPct: {
      items: [
        { item: '/', value: 81.2 },
        { item: 'E:', value: 100, setAside: 'optical disc' },
      ],
    },
    onBattery: { value: true },
    clockOffsetS: { value: -2.5 },
  },
});

const parsed = (wire: unknown) => agentSnapshotWire.parse(JSON.parse(JSON.stringify(wire)));

/** What an agent of the first version sends. */
const FLAT = {
  collected_at: now.toISOString(),
  duration_ms: 900,
  cpu_pct: 12.5,
  memory_pct: 60,
  disk_pct: 81.2,
  disk_mount: '/',
  latency_ms: null,
  packet_loss_pct: 0,
  dns_failures: 1,
  dns_lookups: 6,
  services_down: ['cups'],
  log_errors: null,
  booted_at: '2026-02-27T08:00:00.000Z',
  unmeasured: [{ metric: 'log_errors', reason: 'no journalctl' }],
};

describe('the agent report', () => {
  it('comes back as the snapshot it was made from, after JSON', () => {
    expect(snapshotFromWire(parsed(snapshotToWire(snapshot)), target, now)).toEqual(snapshot);
  });

  it('speaks snake_case and names neither host nor collector', () => {
    const wire = snapshotToWire(snapshot);
    expect([...Object.keys(wire), ...Object.keys(wire.readings ?? {})].every((name) => /^[a-z_]+$/.test(name))).toBe(
      true,
    );
    expect(wire).not.toHaveProperty('hostname');
    expect(wire).not.toHaveProperty('collector');
    expect(wire.readings).toMatchObject({ log_errors: { missing: 'no journalctl' }, on_battery: { value: true } });
  });

  it('of an agent of the first version is understood', () => {
    const taken = flatOf(snapshotFromWire(parsed(FLAT), target, now));
    expect(taken).toMatchObject({
      cpuPct: 12.5,
      diskPct: 81.2,
      diskMount: '/',
      dnsFailures: 1,
      dnsLookups: 6,
      servicesDown: ['cups'],
      bootedAt: new Date('2026-02-27T08:00:00.000Z'),
      latencyMs: null,
    });
    expect(taken.unmeasured).toContainEqual({ metric: 'logErrors', reason: 'no journalctl' });
    expect(taken.unmeasured).toContainEqual({ metric: 'latencyMs', reason: 'its agent does not report it' });
  });

  it('of an agent of a later version counts with the signals that are known, and the others are counted', () => {
    const { readings } = snapshotToWire(snapshot);
    const later = {
      ...snapshotToWire(snapshot),
      version: 7,
      readings: { ...readings, karma_pct: { value: 3 } },
      mood: 'good',
    };
    const taken = snapshotFromWire(parsed(later), target, now);
    expect(taken).toEqual({ ...snapshot, ignoredSignals: 1 });
  });

  it.each([
    ['a share above 100', { cpu_pct: { value: 140 } }, 'cpuPct', '140 % is not possible'],
    ['text for a number', { memory_pct: { value: '60' } }, 'memoryPct', 'what came is not a number'],
    [
      'more failures than look-ups',
      { dns_failures: { value: { count: 7, of: 3 } } },
      'dnsFailures',
      '7 of 3 is not possible',
    ],
    ['a negative counter', { log_errors: { value: -4 } }, 'logErrors', '-4 is not possible'],
    ['a list for a reading', { cpu_pct: [3] }, 'cpuPct', 'what came is no reading'],
    ['a number for items', { disk_pct: { value: 3 } }, 'diskPct', 'what came is no list of items'],
    ['a start in the future', { booted_at: { value: 'soon' } }, 'bootedAt', 'what came is no date'],
  ])('loses nothing but the signal for %s', (_, change, signal, reason) => {
    const wire = snapshotToWire(snapshot);
    const taken = snapshotFromWire(parsed({ ...wire, readings: { ...wire.readings, ...change } }), target, now);
    expect(taken.readings).toEqual({ ...snapshot.readings, [signal]: { missing: reason } });
  });

  it.each([
    ['a time without a zone', { collected_at: '2026-03-01T10:00:00' }],
    ['no readings', { readings: undefined }],
    ['a version that is none', { version: 0 }],
    ['a flood of signals', { readings: Object.fromEntries(Array.from({ length: 501 }, (_, i) => [`s${i}`, {}])) }],
    ['nothing at all', { version: 1, readings: undefined }],
  ])('refuses %s', (_, change) => {
    expect(agentSnapshotWire.safeParse({ ...snapshotToWire(snapshot), ...change }).success).toBe(false);
  });

  it('refuses a wrong clock and says whose to set', () => {
    const wire = parsed(snapshotToWire(snapshot));
    const at = (iso: string) => () => snapshotFromWire(wire, target, new Date(iso));
    expect(at('2026-03-01T09:54:00Z')).toThrow(/ahead of.*set the endpoint's clock/);
    expect(at('2026-03-03T10:00:01Z')).toThrow(/behind/);
    expect(at('2026-03-01T09:56:00Z')).not.toThrow();
    expect(at('2026-03-03T09:59:00Z')).not.toThrow();
  });
});
