/** What changed on a machine before a problem began: restarts, updates, programs, power, VPN, radio and disk. */
import { labelOf, numbersOf, worstOf } from '../signals/measures.ts';
import type { ScanRecord } from './machineHistory.ts';

export interface Change {
  /** `restart`, `updates`, `program`, `power`, `vpn`, `adapter` or `disk`. */
  kind: string;
  at: Date;
  text: string;
}

const HOUR_MS = 3_600_000;
/** Changes longer before a problem hardly made it. */
const BEFORE_MS = 24 * HOUR_MS;
/** A scan later than the beginning may be the first that shows what changed before it. */
const AFTER_MS = 0.5 * HOUR_MS;
const MOST_CHANGES = 8;
/** A program this large that was never among the largest before is a new one. */
const NEW_PROGRAM_PCT = 15;
/** Points within an hour or so that somebody has written on purpose. */
const DISK_JUMP_PCT = 5;
const BOOT_TIMES_DIFFER_MS = 5 * 60_000;

/**
 * What changed from a day before a problem began until then, newest first.
 * @param scans that the machine answered, oldest first
 */
export function changesBefore(scans: readonly ScanRecord[], sinceMs: number): Change[] {
  const found: Change[] = [];
  const known = { top_cpu_pct: new Set<string>(), top_memory_pct: new Set<string>() };
  for (const [i, scan] of scans.entries()) {
    const atMs = scan.collectedAt.getTime();
    if (atMs > sinceMs + AFTER_MS) break;
    const before = scans[i - 1];
    if (before && atMs >= sinceMs - BEFORE_MS) found.push(...between(before, scan), ...newPrograms(scan, known));
    for (const measure of ['top_cpu_pct', 'top_memory_pct'] as const) {
      for (const { item } of numbersOf(scan, measure) ?? []) if (item !== null) known[measure].add(item);
    }
  }
  return found.toSorted((a, b) => b.at.getTime() - a.at.getTime()).slice(0, MOST_CHANGES);
}

function between(before: ScanRecord, scan: ScanRecord): Change[] {
  const at = scan.collectedAt;
  const value = (of: ScanRecord, measure: string) => worstOf(of, measure)?.value ?? null;
  const moved = (measure: string): number | null => {
    const [from, to] = [value(before, measure), value(scan, measure)];
    return from === null || to === null ? null : to - from;
  };
  const changes: Change[] = [];

  const [bootedBefore, booted] = [bootedAt(before), bootedAt(scan)];
  if (bootedBefore && booted && booted.getTime() - bootedBefore.getTime() > BOOT_TIMES_DIFFER_MS) {
    const unexpected = (moved('unexpected_restarts') ?? 0) > 0;
    changes.push({ kind: 'restart', at: booted, text: unexpected ? 'it restarted by itself' : 'it was restarted' });
  }
  const installed = -(moved('updates_pending') ?? moved('security_updates_pending') ?? 0);
  const age = moved('update_age_days');
  if (installed > 0) changes.push({ kind: 'updates', at, text: `${plural(installed, 'update')} installed` });
  else if (age !== null && age < -0.5) changes.push({ kind: 'updates', at, text: 'updates were installed' });
  const power = moved('on_battery');
  if (power !== null && power !== 0) {
    changes.push({ kind: 'power', at, text: power > 0 ? 'it was taken off mains power' : 'it was put on mains power' });
  }
  const vpn = moved('vpn_up');
  if (vpn !== null && vpn !== 0) {
    changes.push({ kind: 'vpn', at, text: vpn > 0 ? 'the VPN came up' : 'the VPN went down' });
  }
  const adapters = [adapterNames(before), adapterNames(scan)];
  if (adapters[0] && adapters[1] && adapters[0] !== adapters[1]) {
    changes.push({ kind: 'adapter', at, text: `network adapters: ${adapters[0]}, then ${adapters[1]}` });
  }
  const disk = moved('disk_pct');
  if (disk !== null && Math.abs(disk) >= DISK_JUMP_PCT) {
    const way = disk > 0 ? 'filled' : 'emptied';
    changes.push({ kind: 'disk', at, text: `${labelOf('disk_pct')} ${way} by ${Math.round(Math.abs(disk))} points` });
  }
  return changes;
}

function newPrograms(scan: ScanRecord, known: Record<string, Set<string>>): Change[] {
  return (['top_cpu_pct', 'top_memory_pct'] as const).flatMap((measure) => {
    const seen = known[measure] as Set<string>;
    // Without anything to compare with every program would be new.
    if (seen.size === 0) return [];
    return (numbersOf(scan, measure) ?? [])
      .filter(({ item, value }) => item !== null && value >= NEW_PROGRAM_PCT && !seen.has(item))
      .map(({ item, value }) => ({
        kind: 'program',
        at: scan.collectedAt,
        text: `${item} was new among the largest programs (${Math.round(value)} % ${measure === 'top_cpu_pct' ? 'of the processor' : 'of the memory'})`,
      }));
  });
}

function bootedAt({ readings }: ScanRecord): Date | null {
  return 'value' in readings.bootedAt ? readings.bootedAt.value : null;
}

function adapterNames(scan: ScanRecord): string | null {
  const names = (numbersOf(scan, 'wifi_rate_mbps') ?? []).flatMap(({ item }) => item ?? []);
  return names.length === 0 ? null : names.toSorted().join(', ');
}

function plural(count: number, word: string): string {
  return count === 1 ? `1 ${word} was` : `${count} ${word}s were`;
}
