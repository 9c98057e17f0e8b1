/** Reads Linux' disk counters: how long requests took and how much of the time a disk was busy between two scans. */

/** Counters since boot of one physical disk. */
export interface DiskCounters {
  requests: number;
  /** Time that all requests together spent waiting and being served, milliseconds. */
  requestMs: number;
  /** Time in which at least one request was under way, milliseconds. */
  busyMs: number;
}

/** Partitions, loop devices, RAM disks, optical drives and mappings repeat or resemble what a physical disk counts. */
const NOT_A_DISK = /^(loop|ram|zram|sr|fd|dm-|md|nbd)\d|^((sd|hd|vd|xvd)[a-z]+|nvme\d+n\d+|mmcblk\d+)p?\d+$|boot\d$/;
const IS_WHOLE = /^(nvme\d+n\d+|mmcblk\d+)$/;
const MAX_DISKS = 64;

export const isPhysicalDisk = (name: string): boolean => IS_WHOLE.test(name) || !NOT_A_DISK.test(name);

/** Lines of /proc/diskstats by device name, physical disks alone (at most 64); the columns are those of iostats.rst. */
export function parseDiskstats(text: string): Map<string, DiskCounters> {
  const disks = new Map<string, DiskCounters>();
  for (const line of text.split('\n')) {
    const [, , name, reads, , , readMs, writes, , , writeMs, , busyMs] = line.trim().split(/\s+/);
    if (!name || busyMs === undefined || !isPhysicalDisk(name) || disks.size >= MAX_DISKS) continue;
    const counters = {
      requests: Number(reads) + Number(writes),
      requestMs: Number(readMs) + Number(writeMs),
      busyMs: Number(busyMs),
    };
    if (Object.values(counters).every(Number.isFinite)) disks.set(name, counters);
  }
  return disks;
}

export interface DiskActivity {
  /** Mean time of a request, milliseconds; null when the disk had too few to tell. */
  latencyMs: number | null;
  /** 0–100. */
  busyPct: number;
}

/** Below this many requests the mean says more about one of them than about the disk. */
const MIN_REQUESTS = 20;

/** What happened between two readings `elapsedS` apart; null when a counter was reset or no time has passed. */
export function diskActivity(before: DiskCounters, after: DiskCounters, elapsedS: number): DiskActivity | null {
  const requests = after.requests - before.requests;
  const requestMs = after.requestMs - before.requestMs;
  const busyMs = after.busyMs - before.busyMs;
  if (!(elapsedS > 0) || requests < 0 || requestMs < 0 || busyMs < 0) return null;
  return {
    latencyMs: requests < MIN_REQUESTS ? null : requestMs / requests,
    busyPct: Math.min(100, busyMs / (10 * elapsedS)),
  };
}
