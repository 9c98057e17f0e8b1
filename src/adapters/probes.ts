/** Probes of this machine for the health page. */
import { statfs } from 'node:fs/promises';
import type { Probe } from '../core/processes/health.ts';

/** Below this share of free space the service says so before the database does. */
const LOW_DISK_PCT = 5;
const MIB = 1024 * 1024;

export function diskProbe(dir: string): Probe {
  return async () => {
    const { bavail, bsize, blocks } = await statfs(dir);
    const freePct = Math.round((bavail / blocks) * 1000) / 10;
    const free_mib = Math.round((bavail * bsize) / MIB);
    if (freePct >= LOW_DISK_PCT) return { status: 'ok', free_mib };
    return { status: 'degraded', free_mib, detail: `only ${freePct} % of the data disk is free` };
  };
}

/** Whether a process of this machine has ended; one with our own id is our predecessor in a restarted container. */
export function isProcessGone(pid: number): boolean {
  if (pid === process.pid) return true;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'; // EPERM: it lives, as another user
  }
}
