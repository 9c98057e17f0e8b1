/** The guide's signals as flat fields, one value each: the wire's first version, and the first lines of every answer. */
import { declarationOf, SIGNAL_NAMES, type SignalName, wireName } from './catalogue.ts';
import { type AnyReading, completeReadings, missing, type Readings, type Share, sanitisedReading } from './reading.ts';

/** A field's value: of several items that of the first that counts, of tries the failures; null when nothing was measured. */
type FlatValue = number | string | string[] | null;

const GUIDE = SIGNAL_NAMES.filter((name) => declarationOf(name).guide);

/** `cpu_pct`, `disk_pct` with `disk_mount`, `dns_failures` with `dns_lookups` and so on, a moment as ISO 8601. */
export function flatReadings(readings: Readings): Record<string, FlatValue> {
  const flat: Record<string, FlatValue> = {};
  for (const name of GUIDE) {
    const { companion, kind } = declarationOf(name);
    const reading: AnyReading = readings[name];
    const first = firstOf(reading);
    const share = kind === 'share' ? (first.value as Share | null) : null;
    flat[wireName(name)] = kind === 'share' ? (share?.count ?? null) : plain(first.value);
    if (companion !== undefined) flat[companion] = kind === 'share' ? (share?.of ?? null) : first.item;
  }
  return flat;
}

/** Which of them were not measured, with the reason, by wire name. */
export function unmeasured(readings: Readings): { metric: string; reason: string }[] {
  return GUIDE.flatMap((name) => {
    const reading: AnyReading = readings[name];
    if ('missing' in reading) return [{ metric: wireName(name), reason: reading.missing }];
    return 'items' in reading && firstOf(reading).value === null
      ? [{ metric: wireName(name), reason: "nothing of it counts as the machine's own" }]
      : [];
  });
}

/** Readings from flat fields; what is not there, malformed or impossible is missing with the reason. */
export function readingsFromFlat(
  flat: Readonly<Record<string, unknown>>,
  reasons: ReadonlyMap<string, string>,
  why: (name: SignalName) => string,
): Readings {
  const given: Partial<Record<SignalName, AnyReading>> = {};
  for (const name of GUIDE) {
    const value = flat[wireName(name)];
    if (value === null || value === undefined) {
      const reason = reasons.get(wireName(name));
      if (reason !== undefined) given[name] = missing(reason);
    } else given[name] = sanitisedReading(name, readingOf(name, value, flat));
  }
  return completeReadings(given as Partial<Readings>, why);
}

function readingOf(name: SignalName, value: unknown, flat: Readonly<Record<string, unknown>>): AnyReading {
  const { kind, per, companion } = declarationOf(name);
  const beside = companion === undefined ? null : flat[companion];
  if (kind === 'share') return { value: { count: value, of: beside } as Share };
  if (kind === 'time') return { value: value instanceof Date ? value : new Date(String(value)) };
  if (per === 'machine') return { value: value as number };
  return { items: [{ item: typeof beside === 'string' ? beside : per, value: value as number }] };
}

function firstOf(reading: AnyReading): { item: string | null; value: unknown } {
  if ('missing' in reading) return { item: null, value: null };
  if (!('items' in reading)) return { item: null, value: reading.value };
  const first = reading.items.find((each) => 'value' in each && each.setAside === undefined);
  return first && 'value' in first ? { item: first.item, value: first.value } : { item: null, value: null };
}

function plain(value: unknown): FlatValue {
  return value instanceof Date ? value.toISOString() : (value as FlatValue);
}
