/** What tests of collectors need around every look: a target, a context, and collectors that are closed afterwards. */
import type { KnownHosts } from '../../src/adapters/collectors/ssh/ssh.ts';
import type { CollectContext } from '../../src/core/ports/ports.ts';
import type { CollectorKind, CollectorOptions, ScanTarget } from '../../src/domain/signals/telemetry.ts';

export function targetOf(collector: CollectorKind, options: CollectorOptions, hostname = 'host-1'): ScanTarget {
  return { hostname, ipAddress: '127.0.0.1', osPlatform: 'linux', collector, options };
}

export function contextAt(now: Date, change: Partial<CollectContext> = {}): CollectContext {
  return { now, signal: new AbortController().signal, previousScanAt: null, ...change };
}

/** Host keys remembered in memory; `keys` is there for looking at. */
export function memoryKnownHosts(): KnownHosts & { keys: Map<string, string> } {
  const keys = new Map<string, string>();
  return {
    keys,
    get: async (hostname) => keys.get(hostname) ?? null,
    set: async (hostname, fingerprint) => void keys.set(hostname, fingerprint),
  };
}
