/** Tests how a machine answers before, or as soon as, it is registered: one scan, and what it found or why it found nothing. */
import { z } from 'zod';
import type { Endpoint, EndpointRegistration } from '../../domain/fleet/endpoint.ts';
import { SIGNAL_NAMES } from '../../domain/signals/catalogue.ts';
import { flatReadings } from '../../domain/signals/flat.ts';
import type { Snapshot } from '../../domain/signals/telemetry.ts';
import type { Ports } from '../ports/ports.ts';
import { record } from '../scans/scanning.ts';

export const connectionTestShape = z.object({
  reachable: z.boolean(),
  /** Why it did not answer, and what to check. */
  reason: z.string().nullable(),
  duration_ms: z.number().int(),
  /** Signals that have a value, of all that there are. */
  measured: z.number().int(),
  signals: z.number().int(),
  cpu_pct: z.number().nullable(),
  memory_pct: z.number().nullable(),
  disk_pct: z.number().nullable(),
});
export type ConnectionTest = z.output<typeof connectionTestShape>;

/** @param signal ends the test early */
export async function testConnection(
  { collector, clock }: Pick<Ports, 'collector' | 'clock'>,
  registration: EndpointRegistration,
  signal: AbortSignal,
): Promise<Snapshot> {
  return collector.collect(registration, { now: clock.now(), signal, previousScanAt: null });
}

/** Keeps the first scan of a machine that answered; a name that was mistyped is to raise no alert. */
export async function keepFirstScan(ports: Ports, endpoint: Endpoint, snapshot: Snapshot): Promise<Endpoint> {
  if (!snapshot.reachable) return endpoint;
  const [result] = await record(ports, [{ endpoint, snapshot }]);
  return result?.endpoint ?? endpoint;
}

export function presentConnectionTest({
  readings,
  reachable,
  unreachableReason,
  durationMs,
}: Snapshot): ConnectionTest {
  const flat = flatReadings(readings);
  const number = (value: unknown): number | null => (typeof value === 'number' ? value : null);
  return {
    reachable,
    reason: unreachableReason,
    duration_ms: Math.round(durationMs),
    measured: SIGNAL_NAMES.filter((name) => hasValue(readings[name])).length,
    signals: SIGNAL_NAMES.length,
    cpu_pct: number(flat.cpu_pct),
    memory_pct: number(flat.memory_pct),
    disk_pct: number(flat.disk_pct),
  };
}

function hasValue(reading: Snapshot['readings'][keyof Snapshot['readings']]): boolean {
  return 'value' in reading || ('items' in reading && reading.items.length > 0);
}

/** One line on how the test went. */
export function connectionTestLine({
  reachable,
  reason,
  duration_ms,
  measured,
  signals,
  ...found
}: ConnectionTest): string {
  if (!reachable) return `The test failed: ${reason}`;
  const figures = Object.entries({ CPU: found.cpu_pct, memory: found.memory_pct, disk: found.disk_pct }).flatMap(
    ([name, value]) => (value === null ? [] : [`${name} ${Math.round(value)} %`]),
  );
  const seconds = (duration_ms / 1000).toFixed(1);
  return `It answers (${seconds} s): ${measured} of ${signals} signals${figures.length > 0 ? `, ${figures.join(', ')}` : ''}.`;
}
