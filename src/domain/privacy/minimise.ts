/** What is left of a snapshot where people are not to be recognised: nothing that tells what they do, when exactly, or on which device. */
import { declarationOf, SIGNAL_NAMES, type SignalName } from '../signals/catalogue.ts';
import { type AnyReading, missing, type Readings } from '../signals/reading.ts';
import type { Snapshot } from '../signals/telemetry.ts';
import { commonNames } from './partNames.ts';

/** How people are shown: by name, or by pseudonyms that only the service can resolve. */
export const PRIVACY_MODES = ['named', 'pseudonymous'] as const;

/** A part of the day: night, morning, afternoon, evening. Milliseconds. */
const PART_OF_DAY_MS = 6 * 3_600_000;

/** The beginning of the part of the day, in UTC, in which a timestamp lies. */
export function partOfDay(at: Date): Date {
  return new Date(Math.floor(at.getTime() / PART_OF_DAY_MS) * PART_OF_DAY_MS);
}

const NOT_COLLECTED = 'not collected, because it would tell something about the person at the machine';

/** Without the personal signals, with times no finer than a part of the day, and with names of parts that many machines share. */
export function minimised(snapshot: Snapshot): Snapshot {
  const readings = SIGNAL_NAMES.map((name): [SignalName, AnyReading] => [
    name,
    minimisedReading(name, snapshot.readings[name]),
  ]);
  return { ...snapshot, readings: Object.fromEntries(readings) as unknown as Readings };
}

function minimisedReading(name: SignalName, reading: AnyReading): AnyReading {
  const { personal, kind, per } = declarationOf(name);
  if ('missing' in reading) return reading;
  if (personal) return missing(NOT_COLLECTED);
  if ('items' in reading) {
    const names = commonNames(
      per,
      reading.items.map(({ item }) => item),
    );
    return { items: reading.items.map((each, at) => ({ ...each, item: names[at] as string })) };
  }
  return kind === 'time' ? { value: partOfDay(reading.value as Date) } : reading;
}
