/** Words for dates and times of day that times ahead and times past have in common. */
import { type LocalTime, WEEKDAYS } from './localTime.ts';

export type TimeOfDay = Pick<LocalTime, 'hour' | 'minute'>;
export type Day = Pick<LocalTime, 'year' | 'month' | 'day'>;

/** When a working day begins: what a day without a time of day means. */
export const MORNING: TimeOfDay = { hour: 9, minute: 0 };

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

/** A date whose year may be left to the reader. */
interface WrittenDate extends Omit<Day, 'year'> {
  year: number | null;
}

/** `2026-11-30`, `30 Nov`, `November 30 2026`, `30.11.2026`, `30.11.`; null for anything else */
export function readDate(text: string): WrittenDate | null {
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
  const date = { year: year === undefined ? null : Number(year), month: number, day: Number(day) };
  return isDate(date) ? date : null;
}

/** A date without a year may be the 29th of February. */
function isDate({ year, month, day }: WrittenDate): boolean {
  const date = new Date(Date.UTC(year ?? 2000, month - 1, day));
  return month >= 1 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

/** The weekday that a name or its first three letters or more say, 0 for Sunday; -1 for none. */
export function weekdayIndex(written: string): number {
  return WEEKDAYS.findIndex((name) => written === name || (written.length >= 3 && name.startsWith(written)));
}

/** `9:00`, `at 5 pm`, `noon`; null for a bare number, which may be hours or a time of day. */
export function readTimeOfDay(text: string): TimeOfDay | null {
  const written = text.replace(/^(?:at|in|by) /, '').replace(/ (?:o'clock|uhr)$/, ':00');
  const named = NAMED_TIMES[written];
  if (named) return named;
  const clock = /^(\d{1,2})(?:[:.h](\d\d))?(?::\d\d)? ?(am|pm)?$/.exec(written);
  if (!clock) return null;
  const [, hours, minutes, half] = clock;
  if (minutes === undefined && half === undefined) return null;
  const hour = Number(hours);
  const minute = Number(minutes ?? 0);
  if (minute > 59 || (half ? hour < 1 || hour > 12 : hour > 24 || (hour === 24 && minute > 0))) return null;
  return { hour: half ? (hour % 12) + (half === 'pm' ? 12 : 0) : hour, minute };
}
