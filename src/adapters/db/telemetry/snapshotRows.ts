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
  const columns: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(flatReadings(readings))) columns[columnOf(name)] = value;
  const reasons = new Map<string, string[]>();
  for (const name of SIGNAL_NAMES) {
    const reading: AnyReading = readings[name];
    if (!('missing' in reading)) continue;
    const names = reasons.get(reading.missing);
    if (names) names.push(wireName(name));
    else reasons.set(reading.missing, [wireName(name)]);
  }
  const kept: KeptReadings = {
    measured: readingsToWire(readings, 'measured'),
    missing: [...reasons],
    ignored: ignoredSignals,
  };
  const { bootedAt } = columns;
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

const columnNames = new Map<string, string>();

/** Of a field of the guide: `cpu_pct` is in `cpuPct`. */
function columnOf(field: string): string {
  const known = columnNames.get(field);
  if (known !== undefined) return known;
  const name = field.replace(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());
  columnNames.set(field, name);
  return name;
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
