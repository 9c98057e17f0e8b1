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
    .max(100)
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
  /** For people: `until Mon 2026-11-30 09:00 Europe/Berlin (2026-11-30 08:00 UTC)`. */
  text: string;
}

/** @throws AppError `invalid` when `until` is no time, has passed, or is too near or too far */
export function readSilence(wish: Wish, actor: Actor, settings: Pick<Settings, 'timeZone'>, now: Date): Silence {
  const timeZone = wish.time_zone ?? actor.timeZone ?? settings.timeZone;
  const clears = { until: null, how: 'until it clears', text: 'until the problem clears' };
  if (wish.until_clear) return clears;
  if (wish.until === undefined) {
    const hours = wish.hours ?? 4;
    const until = new Date(now.getTime() + hours * HOUR_MS);
    return { until, how: `for ${hours} h`, text: `until ${localText(until, timeZone)}` };
  }
  const read = readUntil(wish.until, now, timeZone);
  if (read.kind === 'cleared') return clears;
  if (read.kind === 'unreadable') throw new AppError('invalid', `until: ${read.reason}.`);
  const hours = (read.at.getTime() - now.getTime()) / HOUR_MS;
  const at = localText(read.at, timeZone);
  if (hours < MIN_HOURS || hours > MAX_HOURS) {
    throw new AppError(
      'invalid',
      `until: ${at} is ${hours < MIN_HOURS ? 'less than 15 minutes' : 'more than 7 days'} away; alerts are silenced for 15 minutes to 7 days, or until it clears.`,
    );
  }
  return { until: read.at, how: `until ${at}`, text: `until ${at}` };
}
