/** What another process has cost so far, from proc(5). */
import { readFileSync } from 'node:fs';

/** A tick of the kernel's accounts on Linux; milliseconds. */
const TICK_MS = 10;

/** User and system time of all its threads; milliseconds. */
export function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** The same with the programs that it started and that have ended; milliseconds. */
export function cpuMsWithChildren(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) * TICK_MS;
}
