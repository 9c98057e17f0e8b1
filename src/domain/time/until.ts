/** Reads until when something shall last, as a person writes it: `tomorrow 9:00`, `Monday 9am`, `30m`, `until it clears`. */
import { readDuration } from './duration.ts';
import { type LocalTime, localTime, timestampOf } from './localTime.ts';
import { type Day, MORNING, readDate, readTimeOfDay, type TimeOfDay, weekdayIndex } from './timeWords.ts';

/** An end at a time, an end with the problem itself, or why the text could not be read. */
type Until = { kind: 'at'; at: Date } | { kind: 'cleared' } | { kind: 'unreadable'; reason: string };

const UNTIL_EXAMPLES = '"tomorrow 9:00", "Monday 9:00", "17:30", "2026-11-30 09:00", "30m", "4h" or "it clears"';

/**
 * A time of day alone is the next such time; a weekday alone, or any day without a time, means 9:00 of it.
 *
 * @param timeZone IANA name of the writer's zone; a timestamp with its own offset keeps that
 * @returns `at` is always later than `now`
 */
export function readUntil(text: string, now: Date, timeZone: string): Until {
  const written = text.trim().toLowerCase().replace(/\s+/g, ' ').replace(/[.!]$/, '');
  const phrase = written.replace(/^(?:(?:silence|snooze|quiet) )?(?:until|till|til|for|in) /, '');
  if (
    /^(?:until_clear|(?:it|this|that|they|the (?:alert|problem))? ?(?:is |are )?(?:clears?|cleared|ends?|over|resolved))$/.test(
      phrase,
    )
  )
    return { kind: 'cleared' };
  const duration = readDuration(phrase);
  const at = duration === null ? readTime(phrase, now, timeZone) : new Date(now.getTime() + duration);
  if (at === null || Number.isNaN(at.getTime()))
    return { kind: 'unreadable', reason: `"${text.trim().slice(0, 60)}" is not a time; write ${UNTIL_EXAMPLES}` };
  if (at <= now) return { kind: 'unreadable', reason: `"${text.trim().slice(0, 60)}" is in the past` };
  return { kind: 'at', at };
}

function readTime(phrase: string, now: Date, timeZone: string): Date | null {
  if (/^\d{4}-\d\d-\d\dt\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:z|[+-]\d\d:?\d\d)$/.test(phrase))
    return new Date(phrase.toUpperCase());
  const today = localTime(now, timeZone);
  const at = (day: Day, time: TimeOfDay) => timestampOf({ ...day, ...time }, timeZone);
  if (phrase === 'tonight') return at(today, { hour: 18, minute: 0 });

  const alone = readTimeOfDay(phrase);
  if (alone) {
    const next = at(today, alone);
    return next > now ? next : at({ ...today, day: today.day + 1 }, alone);
  }
  for (const { day, rest } of datesIn(phrase, today)) {
    const time = rest === '' ? MORNING : readTimeOfDay(rest);
    if (!time) continue;
    const first = at(day.next, time);
    return first > now || !day.repeatsAfterDays
      ? first
      : at({ ...day.next, day: day.next.day + day.repeatsAfterDays }, time);
  }
  return null;
}

interface DatePart {
  /** The day, and after how many days it comes again where it has passed by its time of day. */
  day: { next: Day; repeatsAfterDays: number | null };
  /** What is left of the phrase: a time of day, or nothing. */
  rest: string;
}

/** The date that a phrase begins or ends with. */
function datesIn(phrase: string, today: LocalTime): DatePart[] {
  const found: DatePart[] = [];
  const words = phrase.split(/(?:,? )|t(?=\d\d:)/);
  for (let length = Math.min(4, words.length); length > 0; length--) {
    const lead = readDay(words.slice(0, length).join(' '), today);
    if (lead) found.push({ day: lead, rest: words.slice(length).join(' ') });
    const tail = readDay(words.slice(-length).join(' '), today);
    if (tail) found.push({ day: tail, rest: words.slice(0, -length).join(' ') });
  }
  return found;
}

function readDay(text: string, today: LocalTime): DatePart['day'] | null {
  const once = (next: Day) => ({ next, repeatsAfterDays: null });
  const inDays = (days: number): Day => ({ year: today.year, month: today.month, day: today.day + days });
  if (text === 'today' || text === 'this') return once(inDays(0));
  if (text === 'tomorrow') return once(inDays(1));
  if (text === 'the day after tomorrow' || text === 'day after tomorrow') return once(inDays(2));
  if (text === 'next week') return once(inDays((8 - today.weekday) % 7 || 7));

  const weekday = /^(?:(on|this|next|coming) )?([a-z]{3,9})$/.exec(text);
  const index = weekday ? weekdayIndex(weekday[2] as string) : -1;
  if (index >= 0) {
    const ahead = (index - today.weekday + 7) % 7;
    return weekday?.[1] === 'next' && ahead === 0 ? once(inDays(7)) : { next: inDays(ahead), repeatsAfterDays: 7 };
  }
  const date = readDate(text);
  if (!date) return null;
  // A date without a year that has passed is the next year's.
  const isPast = date.year === null && (date.month - today.month || date.day - today.day) < 0;
  return once({ ...date, year: (date.year ?? today.year) + (isPast ? 1 : 0) });
}
