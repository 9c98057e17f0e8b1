/** The numbers that rules, trends and charts read of a snapshot: one for each signal, by its name in files. */
import { declarationOf, SIGNAL_NAMES, type SignalName, wireName } from './catalogue.ts';
import { type SignalDeclaration, UNITS, type Unit } from './declaration.ts';
import type { AnyReading } from './reading.ts';
import type { Snapshot } from './telemetry.ts';

const DAY_MS = 86_400_000;

/** A measure's name as files and answers spell it, as `disk_pct`. */
export type Measure = string;

const SIGNAL_OF = new Map(
  SIGNAL_NAMES.map((name): [Measure, SignalName] => [declarationOf(name).measure?.name ?? wireName(name), name]),
);

/** All measures, in the catalogue's order. */
export const MEASURES: readonly Measure[] = [...SIGNAL_OF.keys()];

/** @throws Error for a name that is no measure; files are checked against `MEASURES` when they are read */
export function signalOf(measure: Measure): SignalName {
  const name = SIGNAL_OF.get(measure);
  if (name === undefined) throw new Error(`${measure} is no measure`);
  return name;
}

/** One number of a snapshot, and what it was read of where there are several. */
export interface MeasuredNumber {
  value: number;
  item: string | null;
}

/** What a snapshot says of a measure, one number for each item that counts; null when nothing was measured. */
export function numbersOf(
  snapshot: Pick<Snapshot, 'readings' | 'collectedAt'>,
  measure: Measure,
): MeasuredNumber[] | null {
  const name = signalOf(measure);
  const reading: AnyReading = snapshot.readings[name];
  if ('missing' in reading) return null;
  const declaration = declarationOf(name);
  const found: MeasuredNumber[] = [];
  for (const each of 'items' in reading ? reading.items : [{ item: null, ...reading }]) {
    if (!('value' in each) || ('setAside' in each && each.setAside !== undefined)) continue;
    const value = numberOf(declaration, each.value, snapshot.collectedAt);
    if (value !== null) found.push({ item: each.item, value });
  }
  return found.length === 0 ? null : found;
}

/** The worst of a measure's numbers (the first where none is worse); null when nothing was measured. */
export function worstOf(snapshot: Pick<Snapshot, 'readings' | 'collectedAt'>, measure: Measure): MeasuredNumber | null {
  const numbers = numbersOf(snapshot, measure);
  if (numbers === null) return null;
  const sign = declarationOf(signalOf(measure)).better === 'higher' ? -1 : 1;
  return numbers.reduce((worst, each) => (sign * (each.value - worst.value) > 0 ? each : worst));
}

function numberOf({ better }: SignalDeclaration, value: unknown, collectedAt: Date): number | null {
  if (typeof value === 'number') return better === 'zero' ? Math.abs(value) : value;
  if (typeof value === 'boolean') return Number(value);
  if (Array.isArray(value)) return value.length;
  if (value instanceof Date) return (collectedAt.getTime() - value.getTime()) / DAY_MS;
  const { count, of } = value as { count: number; of: number };
  return of === 0 ? null : (100 * count) / of;
}

/** How people call a measure. */
export function labelOf(measure: Measure): string {
  return declarationOf(signalOf(measure)).label;
}

export function unitOf(measure: Measure): Unit {
  const { measure: own, unit } = declarationOf(signalOf(measure));
  return own?.unit ?? unit;
}

const BYTE_UNITS = ['bytes', 'KB', 'MB', 'GB', 'TB', 'PB'];

/** A number with its unit for people: `97 %`, `3.9 GB`, `-71 dBm`. */
export function amount(measure: Measure, value: number, decimals = 1): string {
  const unit = unitOf(measure);
  if (unit === 'bytes') return bytesText(value);
  const whole = unit === 'ms' || unit === 'dbm' || unit === 'count' || unit === 'per_day' || unit === 'celsius';
  const factor = 10 ** (whole ? 0 : decimals);
  return `${Math.round(value * factor) / factor}${UNITS[unit].text}`;
}

/** Decimal units, as makers of disks and most systems print them. */
function bytesText(bytes: number): string {
  const step = bytes < 1000 ? 0 : Math.min(BYTE_UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** step;
  return `${value < 10 && step > 0 ? Math.round(value * 10) / 10 : Math.round(value)} ${BYTE_UNITS[step]}`;
}
