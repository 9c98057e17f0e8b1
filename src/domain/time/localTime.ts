/** Time as a person's clock shows it: conversion between timestamps and local times of IANA time zones, daylight saving included. */

/** A local date and time of day; `month` is 1–12, `weekday` 0 (Sunday) to 6. */
export interface LocalTime {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  weekday: number;
}

export const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'] as const;

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  // Names differ in case only within one zone, so that no input makes the map grow without end.
  const key = timeZone.toLowerCase();
  const known = formats.get(key);
  if (known) return known;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });
  formats.set(key, format);
  return format;
}

/** Whether there is a time zone of this IANA name (`Europe/Berlin`, `UTC`). */
export function isTimeZone(name: string): boolean {
  try {
    formatOf(name);
    return true;
  } catch {
    return false;
  }
}

/** @param timeZone an IANA name that `isTimeZone` knows; throws RangeError for any other */
export function localTime(at: Date, timeZone: string): LocalTime {
  const shown = new Date(at.getTime() + keptOffsetMs(at, timeZone));
  return {
    year: shown.getUTCFullYear(),
    month: shown.getUTCMonth() + 1,
    day: shown.getUTCDate(),
    hour: shown.getUTCHours(),
    minute: shown.getUTCMinutes(),
    weekday: shown.getUTCDay(),
  };
}

/** Clocks have been set forward and back at quarters of an hour only. Milliseconds. */
const QUARTER_MS = 15 * 60_000;

/** Asking the formatter costs more than everything else that a report's judgement does, and reports come within minutes of each other. */
const offsets = new Map<string, number>();
const MOST_OFFSETS = 1000;

/** The zone's distance from UTC. Milliseconds. */
function keptOffsetMs(at: Date, timeZone: string): number {
  const quarter = Math.floor(at.getTime() / QUARTER_MS);
  const key = `${timeZone} ${quarter}`;
  const known = offsets.get(key);
  if (known !== undefined) return known;
  const offset = formattedMs(new Date(quarter * QUARTER_MS), timeZone) - quarter * QUARTER_MS;
  if (offsets.size >= MOST_OFFSETS) offsets.clear();
  offsets.set(key, offset);
  return offset;
}

/** What a clock of the zone shows, as if it were UTC. Milliseconds since 1970. */
function formattedMs(at: Date, timeZone: string): number {
  const parts = new Map(
    formatOf(timeZone)
      .formatToParts(at)
      .map(({ type, value }) => [type as string, Number(value)]),
  );
  const part = (name: string) => parts.get(name) ?? 0;
  return Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'));
}

/**
 * The timestamp at which a clock of the zone shows this time. A day past the end of its month is counted on. Of a time that a clock
 * shows twice, the first; a time that a clock leaps over counts as the one an hour later.
 */
export function timestampOf(local: Omit<LocalTime, 'weekday'>, timeZone: string): Date {
  const wanted = Date.UTC(local.year, local.month - 1, local.day, local.hour, local.minute);
  // The zone's distance from UTC before and after the day: they differ where daylight saving begins or ends.
  const [before, after] = [-DAY_MS, DAY_MS].map((ms) => keptOffsetMs(new Date(wanted + ms), timeZone)) as [
    number,
    number,
  ];
  const candidates = [wanted - before, wanted - after].filter(
    (ms) => ms + keptOffsetMs(new Date(ms), timeZone) === wanted,
  );
  return new Date(candidates.length > 0 ? Math.min(...candidates) : wanted - before);
}

const DAY_MS = 86_400_000;

/** A time as people read it: `Mon 2026-11-30 09:00 Europe/Berlin`. */
export function timeText(at: Date, timeZone: string): string {
  const { year, month, day, hour, minute, weekday } = localTime(at, timeZone);
  const two = (value: number) => String(value).padStart(2, '0');
  const name = WEEKDAYS[weekday] as string;
  return `${name[0]?.toUpperCase()}${name.slice(1, 3)} ${year}-${two(month)}-${two(day)} ${two(hour)}:${two(minute)} ${timeZone}`;
}
