/** Reads which programs of a Mac crashed or hung, and whether it panicked, from the reports that macOS keeps. */
import { type ProgramFault, programName } from '../machine/programFaults.ts';

interface FaultReports {
  crashes: ProgramFault[];
  hangs: ProgramFault[];
  panics: Date[];
}

const MAX_REPORTS = 1_000;

/**
 * Names of the files in /Library/Logs/DiagnosticReports and the same folder of each user: `Mail-2026-11-20-101112.ips`
 * (a crash), `Finder_2026-11-20-101112_MacBook.hang` or `….spin` (a hang), `Kernel-2026-11-20-101112.panic`,
 * `panic-full-2026-11-20-101112.0002.ips`; older systems write `.crash`. The time is the Mac's own.
 */
export function parseDiagnosticReports(listing: string): FaultReports {
  const reports: FaultReports = { crashes: [], hangs: [], panics: [] };
  for (const path of listing.split('\n', MAX_REPORTS)) {
    const file = path.trim().split('/').at(-1) ?? '';
    const [, name, day, hms, suffix] =
      /^(.+?)[-_](\d{4}-\d\d-\d\d)-(\d{6})(?:[._].*)?\.(ips|crash|hang|spin|panic|diag)$/.exec(file) ?? [];
    if (!name || !day || !hms) continue;
    const at = new Date(`${day}T${hms.replace(/(..)(..)(..)/, '$1:$2:$3')}`);
    if (Number.isNaN(at.getTime())) continue;
    if (suffix === 'panic' || /^panic-|^Kernel$/.test(name)) reports.panics.push(at);
    // Reports on resources (`.diag`, JetsamEvent) say that a program was heavy, not that it failed.
    else if (suffix === 'hang' || suffix === 'spin') reports.hangs.push({ program: programName(name), at });
    else if (suffix !== 'diag' && !/^(JetsamEvent|stacks|ExcUserFault|LowBatteryLog|SiriSearchFeedback)/.test(name)) {
      reports.crashes.push({ program: programName(name), at });
    }
  }
  return reports;
}

/**
 * Causes in `log show --style syslog --predicate 'eventMessage CONTAINS "Previous shutdown cause"'`: negative ones are
 * power loss, heat, watchdog and the like, 3 is a held power button, 5 an ordinary shutdown.
 */
export function parseShutdownCauses(output: string): { at: Date; cause: string }[] {
  const pattern = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)[.\d]*([+-]\d{4}).*Previous shutdown cause: (-?\d+)/gm;
  return [...output.matchAll(pattern)].flatMap(([, day, time, zone, code]) => {
    const cause = Number(code);
    if (cause >= 0 && cause !== 3) return [];
    const at = new Date(`${day}T${time}${zone?.replace(/(..)$/, ':$1')}`);
    return Number.isNaN(at.getTime())
      ? []
      : [{ at, cause: cause === 3 ? 'the power button was held' : `shutdown cause ${cause}` }];
  });
}
