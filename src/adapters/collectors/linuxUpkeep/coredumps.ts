/** Reads which programs crashed from systemd's list of core dumps. */

import { measured, missing, type Reading } from '../../../domain/signals/reading.ts';
import { type ProgramFault, programName } from '../machine/programFaults.ts';

const MAX_DUMPS = 1000;

/**
 * Output of `coredumpctl list --json=short`: an array of `{ time (µs), pid, uid, sig, exe, … }`. When there is none the
 * program prints a remark and fails with code 1.
 */
export function parseCoredumps(stdout: string, remarks: string): Reading<ProgramFault[]> {
  const start = stdout.indexOf('[');
  if (start === -1) {
    return /No coredumps found/i.test(`${stdout}\n${remarks}`)
      ? noDumps(remarks)
      : missing('coredumpctl gives no list');
  }
  const dumps = parseArray(stdout.slice(start));
  if (dumps === null) return missing('coredumpctl gives no readable list');
  return measured(
    dumps.slice(-MAX_DUMPS).flatMap((dump): ProgramFault[] => {
      if (typeof dump !== 'object' || dump === null) return [];
      const { time, exe } = dump as { time?: unknown; exe?: unknown };
      return typeof time === 'number' && typeof exe === 'string'
        ? [{ program: programName(exe), at: new Date(time / 1000) }]
        : [];
    }),
  );
}

/** Core dumps are listed from the journal: without one, an empty list says nothing. */
function noDumps(remarks: string): Reading<ProgramFault[]> {
  if (/No journal files/i.test(remarks))
    return missing('the machine keeps no journal, in which crashes would be noted');
  if (/permission|not seeing messages/i.test(remarks)) {
    return missing('this login may not read the system journal: add it to the group systemd-journal');
  }
  return measured([]);
}

function parseArray(text: string): unknown[] | null {
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) ? parsed : null;
  } catch {
    return null;
  }
}
