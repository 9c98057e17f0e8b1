/** Machines as the collector port sees them: each test says what a look at a host finds. */
import type { Collector } from '../../src/core/ports/ports.ts';
import { unreachableSnapshot } from '../../src/domain/signals/telemetry.ts';
import { type Flat, flatSnapshot } from './flatSnapshot.ts';

export type Findings = Partial<Flat> | 'unreachable';

/** A machine with nothing wrong. */
export const WELL: Partial<Flat> = {
  cpuPct: 12,
  memoryPct: 40,
  diskPct: 50,
  diskMount: '/',
  latencyMs: 3,
  packetLossPct: 0,
  dnsFailures: 0,
  dnsLookups: 4,
  servicesDown: [],
  logErrors: 0,
};

/** A collector for a fleet that does not exist; unknown hosts are well. */
export function machines(findings: Map<string, Findings>): Collector {
  return {
    async collect(target, { now }) {
      const found = findings.get(target.hostname) ?? WELL;
      if (found === 'unreachable') return unreachableSnapshot(target, now, 'no answer within 5 s', 5000);
      return flatSnapshot(target, now, { durationMs: 4, ...found });
    },
  };
}
