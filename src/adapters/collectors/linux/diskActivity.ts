/** Reads Linux' disk counters: requests, the time they took, and the time in which a disk was busy. */

/** Counters since boot of one physical disk. */
interface DiskCounters {
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
