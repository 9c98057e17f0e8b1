/** Reads Linux' processor times: how they were spent since boot, and when that was. */

/** Processor time since boot in seconds, summed over all cores. */
interface ProcessorTimes {
  /** Time with nothing to run, waiting for disks included. */
  idleS: number;
  totalS: number;
  /** Nothing to run because what could run waits for a disk. */
  iowaitS: number;
  /** Taken by the host for other virtual machines. */
  stealS: number;
}

const TICKS_PER_S = 100;

/**
 * The line `cpu user nice system idle iowait irq softirq steal guest guest_nice` of /proc/stat, in ticks of 10 ms; guest
 * time is part of user. Null when the text holds no such line of numbers.
 */
export function parseProcStat(text: string): ProcessorTimes | null {
  const line = /^cpu\s+([\d ]+)$/m.exec(text)?.[1];
  const ticks = line?.trim().split(/\s+/, 8).map(Number) ?? [];
  if (ticks.length < 4) return null;
  const [, , , idle = 0, iowait = 0, , , steal = 0] = ticks;
  return {
    idleS: (idle + iowait) / TICKS_PER_S,
    totalS: ticks.reduce((sum, tick) => sum + tick, 0) / TICKS_PER_S,
    iowaitS: iowait / TICKS_PER_S,
    stealS: steal / TICKS_PER_S,
  };
}

/** Unix seconds of the boot as /proc/stat gives it; null when it does not. */
export function parseBootTime(text: string): number | null {
  const seconds = /^btime (\d+)$/m.exec(text)?.[1];
  return seconds === undefined ? null : Number(seconds);
}
