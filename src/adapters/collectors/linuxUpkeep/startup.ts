/** Reads how a Linux machine started: how long it took, whether it had gone down in order, and whether it wants a restart. */
import { measured, missing, type Reading } from '../../../domain/signals/reading.ts';

const UNIT_SECONDS: Record<string, number> = { h: 3600, min: 60, s: 1, ms: 0.001, us: 0.000001 };
/** Longer than this was no start that somebody waited for (an unattended recovery, a wrong clock). */
const MAX_BOOT_S = 6 * 3600;

/** Total of `systemd-analyze time`: `Startup finished in 5.1s (firmware) + … = 1min 3.214s`. Seconds. */
export function parseSystemdAnalyze(output: string): Reading<number> {
  const [, total] = /^Startup finished in .* = ((?:[\d.]+(?:h|min|ms|us|s) ?)+)/m.exec(output) ?? [];
  if (total === undefined) {
    if (/not yet finished/i.test(output)) return missing('the machine is still starting');
    if (/not been booted with systemd/i.test(output)) return missing('the machine was not started by systemd');
    return missing('systemd-analyze gives no duration of the start');
  }
  let seconds = 0;
  for (const [, amount, unit] of total.matchAll(/([\d.]+)(h|min|ms|us|s)/g))
    seconds += Number(amount) * (UNIT_SECONDS[unit ?? ''] ?? 0);
  return seconds > 0 && seconds <= MAX_BOOT_S
    ? measured(seconds)
    : missing('systemd-analyze gives an impossible duration');
}

interface UnexpectedRestart {
  at: Date;
  /** `kernel panic` where one was recorded, otherwise that the machine went down without a shutdown. */
  cause: string;
}

/**
 * Starts that no shutdown came before, newest first, of `last -x --time-format iso reboot shutdown`: lines
 * `reboot   system boot  6.1.0-18  2026-11-20T08:01:02+01:00 - …` and `shutdown system down …`.
 */
export function parseLastRestarts(output: string): UnexpectedRestart[] {
  const events = [...output.matchAll(/^(reboot|shutdown)\s.*?\s(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S*)/gm)].map(
    ([, kind, at]) => ({
      kind,
      at: new Date(at ?? ''),
    }),
  );
  // The oldest start in the file has nothing before it to judge by.
  return events.flatMap(({ kind, at }, index) => {
    const before = events[index + 1];
    const unexpected = kind === 'reboot' && before?.kind === 'reboot' && !Number.isNaN(at.getTime());
    return unexpected ? [{ at, cause: 'the machine went down without a shutdown' }] : [];
  });
}

/** Kernel panics kept over a restart: paths of /sys/fs/pstore and /var/lib/systemd/pstore (`/…/1795808654/dmesg.txt`). */
export function parsePstore(paths: string): UnexpectedRestart[] {
  const seconds = new Set([...paths.matchAll(/\/systemd\/pstore\/(\d{10})\d*\b/g)].map(([, unixS]) => Number(unixS)));
  return [...seconds].map((unixS) => ({ at: new Date(unixS * 1000), cause: 'kernel panic' }));
}

/** One restart that both sources tell of counts once: a panic is known by the start that follows within this time. */
const SAME_EVENT_MS = 10 * 60_000;

/** Restarts since `since`, a panic in place of the mere start after it. */
export function unexpectedRestarts(
  panics: UnexpectedRestart[],
  starts: UnexpectedRestart[],
  since: Date,
): UnexpectedRestart[] {
  const others = starts.filter(
    (start) => !panics.some((panic) => Math.abs(panic.at.getTime() - start.at.getTime()) < SAME_EVENT_MS),
  );
  return [...panics, ...others].filter(({ at }) => at >= since).sort((a, b) => b.at.getTime() - a.at.getTime());
}

interface PendingReboot {
  pending: boolean;
  /** When it became necessary, where the system notes that. */
  since: Date | null;
}

/**
 * @param listing `stat -c '%Y %n'` of /run/reboot-required: nothing when the file is not there
 * @param needsRestarting exit code of `needs-restarting -r` (0 no, 1 yes), null where that is not installed
 * @param marksReboots whether this distribution writes /run/reboot-required at all
 */
export function readPendingReboot(
  listing: string,
  needsRestarting: number | null,
  marksReboots: boolean,
): Reading<PendingReboot> {
  const unixS = Number(/^(\d+) .*reboot-required$/m.exec(listing)?.[1] ?? Number.NaN);
  if (Number.isFinite(unixS)) return measured({ pending: true, since: new Date(unixS * 1000) });
  if (needsRestarting === 1) return measured({ pending: true, since: null });
  if (needsRestarting === 0 || marksReboots) return measured({ pending: false, since: null });
  return missing('this distribution does not note that a restart is due: install update-notifier-common or dnf-utils');
}
