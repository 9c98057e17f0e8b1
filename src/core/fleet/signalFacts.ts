/** What the latest scan of a machine says in words: each signal that was measured, and what is shown but not judged. */
import { declarationOf, SIGNAL_NAMES } from '../../domain/signals/catalogue.ts';
import { amount, MEASURES, type MeasuredNumber, signalOf, worstOf } from '../../domain/signals/measures.ts';
import type { AnyReading, Readings } from '../../domain/signals/reading.ts';
import type { Snapshot } from '../../domain/signals/telemetry.ts';

/** The value of the worst item, with the item where there are several. */
interface SignalFact {
  label: string;
  item: string | null;
  text: string;
}

export function measuredFacts(snapshot: Pick<Snapshot, 'collectedAt' | 'readings'>): SignalFact[] {
  return MEASURES.flatMap((measure) => {
    const worst = worstOf(snapshot, measure);
    if (!worst) return [];
    const name = signalOf(measure);
    const text = valueText(measure, worst, snapshot.readings[name]);
    return [{ label: declarationOf(name).label, item: worst.item ?? null, text }];
  });
}

/** Items that do not count, such as an optical disc, each once with its reason. */
export function setAside(readings: Readings): { item: string; reason: string }[] {
  const reasons = new Map<string, string>();
  for (const name of SIGNAL_NAMES)
    for (const { item, reason } of setAsideOf(readings[name])) if (!reasons.has(item)) reasons.set(item, reason);
  return [...reasons].map(([item, reason]) => ({ item, reason }));
}

function setAsideOf(reading: AnyReading): { item: string; reason: string }[] {
  if (!('items' in reading)) return [];
  return reading.items.flatMap(({ item, setAside: reason }) => (reason === undefined ? [] : [{ item, reason }]));
}

/** A number in its unit; flags as yes or no, shares as so many of so many. */
export function valueText(measure: string, { value }: MeasuredNumber, reading: AnyReading): string {
  if ('value' in reading && typeof reading.value === 'boolean') return reading.value ? 'yes' : 'no';
  if ('value' in reading && typeof reading.value === 'object' && 'of' in reading.value)
    return `${reading.value.count} of ${reading.value.of}`;
  return amount(measure, value);
}
