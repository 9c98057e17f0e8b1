/** How long alerts are silenced: hours, a time on the clock of whoever asks, or until the problem clears. */
import { z } from 'zod';
import { isTimeZone } from '../../domain/time/localTime.ts';
import { readUntil } from '../../domain/time/until.ts';
import type { Actor } from '../actor.ts';
import { localText } from '../characters.ts';
import { AppError } from '../errors.ts';
import type { Settings } from '../ports/ports.ts';

/** The guide's window: from 15 minutes to 7 days. */
const MIN_HOURS = 0.25;
const MAX_HOURS = 168;
const HOUR_MS = 3_600_000;

/** How long, in whatever way somebody says it. */
export const silenceInput = {
  hours: z.coerce.number().min(MIN_HOURS).max(MAX_HOURS).default(4).describe('Hours of the snooze'),
  until: z
    .string()
    .trim()
    .min(1)
    .max(600)
    .optional()
    .describe('Instead: "tomorrow 9:00", "Monday 9:00", "30m" or "it clears"'),
  until_clear: z
    .union([z.boolean(), z.stringbool()])
    .default(false)
    .meta({ description: 'Snoozed for as long as the problem holds, whatever hours says', forPrograms: true }),
  time_zone: z
    .string()
    .max(64)
    .refine(isTimeZone, 'must be a time zone as Europe/Berlin')
    .optional()
    .describe("The person's, as Europe/Berlin, for until"),
};

type Wish = { [Field in keyof typeof silenceInput]?: z.output<(typeof silenceInput)[Field]> };

interface Silence {
  /** Null for as long as the problem holds. */
  until: Date | null;
  /** For the timeline: `for 4 h`. */
  how: string;
  /** What was written after the time, as why; null without. */
  rest: string | null;
  /** For people: `until Mon 2026-11-30 09:00 Europe/Berlin (2026-11-30 08:00 UTC)`. */
  text: string;
}

/** @throws AppError `invalid` when `until` is no time, has passed, or is too near or too far */
export function readSilence(wish: Wish, actor: Actor, settings: Pick<Settings, 'timeZone'>, now: Date): Silence {
  const timeZone = wish.time_zone ?? actor.timeZone ?? settings.timeZone;
  const clears = { until: null, how: 'until it clears', text: 'until the problem clears' };
  if (wish.until_clear) return { ...clears, rest: null };
  const bare = /^(?:for )?(\d+(?:\.\d+)?)(?: (.*))?$/s.exec(wish.until ?? '');
  const whole = wish.until === undefined ? null : readLeading(wish.until, now, timeZone);
  // A number by itself is hours, as it always was.
  if (whole === null || (bare && whole.read.kind === 'unreadable')) {
    const hours = bare ? Number(bare[1]) : (wish.hours ?? 4);
    if (hours < MIN_HOURS || hours > MAX_HOURS) throw tooNearOrFar(`${hours} hours`, hours);
    const until = new Date(now.getTime() + hours * HOUR_MS);
    return { until, how: `for ${hours} h`, text: `until ${localText(until, timeZone)}`, rest: bare?.[2] ?? null };
  }
  const { read, rest } = whole;
  if (read.kind === 'cleared') return { ...clears, rest };
  if (read.kind === 'unreadable') throw new AppError('invalid', `until: ${read.reason}.`);
  const hours = (read.at.getTime() - now.getTime()) / HOUR_MS;
  const at = localText(read.at, timeZone);
  if (hours < MIN_HOURS || hours > MAX_HOURS) throw tooNearOrFar(at, hours);
  return { until: read.at, how: `until ${at}`, text: `until ${at}`, rest };
}

/** The longest beginning that is a time, and what follows it: `tomorrow 9:00 waits for the new disk`. */
function readLeading(
  text: string,
  now: Date,
  timeZone: string,
): { read: ReturnType<typeof readUntil>; rest: string | null } {
  const words = text.trim().split(/\s+/);
  const whole = readUntil(text, now, timeZone);
  if (whole.kind !== 'unreadable') return { read: whole, rest: null };
  for (let length = Math.min(words.length - 1, MOST_TIME_WORDS); length > 0; length--) {
    const read = readUntil(words.slice(0, length).join(' '), now, timeZone);
    if (read.kind !== 'unreadable') return { read, rest: words.slice(length).join(' ') };
  }
  return { read: whole, rest: null };
}

/** `until the day after tomorrow at 9:00 am` and a little more. */
const MOST_TIME_WORDS = 8;

function tooNearOrFar(what: string, hours: number): AppError {
  const how = hours < MIN_HOURS ? 'less than 15 minutes' : 'more than 7 days';
  return new AppError(
    'invalid',
    `until: ${what} is ${how} away; alerts are silenced for 15 minutes to 7 days, or until it clears.`,
  );
}
