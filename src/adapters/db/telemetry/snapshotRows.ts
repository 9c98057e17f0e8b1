/** A snapshot as a row and back: the guide's signals in columns of their own, all of them in one JSON column. */
import type { InferEntity } from '@mikro-orm/core';
import type { StoredSnapshot } from '../../../core/ports/endpointPorts.ts';
import { SIGNAL_NAMES, wireName } from '../../../domain/signals/catalogue.ts';
import { flatReadings, readingsFromFlat } from '../../../domain/signals/flat.ts';
import type { AnyReading, Readings } from '../../../domain/signals/reading.ts';
import { readingsFromWire, readingsToWire } from '../../../domain/signals/wire.ts';
import type { KeptReadings, SnapshotRow } from '../entities/telemetry.ts';
import type { Plain } from '../rows.ts';

export type SnapshotFields = Omit<Plain<InferEntity<typeof SnapshotRow>>, 'id'>;

export function snapshotToRow({ readings, ignoredSignals, ...rest }: StoredSnapshot): SnapshotFields {
  const flat = Object.entries(flatReadings(readings)).map(([name, value]) => [camelCase(name), value]);
  const reasons = SIGNAL_NAMES.flatMap((name): [string, string][] => {
    const reading: AnyReading = readings[name];
    return 'missing' in reading ? [[reading.missing, wireName(name)]] : [];
  });
  const grouped = Map.groupBy(reasons, ([reason]) => reason);
  const kept: KeptReadings = {
    measured: readingsToWire(readings, 'measured'),
    missing: [...grouped].map(([reason, of]) => [reason, of.map(([, name]) => name)]),
    ignored: ignoredSignals,
  };
  const { bootedAt, ...columns } = Object.fromEntries(flat) as Record<string, unknown>;
  return {
    ...rest,
    ...columns,
    bootedAt: typeof bootedAt === 'string' ? new Date(bootedAt) : null,
    unmeasured: [],
    readings: kept,
  } as unknown as SnapshotFields;
}

export function snapshotFromRow(row: SnapshotFields): StoredSnapshot {
  const { endpointId, collectedAt, collector, durationMs, reachable, unreachableReason } = row;
  return {
    endpointId,
    collectedAt,
    collector,
    durationMs,
    reachable,
    unreachableReason,
    readings: readingsOf(row),
    ignoredSignals: row.readings?.ignored ?? 0,
  };
}

function readingsOf(row: SnapshotFields): Readings {
  if (row.readings) {
    const { measured, missing } = row.readings;
    const reasons = new Map(
      missing.flatMap(([reason, names]) => names.map((name): [string, string] => [name, reason])),
    );
    return readingsFromWire(measured, (name) => reasons.get(wireName(name)) ?? NOT_YET).readings;
  }
  // A row of a version that knew the guide's signals only.
  const flat = Object.fromEntries(Object.entries(row).map(([name, value]) => [snakeCase(name), value]));
  const reasons = new Map(row.unmeasured.map(({ metric, reason }) => [snakeCase(metric), reason]));
  return readingsFromFlat(flat, reasons, () => NOT_YET);
}

const NOT_YET = 'it was not collected then';

function camelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
