/** Reads until when something shall last, as a person writes it: `tomorrow 9:00`, `Monday 9am`, `30m`, `until it clears`. */
import { readDuration } from './duration.ts';
import { type LocalTime, localTime, timestampOf, WEEKDAYS } from './localTime.ts';

/** An end at a time, an end with the problem itself, or why the text could not be read. */
type Until = { kind: 'at'; at: Date } | { kind: 'cleared' } | { kind: 'unreadable'; reason: string };

/** When a working day begins: what a day without a time of day means. */
const MORNING: TimeOfDay = { hour: 9, minute: 0 };

const NAMED_TIMES: Record<string, TimeOfDay> = {
  morning: MORNING,
  'the morning': MORNING,
  noon: { hour: 12, minute: 0 },
  midday: { hour: 12, minute: 0 },
  afternoon: { hour: 13, minute: 0 },
  evening: { hour: 18, minute: 0 },
  midnight: { hour: 24, minute: 0 },
};

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

const UNTIL_EXAMPLES = '"tomorrow 9:00", "Monday 9:00", "17:30", "2026-11-30 09:00", "30m", "4h" or "it clears"';

type TimeOfDay = Pick<LocalTime, 'hour' | 'minute'>;
type Day = Pick<LocalTime, 'year' | 'month' | 'day'>;

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
  const index = weekday ? WEEKDAYS.findIndex((name) => isNameOf(name, weekday[2] as string)) : -1;
  if (index >= 0) {
    const ahead = (index - today.weekday + 7) % 7;
    return weekday?.[1] === 'next' && ahead === 0 ? once(inDays(7)) : { next: inDays(ahead), repeatsAfterDays: 7 };
  }
  return readDate(text, today);
}

/** `2026-11-30`, `30 Nov`, `November 30 2026`, `30.11.2026`, `30.11.` */
function readDate(text: string, today: LocalTime): DatePart['day'] | null {
  const iso = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text);
  const dotted = /^(\d{1,2})\.(\d{1,2})\.(\d{4})?$/.exec(text);
  const dayFirst = /^(\d{1,2})(?:st|nd|rd|th)?\.? ([a-z]{3,9})\.?(?: (\d{4}))?$/.exec(text);
  const monthFirst = /^([a-z]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?(?: (\d{4}))?$/.exec(text);
  const month = (name: string | undefined) => MONTHS.indexOf((name ?? '').slice(0, 3)) + 1;
  const [year, number, day] = iso
    ? [iso[1], Number(iso[2]), iso[3]]
    : dotted
      ? [dotted[3], Number(dotted[2]), dotted[1]]
      : dayFirst
        ? [dayFirst[3], month(dayFirst[2]), dayFirst[1]]
        : monthFirst
          ? [monthFirst[3], month(monthFirst[1]), monthFirst[2]]
          : [undefined, 0, undefined];
  const date = { year: Number(year ?? today.year), month: number, day: Number(day) };
  if (!isDate(date)) return null;
  // A date without a year that has passed is the next year's.
  const isPast = year === undefined && (date.month - today.month || date.day - today.day) < 0;
  return { next: isPast ? { ...date, year: date.year + 1 } : date, repeatsAfterDays: null };
}

function isDate({ year, month, day }: Day): boolean {
  const date = new Date(Date.UTC(year, month - 1, day));
  return month >= 1 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

function isNameOf(name: string, written: string): boolean {
  return written === name || (written.length >= 3 && name.startsWith(written));
}

function readTimeOfDay(text: string): TimeOfDay | null {
  const written = text.replace(/^(?:at|in|by) /, '').replace(/ (?:o'clock|uhr)$/, ':00');
  const named = NAMED_TIMES[written];
  if (named) return named;
  const clock = /^(\d{1,2})(?:[:.h](\d\d))?(?::\d\d)? ?(am|pm)?$/.exec(written);
  if (!clock) return null;
  const [, hours, minutes, half] = clock;
  // A bare number is no time of day: "until 4" may be hours or four o'clock.
  if (minutes === undefined && half === undefined) return null;
  const hour = Number(hours);
  const minute = Number(minutes ?? 0);
  if (minute > 59 || (half ? hour < 1 || hour > 12 : hour > 24 || (hour === 24 && minute > 0))) return null;
  return { hour: half ? (hour % 12) + (half === 'pm' ? 12 : 0) : hour, minute };
}
