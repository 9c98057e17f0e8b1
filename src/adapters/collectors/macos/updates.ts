/** Reads how current a Mac is from what Software Update noted at its last check: nothing is fetched. */
import { measured, missing, type Reading } from '../../../domain/signals/reading.ts';

interface SoftwareUpdateState {
  updates: Reading<number>;
  securityUpdates: Reading<number>;
  checkedAt: Reading<Date>;
}

const NOTHING = 'Software Update has not checked yet, or this login may not read what it found';

/**
 * Output of `defaults read /Library/Preferences/com.apple.SoftwareUpdate`: `LastUpdatesAvailable = 2;`,
 * `LastSuccessfulDate = "2026-11-20 08:00:00 +0000";` and `RecommendedUpdates = ( { "Display Name" = …; … } );`.
 * Apple's system updates carry its security fixes, so they count as security updates.
 */
export function parseSoftwareUpdate(output: string): SoftwareUpdateState {
  const count = /^\s*LastUpdatesAvailable = (\d+);/m.exec(output)?.[1];
  const names = [...output.matchAll(/^\s*"Display Name" = "?(.*?)"?;$/gm)].map(([, name]) => name ?? '');
  const checked = /^\s*LastSuccessfulDate = "(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) \+0000";/m.exec(output);
  const security = names.filter((name) => /macOS|Security|Safari|XProtect|Rapid/i.test(name)).length;
  return {
    updates: count === undefined ? missing(NOTHING) : measured(Number(count)),
    securityUpdates: count === undefined ? missing(NOTHING) : measured(Math.min(security, Number(count))),
    checkedAt: checked ? measured(new Date(`${checked[1]}T${checked[2]}Z`)) : missing(NOTHING),
  };
}

/**
 * When an update was last installed, of `system_profiler SPInstallHistoryDataType -json`: entries with `install_date` and
 * `package_source` (Apple's own count, other programs' do not).
 */
export function lastInstalled(entries: Record<string, unknown>[] | null): Reading<Date> {
  const dates = (entries ?? [])
    .filter(({ package_source }) => package_source === 'package_source_apple')
    .map(({ install_date }) => new Date(String(install_date)))
    .filter((date) => !Number.isNaN(date.getTime()))
    .sort((a, b) => a.getTime() - b.getTime());
  const last = dates.at(-1);
  return last ? measured(last) : missing('the Mac keeps no history of installed updates');
}
