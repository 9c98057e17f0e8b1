/** A push agent's report taken in: its time set right, and whom it came from remembered. */
import type { z } from 'zod';
import type { Endpoint } from '../../domain/fleet/endpoint.ts';
import { canonicalMachineId } from '../../domain/fleet/enrolment.ts';
import { CLOCK_TOLERANCE_MS } from '../../domain/fleet/reporter.ts';
import type { Snapshot } from '../../domain/signals/telemetry.ts';
import { AppError } from '../errors.ts';
import type { Ports } from '../ports/ports.ts';
import { type agentSnapshotWire, clockOffsetMs, snapshotFromWire } from './agentSnapshot.ts';

/** @throws AppError `invalid` for a time that cannot be believed, which is remembered too */
export function reportedSnapshot(
  { reporters }: Pick<Ports, 'reporters'>,
  endpoint: Endpoint,
  wire: z.output<typeof agentSnapshotWire>,
  now: Date,
): Snapshot {
  const machineId = canonicalMachineId(wire.machine_id ?? null);
  const sentOffsetMs = clockOffsetMs(wire, now);
  const note = (offsetMs: number | null, bootedAt: Date | null, refused: boolean) =>
    reporters.note(endpoint.hostname, { clockOffsetMs: offsetMs, machineId, bootedAt }, refused);
  try {
    const snapshot = snapshotFromWire(wire, endpoint, now);
    const { bootedAt } = snapshot.readings;
    note(sentOffsetMs, 'value' in bootedAt ? bootedAt.value : null, false);
    return snapshot;
  } catch (error) {
    if (error instanceof AppError && error.kind === 'invalid')
      note(sentOffsetMs ?? new Date(wire.collected_at).getTime() - now.getTime(), null, true);
    throw error;
  }
}

/**
 * Whether a report is none that is known already: an agent delivers in order, so what is not newer is a repeat of one whose
 * answer was lost on the way. A last scan that lies in the future was taken before the service's own clock was set back, and
 * says nothing.
 */
export function isNews({ lastScanAt }: Endpoint, { collectedAt }: Snapshot, now: Date): boolean {
  if (lastScanAt === null || collectedAt > lastScanAt) return true;
  return lastScanAt.getTime() > now.getTime() + CLOCK_TOLERANCE_MS;
}
