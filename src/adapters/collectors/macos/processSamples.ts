/** Reads a Mac's processes from `ps -Aceo pid=,time=,rss=,comm=`, where `-c` leaves paths and arguments out. */
import { programName } from '../machine/programFaults.ts';
import type { ProcessSample } from '../machine/topProcesses.ts';

const MAX_PROCESSES = 5_000;

/** Lines `  431  12:34.56  81920 Safari`: processor time as `minutes:seconds` or `hours:minutes:seconds`, memory in KB. */
export function parsePsSamples(text: string): ProcessSample[] {
  return text
    .split('\n')
    .slice(0, MAX_PROCESSES)
    .flatMap((line): ProcessSample[] => {
      const [, pid, time, rssKb, name] = /^\s*(\d+)\s+([\d:.]+)\s+(\d+)\s+(.+)$/.exec(line) ?? [];
      if (!pid || !time || !name) return [];
      const cpuS = time.split(':').reduce((sum, part) => 60 * sum + Number(part), 0);
      return Number.isFinite(cpuS)
        ? [{ pid: Number(pid), startedAt: 0, name: programName(name.trim()), cpuS, memoryBytes: Number(rssKb) * 1024 }]
        : [];
    });
}
