/** How a measurement that a rule speaks of reads: `disk / is 97 % full (above 95 %)`. */
import { declarationOf } from '../signals/catalogue.ts';
import { amount, labelOf, type Measure, type MeasuredNumber, signalOf } from '../signals/measures.ts';
import type { AnyReading, Share } from '../signals/reading.ts';
import type { Snapshot } from '../signals/telemetry.ts';
import { type Line, lineAt } from './conditions.ts';

type Read = Pick<Snapshot, 'readings'>;

/** The names behind a measure that counts names; null for others. */
export function namesOf({ readings }: Read, measure: Measure): string[] | null {
  const reading: AnyReading = readings[signalOf(measure)];
  return 'value' in reading && Array.isArray(reading.value) ? reading.value : null;
}

/** Where the line is that was crossed: `above 95 %`. */
export function lineText(measure: Measure, line: Line): string {
  return `${'above' in line ? 'above' : 'below'} ${amount(measure, lineAt(line))}`;
}

/** A measurement in a sentence, for the reasons of a score. */
export function reasonText(measure: Measure, number: MeasuredNumber, line: Line | null, snapshot: Read): string {
  const names = namesOf(snapshot, measure);
  if (names) return `${labelOf(measure)}: ${names.slice(0, 10).join(', ')}`;
  const reading: AnyReading = snapshot.readings[signalOf(measure)];
  if ('value' in reading && isShare(reading.value)) {
    return `${labelOf(measure)}: ${reading.value.count} of ${reading.value.of}`;
  }
  const { label, kind, per, unit } = declarationOf(signalOf(measure));
  const what = number.item === null ? label : `${label} ${number.item}`;
  if (kind === 'flag') return what;
  const limit = line === null ? '' : ` (${lineText(measure, line)})`;
  const full = per === 'mount' && unit === 'pct' ? ' full' : '';
  return `${what} is ${amount(measure, number.value)}${full}${limit}`;
}

/** Numbers that crossed a line, short, for an alert; whole, so that a value that barely moves does not rewrite it at every scan. */
export function breachText(measure: Measure, numbers: readonly MeasuredNumber[], line: Line, snapshot: Read): string {
  const names = namesOf(snapshot, measure);
  if (names) return `${labelOf(measure)}: ${names.slice(0, 20).join(', ')}`;
  if (declarationOf(signalOf(measure)).kind === 'flag') return flagText(measure, numbers);
  return `${numbers
    .slice(0, 3)
    .map((number) => levelText(measure, number))
    .join('; ')}, ${lineText(measure, line)}`;
}

/** One measurement, short: `disk /: 97 %`. */
export function levelText(measure: Measure, { item, value }: MeasuredNumber): string {
  return `${labelOf(measure)}${item === null ? '' : ` ${item}`}: ${amount(measure, value, 0)}`;
}

function flagText(measure: Measure, numbers: readonly MeasuredNumber[]): string {
  const items = numbers.flatMap(({ item }) => item ?? []);
  return items.length === 0 ? labelOf(measure) : `${labelOf(measure)}: ${items.slice(0, 5).join(', ')}`;
}

function isShare(value: unknown): value is Share {
  return typeof value === 'object' && value !== null && 'of' in value;
}
