/** Counts the journal's errors, and notices when the journal could not be read rather than being empty. */
import { measured, missing, type Reading } from '../../domain/signals/reading.ts';

/** More lines than this say nothing more; it bounds what a machine in an error loop can send. */
const MAX_ENTRIES = 1000;
/** Without a previous scan the last 15 minutes count. */
const DEFAULT_SINCE_S = 900;
const MAX_SINCE_S = 86_400;

/** Seconds of log to read: since the previous scan, at most a day. A whole number, safe in a command line. */
export function logSpanS(now: Date, previousScanAt: Date | null): number {
  if (!previousScanAt) return DEFAULT_SINCE_S;
  const elapsedS = Math.ceil((now.getTime() - previousScanAt.getTime()) / 1000);
  return Math.min(MAX_SINCE_S, Math.max(1, elapsedS));
}

/** `journalctl` arguments for the entries of level error or worse of the last `spanS` seconds, one JSON line each. */
export const journalArgs = (spanS: string): string[] => [
  '--priority=err',
  `--since=-${spanS}s`,
  `--lines=${MAX_ENTRIES}`,
  '--output=json',
  '--output-fields=PRIORITY',
  '--no-pager',
];

/** Arguments that print the journal's newest entry, whatever its level: nothing means that nobody writes to it. */
export const NEWEST_ENTRY_ARGS = ['--lines=1', '--output=json', '--output-fields=PRIORITY', '--no-pager'];

/**
 * Judges what `journalctl` said: the number of error entries, whether the journal holds anything at all, and its
 * remarks on stderr. A login without the right to read the system's journal gets an empty answer with a hint, which
 * must not pass for a quiet log.
 */
export function journalErrors(entries: number, holdsEntries: boolean, remarks: string): Reading<number> {
  if (/not seeing messages|insufficient permissions|Permission denied/i.test(remarks)) {
    return missing('this login may not read the system journal: add it to the group systemd-journal');
  }
  return holdsEntries ? measured(Math.min(entries, MAX_ENTRIES)) : missing('the machine keeps no journal');
}
