/** Turns cumulative CPU times into the busy share, remembering each endpoint's last counters between scans. */

/** Seconds since boot, summed over all cores. */
export interface CpuTimes {
  /** Time with nothing to run, waiting for disks included. */
  idleS: number;
  totalS: number;
}

/** Below this many core-seconds between two samples the counters' own resolution (10 ms) shows in the result. */
const MIN_SPAN_S = 0.25;
/** Older counters would average over a time that says little about now: two of the longest scan intervals (1 h). */
const MAX_AGE_MS = 2 * 3_600_000;
/** About 10 MB; the endpoint scanned longest ago is forgotten first. */
const MAX_ENDPOINTS = 50_000;

/** Busy share of all cores between two samples, 0–100; null when they are too close together or a counter was reset. */
export function busyPct(before: CpuTimes, after: CpuTimes): number | null {
  const totalS = after.totalS - before.totalS;
  const idleS = after.idleS - before.idleS;
  // Linux' idle time may step back by a few hundredths of a second; a reboot or a removed core takes away far more.
  if (totalS < MIN_SPAN_S || idleS < -1 || idleS > totalS + 1) return null;
  return Math.min(100, Math.max(0, (100 * (totalS - idleS)) / totalS));
}

export interface CpuHistory {
  /** Busy share since the endpoint's last usable counters, which `now` replaces; null when there were none. */
  pctSince(hostname: string, now: CpuTimes, at: Date): number | null;
}

export function createCpuHistory(maxEndpoints = MAX_ENDPOINTS): CpuHistory {
  const lastSeen = new Map<string, CpuTimes & { atMs: number }>();
  return {
    pctSince(hostname, now, at) {
      const before = lastSeen.get(hostname);
      lastSeen.delete(hostname);
      lastSeen.set(hostname, { ...now, atMs: at.getTime() });
      for (const oldest of lastSeen.keys()) {
        if (lastSeen.size <= maxEndpoints) break;
        lastSeen.delete(oldest);
      }
      if (!before || at.getTime() - before.atMs > MAX_AGE_MS) return null;
      return busyPct(before, now);
    },
  };
}
