/** Whether what is reported with one token comes from one machine, and from one whose clock is right. */

/** What one report says of who sent it. */
export interface ReportOrigin {
  /** The reporter's time minus the receiver's when it was sent; null when the report does not say when that was. */
  clockOffsetMs: number | null;
  machineId: string | null;
  /** By the receiver's clock. */
  bootedAt: Date | null;
}

/** What is known of those who report with one token. */
export interface Reporter extends ReportOrigin {
  /** When the last one that said so started, by its own clock; Unix milliseconds. */
  ownBootMs: number | null;
  /** Machine ids that reported before the last one did. */
  earlierIds: readonly string[];
  /** When reports changed to what one machine cannot change back to, oldest first. */
  returnsAt: readonly Date[];
}

/** Clocks of laptops drift; more than this is a wrong clock. */
export const CLOCK_TOLERANCE_MS = 5 * 60_000;

/** A boot time is the difference of a clock and an uptime, so two readings of one start differ by a little. */
const SAME_BOOT_MS = 2 * 60_000;

/** A clock that is set while reports wait makes one such change by itself; two machines make them with every turn. */
const RETURNS_OF_TWO = 2;
const RETURNS_WINDOW_MS = 86_400_000;
const MOST_KEPT = 8;

/** @param before null for the first report */
export function reporterAfter(before: Reporter | null, origin: ReportOrigin, now: Date): Reporter {
  if (!before) return { ...origin, ownBootMs: ownBootMs(origin), earlierIds: [], returnsAt: [] };
  const changedId = origin.machineId !== null && before.machineId !== null && origin.machineId !== before.machineId;
  const isReturn = changedId ? before.earlierIds.includes(origin.machineId ?? '') : bootedEarlier(origin, before);
  const since = now.getTime() - RETURNS_WINDOW_MS;
  const kept = before.returnsAt.filter((at) => at.getTime() >= since);
  return {
    ...origin,
    machineId: origin.machineId ?? before.machineId,
    bootedAt: origin.bootedAt ?? before.bootedAt,
    ownBootMs: ownBootMs(origin) ?? before.ownBootMs,
    earlierIds: changedId
      ? [...new Set([...before.earlierIds, before.machineId ?? ''])].slice(-MOST_KEPT)
      : before.earlierIds,
    returnsAt: (isReturn ? [...kept, now] : kept).slice(-MOST_KEPT),
  };
}

function ownBootMs({ bootedAt, clockOffsetMs }: ReportOrigin): number | null {
  return bootedAt && clockOffsetMs !== null ? bootedAt.getTime() + clockOffsetMs : null;
}

/**
 * A machine that started at ten has not started at nine. Some systems note their start once, others move it with their clock:
 * a start that stands still by either clock is that of the same machine, however often its clock is set.
 */
function bootedEarlier(origin: ReportOrigin, before: Reporter): boolean {
  // Of a clock that nobody compared, the boot time moves with it.
  if (origin.clockOffsetMs === null || before.clockOffsetMs === null) return false;
  if (!origin.bootedAt || !before.bootedAt) return false;
  const ownMs = ownBootMs(origin);
  const standsStill = ownMs !== null && before.ownBootMs !== null && Math.abs(before.ownBootMs - ownMs) <= SAME_BOOT_MS;
  return !standsStill && before.bootedAt.getTime() - origin.bootedAt.getTime() > SAME_BOOT_MS;
}

export function areTwoMachines({ returnsAt }: Reporter, now: Date): boolean {
  const since = now.getTime() - RETURNS_WINDOW_MS;
  return returnsAt.filter((at) => at.getTime() >= since).length >= RETURNS_OF_TWO;
}

export function hasWrongClock({ clockOffsetMs }: Pick<ReportOrigin, 'clockOffsetMs'>): boolean {
  return clockOffsetMs !== null && Math.abs(clockOffsetMs) > CLOCK_TOLERANCE_MS;
}

/** “1 hour ahead”, “3 days behind”. */
export function offsetText(offsetMs: number): string {
  const minutes = Math.round(Math.abs(offsetMs) / 60_000);
  const [amount, unit] =
    minutes < 90
      ? [minutes, 'minute']
      : minutes < 48 * 60
        ? [Math.round(minutes / 60), 'hour']
        : [Math.round(minutes / 1440), 'day'];
  return `${amount} ${unit}${amount === 1 ? '' : 's'} ${offsetMs > 0 ? 'ahead' : 'behind'}`;
}
