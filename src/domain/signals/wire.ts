/** Readings as JSON, by the signals' wire names: what agents send, stores keep and interfaces answer. */
import { declarationOf, SIGNAL_NAMES, type SignalName, signalOfWireName, wireName } from './catalogue.ts';
import {
  type AnyReading,
  completeReadings,
  type ItemReading,
  missing,
  type Reading,
  type Readings,
  sanitisedReading,
} from './reading.ts';

/** A value as JSON: a moment is ISO 8601 in UTC. */
type WireValue = number | boolean | string | string[] | { count: number; of: number };
type WireSingle = { value: WireValue } | { missing: string };
type WireReading = WireSingle | { items: ({ item: string; set_aside?: string } & WireSingle)[] };
export type WireReadings = Record<string, WireReading>;

/** All readings, or those with a value only. */
export function readingsToWire(readings: Readings, which: 'all' | 'measured' = 'all'): WireReadings {
  const wire: WireReadings = {};
  for (const name of SIGNAL_NAMES) {
    const reading: AnyReading = readings[name];
    if (which === 'all' || !('missing' in reading)) wire[wireName(name)] = toWire(reading);
  }
  return wire;
}

function toWire(reading: AnyReading): WireReading {
  if (!('items' in reading)) return single(reading);
  return {
    items: reading.items.map(({ item, setAside, ...rest }) => ({
      item,
      ...(setAside !== undefined && { set_aside: setAside }),
      ...single(rest as Reading<unknown>),
    })),
  };
}

function single(reading: Reading<unknown>): WireSingle {
  if ('missing' in reading) return reading;
  const { value } = reading;
  return { value: value instanceof Date ? value.toISOString() : (value as WireValue) };
}

/**
 * Readings from JSON of any origin. What is malformed or impossible is missing with the reason and costs nothing else;
 * names that are not in the catalogue are counted.
 */
export function readingsFromWire(
  wire: Readonly<Record<string, unknown>>,
  why: (name: SignalName) => string,
): { readings: Readings; ignored: number } {
  const given: Partial<Record<SignalName, AnyReading>> = {};
  let ignored = 0;
  for (const [key, value] of Object.entries(wire)) {
    const name = signalOfWireName(key);
    if (name === undefined) ignored++;
    else given[name] = sanitisedReading(name, fromWire(name, value));
  }
  return { readings: completeReadings(given as Partial<Readings>, why), ignored };
}

function fromWire(name: SignalName, wire: unknown): AnyReading {
  if (!isRecord(wire)) return missing('what came is no reading');
  if (declarationOf(name).per === 'machine') return singleFrom(name, wire);
  if (typeof wire.missing === 'string') return missing(wire.missing);
  if (!Array.isArray(wire.items)) return missing('what came is no list of items');
  const items = wire.items.flatMap((each): ItemReading<never>[] => {
    if (!isRecord(each) || typeof each.item !== 'string') return [];
    const setAside = typeof each.set_aside === 'string' ? { setAside: each.set_aside } : {};
    return [{ item: each.item, ...setAside, ...(singleFrom(name, each) as Reading<never>) }];
  });
  return { items };
}

function singleFrom(name: SignalName, wire: Record<string, unknown>): Reading<never> {
  if (typeof wire.missing === 'string') return missing(wire.missing);
  if (wire.value === undefined) return missing('what came has no value');
  const isTime = declarationOf(name).kind === 'time' && typeof wire.value === 'string';
  return { value: (isTime ? new Date(wire.value as string) : wire.value) as never };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
