/** Samples Linux' processes from /proc, without starting a program. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { programName } from '../machine/programFaults.ts';
import type { ProcessSample } from '../machine/topProcesses.ts';

const TICKS_PER_S = 100;
const PAGE_BYTES = 4096;
const MAX_PROCESSES = 5_000;

/**
 * One line of /proc/PID/stat: `pid (name) state ppid …` with user and system time in ticks (fields 14, 15), start (22)
 * and resident pages (24). A name may hold blanks and parentheses. Null for a kernel thread or another text.
 */
export function parsePidStat(line: string): ProcessSample | null {
  const [, pid, name, rest] = /^(\d+) \((.*)\) (.*)$/s.exec(line) ?? [];
  const fields = rest?.trim().split(' ') ?? [];
  const [userTicks, systemTicks, startedAt, pages] = [fields[11], fields[12], fields[19], fields[21]].map(Number);
  if (!pid || !name || !(Number(pages) > 0)) return null;
  return {
    pid: Number(pid),
    startedAt: startedAt ?? 0,
    name: programName(name),
    cpuS: ((userTicks ?? 0) + (systemTicks ?? 0)) / TICKS_PER_S,
    memoryBytes: (pages ?? 0) * PAGE_BYTES,
  };
}

/** Programs' names by process, which need asking for only once. */
export type ProcessNames = Map<string, string>;

/**
 * All processes of this machine, at most 5,000. The kernel's name for a process may be a thread's (`MainThread`), so the
 * program's file names it where this login may see that. Read synchronously: the kernel makes these files up from memory,
 * and a round through the thread pool would cost ten times the reading.
 * @param names kept from sample to sample; what is gone is removed
 */
export function sampleProcesses(names: ProcessNames): ProcessSample[] {
  const samples: ProcessSample[] = [];
  const seen = new Set<string>();
  for (const pid of listOf(() => readdirSync('/proc'))
    .filter((entry) => /^\d+$/.test(entry))
    .slice(0, MAX_PROCESSES)) {
    const sample = parsePidStat(textOf(() => readFileSync(`/proc/${pid}/stat`, 'utf8')));
    if (!sample) continue;
    const key = `${pid} ${sample.startedAt}`;
    seen.add(key);
    const name = names.get(key) ?? programOf(pid, sample.name);
    names.set(key, name);
    samples.push({ ...sample, name });
  }
  for (const key of names.keys()) {
    if (!seen.has(key)) names.delete(key);
  }
  return samples;
}

function programOf(pid: string, fallback: string): string {
  const file = textOf(() => readlinkSync(`/proc/${pid}/exe`));
  return file === '' ? fallback : programName(file.replace(/ \(deleted\)$/, ''));
}

/** Processes end while they are read, and others belong to somebody else. */
function textOf(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}

function listOf(read: () => string[]): string[] {
  try {
    return read();
  } catch {
    return [];
  }
}
