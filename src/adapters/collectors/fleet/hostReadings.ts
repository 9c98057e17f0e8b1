/** What Fleet's fields say of a machine's signals. */

import type { OsPlatform } from '../../../domain/signals/declaration.ts';
import { measured, missing, type Reading } from '../../../domain/signals/reading.ts';
import { type Collected, measuredTimestamp } from '../readings.ts';
import type { FleetBattery, FleetHost, FleetTitle } from './fleetApi.ts';

/** Fleet asks a machine for its details every hour; older ones say nothing of now. */
const DETAILS_VALID_MS = 25 * 3_600_000;

const BYTES_A_GIGABYTE = 1e9;

/** Of machines that are no computers of employees. */
const DEVICES = new Set(['ios', 'ipados', 'android', 'chrome']);

/** Null for phones, tablets and Chromebooks. */
export function platformOf({ platform }: FleetHost): OsPlatform | null {
  const known = platform.toLowerCase();
  if (DEVICES.has(known)) return null;
  if (known === 'darwin') return 'macos';
  // Every other name is a distribution of Linux.
  return known === 'windows' ? 'windows' : known === '' ? 'other' : 'linux';
}

/** A moment of the wire; null for the zero of Go's clock and what is none. */
export function momentOf(iso: string): Date | null {
  const at = Date.parse(iso);
  return Number.isNaN(at) || at <= 0 ? null : new Date(at);
}

/** What was asked of one host by itself; a reason where it was not, or failed. */
export interface HostDetails {
  batteries: FleetBattery[] | string;
  software: FleetTitle[] | string;
}

export function hostReadings(host: FleetHost, os: OsPlatform, details: HostDetails, now: Date): Collected {
  const detailedAt = momentOf(host.detail_updated_at);
  if (detailedAt === null || now.getTime() - detailedAt.getTime() > DETAILS_VALID_MS) {
    const old = missing(`Fleet has not refreshed its details since ${host.detail_updated_at || 'it enrolled'}`);
    return { diskPct: old, diskFreeBytes: old, bootedAt: old, batteryCycles: old, updatesPending: old };
  }
  return {
    ...diskReadings(host, os),
    bootedAt: bootedAt(host, detailedAt),
    ...batteryReadings(details.batteries),
    updatesPending: pendingUpdates(details.software),
  };
}

function diskReadings(host: FleetHost, os: OsPlatform): Collected {
  const item = os === 'windows' ? 'C:' : '/';
  const { percent_disk_space_available: freePct, gigs_disk_space_available: freeGigs } = host;
  // Fleet writes 0 of 0 where it has not measured yet.
  if (freePct === null || freeGigs === null || (freePct === 0 && freeGigs === 0))
    return { diskPct: missing('Fleet reports no disk space'), diskFreeBytes: missing('Fleet reports no disk space') };
  return {
    diskPct: { items: [{ item, value: 100 - freePct }] },
    diskFreeBytes: { items: [{ item, value: freeGigs * BYTES_A_GIGABYTE }] },
  };
}

function bootedAt({ last_restarted_at, uptime }: FleetHost, detailedAt: Date): Reading<Date> {
  const restarted = momentOf(last_restarted_at);
  if (restarted) return measured(restarted);
  // In nanoseconds, when the details were read.
  const startedS = uptime === null || uptime <= 0 ? null : detailedAt.getTime() / 1000 - uptime / 1e9;
  return measuredTimestamp(startedS, 'Fleet reports no uptime');
}

function batteryReadings(batteries: HostDetails['batteries']): Collected {
  if (typeof batteries === 'string') return { batteryCycles: missing(batteries), batteryHealthPct: missing(batteries) };
  if (batteries.length === 0) {
    const none = missing('Fleet knows no battery of it');
    return { batteryCycles: none, batteryHealthPct: none };
  }
  const items = batteries.map(({ cycle_count }, at) => ({
    item: `battery ${at + 1}`,
    ...(cycle_count === null ? missing('Fleet reports no cycles') : measured(cycle_count)),
  }));
  const health = batteries.map(({ health }) => health || 'nothing').join(', ');
  return {
    batteryCycles: { items },
    batteryHealthPct: missing(`Fleet tells health in words: ${health}`),
  };
}

/** Titles of which Fleet has a newer package than each that is installed. */
function pendingUpdates(software: HostDetails['software']): Reading<number> {
  if (typeof software === 'string') return missing(software);
  const outdated = software.filter(({ software_package, app_store_app, installed_versions }) => {
    const offered = software_package?.version || app_store_app?.version || '';
    const installed = (installed_versions ?? []).map(({ version }) => version).filter(Boolean);
    return offered !== '' && installed.length > 0 && installed.every((version) => isOlder(version, offered));
  });
  return measured(outdated.length);
}

/** Versions are numbers with dots; what cannot be compared is no update. */
function isOlder(a: string, b: string): boolean {
  const parts = (version: string) =>
    version
      .split(/[.\-_+ ()]+/)
      .filter(Boolean)
      .map(Number);
  const [left, right] = [parts(a), parts(b)];
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const [l, r] = [left[at] ?? 0, right[at] ?? 0];
    if (Number.isNaN(l) || Number.isNaN(r)) return false;
    if (l !== r) return l < r;
  }
  return false;
}
