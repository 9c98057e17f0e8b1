/** Crashes and hangs of programs, counted by program; every platform's reader makes this of its own records. */

export interface ProgramFaults {
  /** `firefox`, `Teams.exe`: the name alone, never a path or an argument. */
  program: string;
  count: number;
}

export interface ProgramFault {
  program: string;
  at: Date;
}

/** Programs told apart; the rest is one line, so that a machine in trouble cannot fill a report. */
const MAX_PROGRAMS = 20;

/** The last part of a path of any platform, bounded and printable. */
export function programName(path: string): string {
  const name = path.split(/[/\\]/).at(-1) ?? '';
  const printable = name.replace(/\p{Cc}|\p{Cf}/gu, '').trim();
  return printable.slice(0, 64) || 'unknown';
}

/** Faults since `since` by program, most first; beyond twenty programs the others together are `other programs`. */
export function countFaults(faults: ProgramFault[], since: Date): ProgramFaults[] {
  const counts = new Map<string, number>();
  for (const { program, at } of faults) {
    if (at >= since) counts.set(program, (counts.get(program) ?? 0) + 1);
  }
  const sorted = [...counts].map(([program, count]) => ({ program, count })).sort((a, b) => b.count - a.count);
  const others = sorted.slice(MAX_PROGRAMS).reduce((sum, { count }) => sum + count, 0);
  const named = sorted.slice(0, MAX_PROGRAMS);
  return others === 0 ? named : [...named, { program: 'other programs', count: others }];
}
