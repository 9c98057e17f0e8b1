import { describe, expect, it } from 'vitest';
import { agentSnapshotWire, snapshotFromWire, snapshotToWire } from '../../../src/core/scans/agentSnapshot.ts';
import { emptySnapshot, type ScanTarget, type Snapshot } from '../../../src/domain/signals/telemetry.ts';

const now = new Date('2026-03-01T10:00:00.000Z');
const target: ScanTarget = {
  hostname: 'laptop-7',
  ipAddress: null,
  osPlatform: 'macos',
  collector: 'push',
  options: {},
};
const snapshot: Snapshot = {
  ...emptySnapshot(target, now),
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
};

describe('the agent report', () => {
  it('comes back as the snapshot it was made from, after JSON', () => {
    const wire = agentSnapshotWire.parse(JSON.parse(JSON.stringify(snapshotToWire(snapshot))));
    expect(snapshotFromWire(wire, target, now)).toEqual(snapshot);
  });

  it('speaks snake_case and names neither host nor collector', () => {
    const wire = snapshotToWire(snapshot);
    expect(Object.keys(wire).every((name) => /^[a-z_]+$/.test(name))).toBe(true);
    expect(wire).not.toHaveProperty('hostname');
    expect(wire).not.toHaveProperty('collector');
    expect(wire.unmeasured).toEqual([{ metric: 'log_errors', reason: 'no journalctl' }]);
  });

  it.each([
    ['a host name', { hostname: 'someone-else' }],
    ['a share above 100', { cpu_pct: 101 }],
    ['text for a number', { memory_pct: '60' }],
    ['more failures than look-ups', { dns_failures: 7 }],
    ['failures without look-ups', { dns_lookups: null }],
    ['an unknown metric', { unmeasured: [{ metric: 'karma', reason: 'x' }] }],
    ['a time without a zone', { collected_at: '2026-03-01T10:00:00' }],
    ['a flood of services', { services_down: Array(501).fill('x') }],
  ])('refuses %s', (_, change) => {
    expect(agentSnapshotWire.safeParse({ ...snapshotToWire(snapshot), ...change }).success).toBe(false);
  });

  it('refuses a wrong clock and says whose to set', () => {
    const wire = snapshotToWire(snapshot);
    const at = (iso: string) => () => snapshotFromWire(wire, target, new Date(iso));
    expect(at('2026-03-01T09:54:00Z')).toThrow(/ahead of.*set the endpoint's clock/);
    expect(at('2026-03-03T10:00:01Z')).toThrow(/behind/);
    expect(at('2026-03-01T09:56:00Z')).not.toThrow();
    expect(at('2026-03-03T09:59:00Z')).not.toThrow();
  });
});
