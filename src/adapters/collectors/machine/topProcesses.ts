/** The programs that use most of a machine: names alone, summed over their processes, between two samples. */

/** One process at one time. */
export interface ProcessSample {
  pid: number;
  /** Tells a process from a later one of the same id. */
  startedAt: number;
  /** Name of the program, no path, no arguments. */
  name: string;
  /** Processor time since its start, seconds. */
  cpuS: number;
  memoryBytes: number;
}

interface ProgramUse {
  program: string;
  /** Of all cores together, 0–100. */
  cpuPct: number;
  memoryBytes: number;
}

const TOP = 5;

export interface TopPrograms {
  byCpu: ProgramUse[];
  byMemory: ProgramUse[];
}

/**
 * The five programs with most processor time since `before` and the five with most memory. A process that was not there
 * before counts with all its time, one that ended does not count.
 * @param elapsedS between the samples; 0 when there is only one, then no program is ranked by processor time
 */
export function topPrograms(
  before: ProcessSample[],
  now: ProcessSample[],
  elapsedS: number,
  cores: number,
): TopPrograms {
  const earlier = new Map(before.map((sample) => [sample.pid, sample]));
  const programs = new Map<string, ProgramUse>();
  for (const { pid, startedAt, name, cpuS, memoryBytes } of now) {
    const old = earlier.get(pid);
    const usedS = Math.max(0, cpuS - (old?.startedAt === startedAt ? old.cpuS : 0));
    const program = programs.get(name) ?? { program: name, cpuPct: 0, memoryBytes: 0 };
    if (elapsedS > 0) program.cpuPct += (100 * usedS) / (elapsedS * Math.max(1, cores));
    program.memoryBytes += memoryBytes;
    programs.set(name, program);
  }
  const all = [...programs.values()].map((use) => ({ ...use, cpuPct: Math.min(100, use.cpuPct) }));
  const top = (figure: 'cpuPct' | 'memoryBytes'): ProgramUse[] =>
    all
      .filter((use) => use[figure] > 0)
      .sort((a, b) => b[figure] - a[figure])
      .slice(0, TOP);
  return { byCpu: elapsedS > 0 ? top('cpuPct') : [], byMemory: top('memoryBytes') };
}
