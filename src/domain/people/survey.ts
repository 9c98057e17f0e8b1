/** The employees' survey: who may be asked, when it is polite to ask, and when it is over. */
import { isTimeZone, localTime } from '../time/localTime.ts';

export const SURVEY_STATUSES = ['open', 'closed'] as const;

export interface Survey {
  id: number;
  question: string;
  status: (typeof SURVEY_STATUSES)[number];
  startedBy: string;
  startedAt: Date;
  endsAt: Date;
  closedAt: Date | null;
  /** Chosen to be asked. */
  invited: number;
  answered: number;
}

export const INVITATION_STATES = ['waiting', 'asked', 'unreachable'] as const;

/** That somebody is asked; never what was answered, nor in the end whether. */
export interface Invitation {
  id: number;
  surveyId: number;
  email: string;
  state: (typeof INVITATION_STATES)[number];
  /** IANA name; null until the person was looked up. */
  timeZone: string | null;
  askedAt: Date | null;
  remindedAt: Date | null;
}

const DAY_MS = 86_400_000;

/** Nobody is asked again sooner. Milliseconds. */
export const ASK_AGAIN_AFTER_MS = 30 * DAY_MS;

/** Everyday working hours where the person is; from the first up to the second. */
const WORK_BEGINS_HOUR = 9;
const WORK_ENDS_HOUR = 17;

/** @param timeZone IANA name; one that nobody knows counts as UTC */
export function isWorkingTime(now: Date, timeZone: string): boolean {
  const { weekday, hour } = localTime(now, isTimeZone(timeZone) ? timeZone : 'UTC');
  return weekday !== SUNDAY && weekday !== SATURDAY && hour >= WORK_BEGINS_HOUR && hour < WORK_ENDS_HOUR;
}

const [SUNDAY, SATURDAY] = [0, 6];

/**
 * People are reminded once, when half of the time between being asked and the end has passed.
 *
 * @returns who was asked then or earlier is due
 */
export function remindThoseAskedBy(now: Date, endsAt: Date): Date {
  return new Date(2 * now.getTime() - endsAt.getTime());
}

/**
 * A random order of which the first share is taken, at least one.
 *
 * @param sharePct 1–100
 * @param random each call a number from 0 up to 1
 */
export function sample<T>(items: readonly T[], sharePct: number, random: () => number): T[] {
  const shuffled = [...items];
  for (let last = shuffled.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [shuffled[last], shuffled[other]] = [shuffled[other]!, shuffled[last]!];
  }
  return shuffled.slice(0, Math.ceil((items.length * sharePct) / 100));
}

/** A day in UTC, `2026-03-02`: as exact as feedback is ever dated. */
export function dayOf(at: Date): string {
  return at.toISOString().slice(0, 10);
}
