/** Reads how current a Linux machine is, from what its package manager already knows: nothing is fetched. */
import { measured, missing, type Reading } from '../../../domain/signals/reading.ts';

export interface PendingUpdates {
  updates: number;
  securityUpdates: number;
}

/**
 * Output of `apt list --upgradable` in the C locale: a heading, then `name/suites version arch [upgradable from: …]`.
 * A package counts as a security update when one of its suites is a security suite.
 */
export function parseAptUpgradable(output: string): Reading<PendingUpdates> {
  if (!/^Listing\.\.\./m.test(output)) return missing('apt gives no list of updates');
  const suites = [...output.matchAll(/^[^\s/]+\/(\S+) .*\[upgradable from:/gm)].map(([, names]) => names ?? '');
  return measured({
    updates: suites.length,
    securityUpdates: suites.filter((names) => /-security\b/.test(names)).length,
  });
}

/** Output of `apt-check` (Ubuntu; on stderr): `12;3`. */
export function parseAptCheck(output: string): Reading<PendingUpdates> {
  const [, updates, security] = /^(\d+);(\d+)\s*$/m.exec(output) ?? [];
  if (updates === undefined) return missing('apt-check gives no numbers');
  return measured({ updates: Number(updates), securityUpdates: Number(security) });
}

/**
 * `dnf -q -C list --upgrades` (a heading, then `name.arch version repository`) and `dnf -q -C updateinfo list --security`
 * (`FEDORA-2026-1 Important/Sec. package`): what the cached lists of the repositories say.
 */
export function parseDnfUpdates(upgrades: string, advisories: string): Reading<PendingUpdates> {
  if (/cache (only )?.*(disabled|not available|doesn't exist)|Cache-only enabled but no cache/i.test(upgrades)) {
    return missing('dnf has no cached lists of updates yet');
  }
  const updates = [...upgrades.matchAll(/^[\w.+-]+\.(?:noarch|x86_64|aarch64|i686|ppc64le|s390x)\s+\S+\s+\S+$/gm)]
    .length;
  const packages = new Set([...advisories.matchAll(/^\S+\s+\S*Sec\.?\s+(\S+)$/gim)].map(([, name]) => name));
  return measured({ updates, securityUpdates: packages.size });
}

/**
 * End of the last update in apt's history (`Upgrade:` and no `Error:` in the block), newest last; local time, since apt
 * writes that.
 */
export function parseAptHistory(history: string): Reading<Date> {
  const ends = history.split(/\n\s*\n/).flatMap((block) => {
    if (!/^Upgrade: /m.test(block) || /^Error: /m.test(block)) return [];
    const [, day, time] = /^End-Date: (\d{4}-\d\d-\d\d)\s+(\d\d:\d\d:\d\d)/m.exec(block) ?? [];
    const at = new Date(`${day}T${time}`);
    return Number.isNaN(at.getTime()) ? [] : [at];
  });
  const last = ends.at(-1);
  return last ? measured(last) : missing("apt's history names no update that went through");
}

/** Newest line of `rpm -qa --last` as `--qf '%{INSTALLTIME}'` gives it: Unix seconds, one a line. */
export function parseRpmInstallTimes(output: string): Reading<Date> {
  const seconds = [...output.matchAll(/^(\d{9,11})$/gm)].map(([, unixS]) => Number(unixS));
  const newest = seconds.length === 0 ? null : seconds.reduce((a, b) => Math.max(a, b));
  return newest === null ? missing('rpm names no installation time') : measured(new Date(newest * 1000));
}
