/** What was read of a signal: a value or the reason why there is none, for each item where there are several. */
import { declarationOf, SIGNAL_NAMES, type SignalName, type Signals } from './catalogue.ts';
import { type SignalKind, UNITS } from './declaration.ts';

/** `count` of `of` tries. */
export interface Share {
  count: number;
  of: number;
}

interface Values {
  number: number;
  share: Share;
  flag: boolean;
  time: Date;
  names: string[];
}

/** A measurement, or the reason why there is none. */
export type Reading<Value> = { value: Value } | { missing: string };

/** What was read of one of several items; one that is set aside is shown with the reason and never judged. */
export type ItemReading<Value> = { item: string; setAside?: string } & Reading<Value>;

/** Readings of several items, those that matter most first. */
export type ItemReadings<Value> = { items: ItemReading<Value>[] } | { missing: string };

type ValueOf<Name extends SignalName> = Values[Signals[Name]['kind']];

type ReadingOf<Name extends SignalName> = Signals[Name]['per'] extends 'machine'
  ? Reading<ValueOf<Name>>
  : ItemReadings<ValueOf<Name>>;

/** What one scan read of every signal of the catalogue. */
export type Readings = { [Name in SignalName]: ReadingOf<Name> };

/** Any signal's reading, for code that goes over all of them. */
export type AnyReading = Reading<Values[SignalKind]> | ItemReadings<Values[SignalKind]>;

/** What a machine may report of one signal; what exceeds it is left out, and the last entry says how much. */
const MOST_ITEMS = 64;
export const MOST_NAMES = 500;
export const LONGEST_ITEM = 256;
const LONGEST_REASON = 300;

export const measured = <Value>(value: Value): Reading<Value> => ({ value });
export const missing = (reason: string): { missing: string } => ({ missing: reason });

/** Readings of all signals: those given, and for the others the reason that `why` gives. */
export function completeReadings(given: Partial<Readings>, why: (name: SignalName) => string): Readings {
  const all = blankReadings();
  let shared = missing('');
  for (const name of SIGNAL_NAMES) {
    const reading = given[name];
    if (reading !== undefined) all[name] = reading;
    else {
      const reason = why(name);
      // Most lack a value for the same reason as the one before.
      if (shared.missing !== reason) shared = missing(reason);
      all[name] = shared;
    }
  }
  return all as Readings;
}

const BLANK = Object.fromEntries(SIGNAL_NAMES.map((name) => [name, missing('not read')]));

/** Readings to be filled in. Copied, since an object made signal by signal costs several times as much, with every report and scan. */
export function blankReadings(): Record<SignalName, AnyReading> {
  return { ...BLANK } as Record<SignalName, AnyReading>;
}

/** The items that count, with their values, in their order; null when nothing was read. */
export function judgedItems<Value>(reading: ItemReadings<Value>): { item: string; value: Value }[] | null {
  if ('missing' in reading) return null;
  const found: { item: string; value: Value }[] = [];
  for (const each of reading.items) {
    if ('value' in each && each.setAside === undefined) found.push({ item: each.item, value: each.value });
  }
  return found;
}

/**
 * The reading with every value made possible: bounded in items, names and lengths, numbers rounded, and what cannot be
 * (a battery of 140 %, a negative count, a date that is none) missing with the reason.
 */
export function sanitisedReading(name: SignalName, reading: AnyReading): AnyReading {
  if ('missing' in reading)
    return reading.missing.length > LONGEST_REASON ? missing(shortened(reading.missing, LONGEST_REASON)) : reading;
  if (!('items' in reading)) return checkedValue(name, reading.value);
  return {
    items: itemsWithin(reading.items).map(({ item, setAside, ...rest }) => ({
      item: shortened(item, LONGEST_ITEM),
      ...(setAside !== undefined && { setAside: shortened(setAside, LONGEST_REASON) }),
      ...('value' in rest
        ? checkedValue(name, rest.value)
        : missing(shortened(rest.missing ?? 'no reason given', LONGEST_REASON))),
    })),
  };
}

function itemsWithin<Value>(items: ItemReading<Value>[]): ItemReading<Value>[] {
  if (items.length <= MOST_ITEMS) return items;
  const kept = items.slice(0, MOST_ITEMS - 1);
  const setAside = `only the first ${kept.length} of ${items.length} are kept`;
  return [...kept, { item: `and ${items.length - kept.length} more`, setAside, ...missing(setAside) }];
}

function namesWithin(names: string[]): string[] {
  if (names.length <= MOST_NAMES) return names;
  const kept = names.slice(0, MOST_NAMES - 1);
  return [...kept, `and ${names.length - kept.length} more`];
}

/** Counters that are read one after the other make shares a little beyond 0 and 100. */
const PCT_SLACK = 1;

function checkedValue(name: SignalName, value: Values[SignalKind]): Reading<Values[SignalKind]> {
  const { kind, unit, signed } = declarationOf(name);
  const { min, max, step, text } = UNITS[unit];
  switch (kind) {
    case 'number': {
      if (typeof value !== 'number' || !Number.isFinite(value)) return missing('what came is not a number');
      const lowest = signed ? -max : min;
      const slack = unit === 'pct' ? PCT_SLACK : 0;
      if (value < lowest - slack || value > max + slack) return missing(`${value}${text} is not possible`);
      return measured(Number((Math.round(Math.min(max, Math.max(lowest, value)) / step) * step).toFixed(3)));
    }
    case 'share': {
      if (!isShare(value)) return missing('what came is not a count of tries');
      const { count, of } = value;
      return count >= 0 && count <= of ? measured({ count, of }) : missing(`${count} of ${of} is not possible`);
    }
    case 'flag':
      return typeof value === 'boolean' ? measured(value) : missing('what came is neither yes nor no');
    case 'time':
      return value instanceof Date && !Number.isNaN(value.getTime())
        ? measured(value)
        : missing('what came is no date');
    case 'names':
      if (!Array.isArray(value)) return missing('what came is no list of names');
      return measured(namesWithin(value).map((each) => shortened(String(each), LONGEST_ITEM)));
  }
}

function isShare(value: unknown): value is Share {
  return (
    typeof value === 'object' &&
    value !== null &&
    'count' in value &&
    'of' in value &&
    Number.isSafeInteger(value.count) &&
    Number.isSafeInteger(value.of)
  );
}

function shortened(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}
