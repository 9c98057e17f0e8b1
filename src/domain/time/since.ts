/** Reads since when, as a person writes it: `yesterday`, `Monday`, `last week`, `2 days ago`, `9:00`, `2026-11-30`. */
import { readDuration } from './duration.ts';
import { localTime, timestampOf } from './localTime.ts';
import { type Day, readDate, readTimeOfDay, type TimeOfDay, weekdayIndex } from './timeWords.ts';

const SINCE_EXAMPLES = '"yesterday", "Monday", "last week", "2 days", "9:00" or "2026-11-30"';

type Since = { kind: 'at'; at: Date } | { kind: 'unreadable'; reason: string };

/**
 * A day alone means its beginning, a weekday or a time of day the last one that has passed, a week its Monday.
 *
 * @param timeZone IANA name of the writer's zone; a timestamp with its own offset keeps that
 * @returns `at` is not before 1970, and later than `now` only for a timestamp that says so
 */
export function readSince(text: string, now: Date, timeZone: string): Since {
  const written = `"${text.trim().slice(0, 60)}"`;
  const phrase = text.trim().toLowerCase().replace(/\s+/g, ' ').replace(/[.!]$/, '');
  const at = readPast(phrase.replace(/^(?:since|from|in|within|for|over|during) /, ''), now, timeZone);
  if (at === null || Number.isNaN(at.getTime()))
    return { kind: 'unreadable', reason: `${written} is not a time; write ${SINCE_EXAMPLES}` };
  if (at.getTime() < 0) return { kind: 'unreadable', reason: `${written} must be a time from 1970 on` };
  return { kind: 'at', at };
}

function readPast(phrase: string, now: Date, timeZone: string): Date | null {
  if (/^\d{4}-\d\d-\d\dt\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:z|[+-]\d\d:?\d\d)$/.test(phrase))
    return new Date(phrase.toUpperCase());
  const lasting = phrase.replace(/^(?:the )?(?:last|past|previous) /, '').replace(/ ago$/, '');
  const duration = readDuration(lasting) ?? (/^(?:hour|day|24h)$/.test(lasting) ? readDuration(`1 ${lasting}`) : null);
  if (duration !== null) return new Date(now.getTime() - duration);

  const today = localTime(now, timeZone);
  const at = (day: Day, { hour, minute }: TimeOfDay = { hour: 0, minute: 0 }) =>
    timestampOf({ year: day.year, month: day.month, day: day.day, hour, minute }, timeZone);
  const weeksAgo = (weeks: number) => at({ ...today, day: today.day - ((today.weekday + 6) % 7) - 7 * weeks });
  if (/^(?:the )?(?:last|past|previous) week$/.test(phrase)) return weeksAgo(1);
  if (/^(?:this|the) week$/.test(phrase)) return weeksAgo(0);
  if (/^(?:the )?(?:last|past|previous) month$/.test(phrase)) return at({ ...today, month: today.month - 1, day: 1 });
  if (/^(?:this|the) month$/.test(phrase)) return at({ ...today, day: 1 });
  if (phrase === 'last night') return at({ ...today, day: today.day - 1 }, { hour: 18, minute: 0 });

  const alone = readTimeOfDay(phrase.replace(/^this /, ''));
  if (alone) return latest((daysAgo) => at({ ...today, day: today.day - daysAgo }, alone), 1, now);

  const words = phrase.split(/(?:,? )|t(?=\d\d:)/);
  for (let length = Math.min(5, words.length); length > 0; length--) {
    const day = readPastDay(words.slice(0, length).join(' '), today);
    const rest = words.slice(length).join(' ');
    const time = rest === '' ? { hour: 0, minute: 0 } : readTimeOfDay(rest);
    if (day && time) return latest((times) => at(day(times), time), 1, now);
  }
  return null;
}

/** The newest of a date that comes again which is not ahead; null when all are. */
function latest(nth: (times: number) => Date, most: number, now: Date): Date | null {
  for (let times = 0; times <= most; times++) if (nth(times) <= now) return nth(times);
  return null;
}

/** @returns the day, and how it lies further back by that many of its cycles */
function readPastDay(text: string, today: Day & { weekday: number }): ((times: number) => Day) | null {
  const daysAgo = (days: number) => ({ year: today.year, month: today.month, day: today.day - days });
  if (text === 'today') return () => daysAgo(0);
  if (text === 'yesterday') return () => daysAgo(1);
  if (text === 'the day before yesterday' || text === 'day before yesterday') return () => daysAgo(2);
  const weekday = /^(?:(?:on|last|this|past) )?([a-z]{3,9})$/.exec(text);
  const index = weekday ? weekdayIndex(weekday[1] as string) : -1;
  if (index >= 0) {
    const back = (today.weekday - index + 7) % 7;
    return (times) => daysAgo((text.startsWith('last ') && back === 0 ? 7 : back) + 7 * times);
  }
  const date = readDate(text);
  if (!date) return null;
  return (times) => ({ ...date, year: (date.year ?? today.year) - (date.year === null ? times : 0) });
}
