/** Which program took more of the processor or the memory than it used to. */
import type { MachineHistory, ScanRecord } from './machineHistory.ts';
import { programShares } from './machineHistory.ts';
import { LEAST_DAYS, sameHours } from './usual.ts';

type ProgramMeasure = 'top_cpu_pct' | 'top_memory_pct';

export interface GrownProgram {
  measure: ProgramMeasure;
  program: string;
  /** Share of all cores or of all memory now, and usually at these hours, percent; null while that is not known. */
  share: number;
  usual: number | null;
}

const NOW_SCANS = 4;
/** A smaller share, or a smaller growth, makes nothing slow; percentage points of all cores or of all memory. */
const LEAST_SHARE = { top_cpu_pct: 20, top_memory_pct: 20 };
const LEAST_GROWTH = { top_cpu_pct: 15, top_memory_pct: 8 };

/** The program that grew most; null where none did or no program was named. */
export function grownProgram({ scans }: MachineHistory, measure: ProgramMeasure): GrownProgram | null {
  const last = scans.slice(-NOW_SCANS);
  const newest = last.at(-1);
  const now = programShares(last, measure);
  if (!newest || now === null) return null;
  const timed = scans.map((scan: ScanRecord) => ({ atMs: scan.collectedAt.getTime(), scan }));
  const { of, days } = sameHours(timed, newest.collectedAt.getTime());
  const before =
    days >= LEAST_DAYS
      ? programShares(
          of.map(({ scan }) => scan),
          measure,
        )
      : null;
  const grown = [...now].map(([program, share]) => ({
    measure,
    program,
    share,
    usual: before === null ? null : (before.get(program) ?? 0),
  }));
  const [most] = grown
    .filter(({ share, usual }) => share >= LEAST_SHARE[measure] && share - (usual ?? 0) >= LEAST_GROWTH[measure])
    .sort((a, b) => b.share - (b.usual ?? 0) - (a.share - (a.usual ?? 0)));
  return most ?? null;
}
