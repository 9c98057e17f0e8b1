/** Reads Linux' memory: what programs can still have, with ZFS' cache and reserved huge pages told apart, and swap. */
import { measured, missing, type Reading } from '../../../domain/signals/reading.ts';

interface LinuxMemory {
  /** Share of memory that programs cannot get, 0–100; memory reserved as huge pages belongs to neither side. */
  memoryPct: Reading<number>;
  /** Used share of swap, 0–100. */
  swapPct: Reading<number>;
}

/** Kilobytes by field name, from lines `Name:  123 kB`. */
function parseMeminfo(text: string): Map<string, number> {
  const fields = new Map<string, number>();
  for (const [, name, value] of text.matchAll(/^([\w()]+):\s+(\d+)/gm)) fields.set(name ?? '', Number(value));
  return fields;
}

/** Values by name, from arcstats' lines `name type value`. */
function arcBytes(arcstats: string, name: string): number {
  return Number(new RegExp(`^${name}\\s+\\d+\\s+(\\d+)`, 'm').exec(arcstats)?.[1] ?? 0);
}

/**
 * @param meminfo /proc/meminfo
 * @param arcstats /proc/spl/kstat/zfs/arcstats, empty where there is no ZFS: the kernel counts its cache as used,
 *   though ZFS gives back all but `c_min` on demand
 */
export function readLinuxMemory(meminfo: string, arcstats = ''): LinuxMemory {
  const fields = parseMeminfo(meminfo);
  const totalKb = fields.get('MemTotal') ?? 0;
  const arcKb = Math.max(0, arcBytes(arcstats, 'size') - arcBytes(arcstats, 'c_min')) / 1024;
  return {
    memoryPct: memoryUse(totalKb, fields.get('MemAvailable'), arcKb, fields.get('Hugetlb') ?? hugePoolKb(fields)),
    swapPct: swapUse(fields.get('SwapTotal'), fields.get('SwapFree')),
  };
}

/** Kernels before 4.17 give the pool in pages of one size only. */
const hugePoolKb = (fields: Map<string, number>): number =>
  (fields.get('HugePages_Total') ?? 0) * (fields.get('Hugepagesize') ?? 0);

/**
 * Share in use of the memory that is not reserved as huge pages.
 * @param availableKb undefined on kernels before 3.14
 * @param reclaimableKb what a cache outside the kernel's count would give back
 */
export function memoryUse(
  totalKb: number,
  availableKb: number | undefined,
  reclaimableKb: number,
  hugePagesKb: number,
): Reading<number> {
  if (availableKb === undefined || !(totalKb > 0)) return missing('the system reports no available memory');
  if (availableKb > totalKb) return missing('the system reports more available memory than it has');
  const ordinaryKb = totalKb - hugePagesKb;
  if (!(ordinaryKb > 0)) return missing('the system reports more huge pages than memory');
  return measured(100 * (1 - Math.min(ordinaryKb, availableKb + reclaimableKb) / ordinaryKb));
}

/** Used share of swap; a machine without swap has none to fill. */
export function swapUse(total: number | null | undefined, free: number | null | undefined): Reading<number> {
  if (total === null || total === undefined || free === null || free === undefined) {
    return missing('the system reports no swap figures');
  }
  if (total === 0) return missing('the machine has no swap');
  if (free > total) return missing('the system reports more free swap than it has');
  return measured(100 * (1 - free / total));
}
