/** What an owner is offered for a problem of their own machine, and the way it goes from the offer to its end. */
import { localTime, timestampOf } from '../time/localTime.ts';

/**
 * `preparing`: the dry run of the offer is under way. `asking`: a rescan or IT found it over, and the owner's
 * word is missing. `escalated`: IT was asked; `taken`: somebody there has it. */
export const OWNER_REMEDY_STATUSES = [
  'preparing',
  'offered',
  'scheduled',
  'running',
  'checking',
  'asking',
  'still_there',
  'fixed',
  'declined',
  'escalated',
  'taken',
  'over',
] as const;
export type OwnerRemedyStatus = (typeof OWNER_REMEDY_STATUSES)[number];

/** Those in which the service has something to do or to wait for. */
export const WATCHED_REMEDY_STATUSES: readonly OwnerRemedyStatus[] = [
  'preparing',
  'offered',
  'scheduled',
  'running',
  'checking',
  'asking',
  'still_there',
  'escalated',
  'taken',
];

/** The alert that a person's report raises. */
export const REPORTED_PROBLEM = 'ReportedProblem';

/** What an owner can answer: run it now or in the evening, leave it, "I did it", both ends, and a call for IT. */
export const REMEDY_ANSWERS = ['now', 'tonight', 'not_now', 'done', 'fixed', 'not_fixed', 'help'] as const;
export type RemedyAnswer = (typeof REMEDY_ANSWERS)[number];

/** Where each answer counts; elsewhere it came too late or too early. */
export const ANSWERABLE_IN: Readonly<Record<RemedyAnswer, readonly OwnerRemedyStatus[]>> = {
  now: ['offered', 'scheduled', 'still_there'],
  tonight: ['offered', 'still_there'],
  not_now: ['offered', 'scheduled', 'still_there'],
  done: ['offered', 'still_there', 'declined'],
  fixed: ['asking'],
  not_fixed: ['asking'],
  help: ['offered', 'scheduled', 'checking', 'still_there', 'declined'],
};

/** Texts for the owner, in an employee's words. */
export interface OwnerText {
  title: string;
  /** What it means for their work. */
  means: string;
  /** What they can safely do themselves. */
  advice: string;
  /** What the button says that runs the playbook. */
  run?: string | undefined;
}

/** An owner is told of the same problem of a machine again after this; milliseconds. */
export const SAME_PROBLEM_AGAIN_AFTER_MS = 7 * 86_400_000;

/** A problem has to last so long: a passing one is no owner's business, and self-healing comes first. Milliseconds. */
export const OFFER_AFTER_MS = 10 * 60_000;

/** A dry run that takes longer is not waited for, and its playbook is not offered. Milliseconds. */
export const PREVIEW_WITHIN_MS = 10 * 60_000;

/** The hour after work at which a playbook may run unattended. */
const EVENING_HOUR = 18;

/** The next evening of the owner: today's while it lies ahead. */
export function nextEvening(now: Date, timeZone: string): Date {
  const { year, month, day } = localTime(now, timeZone);
  const today = timestampOf({ year, month, day, hour: EVENING_HOUR, minute: 0 }, timeZone);
  return today > now ? today : timestampOf({ year, month, day: day + 1, hour: EVENING_HOUR, minute: 0 }, timeZone);
}

/** The day that a clock of the zone shows, `2026-03-02`. */
export function localDay(at: Date, timeZone: string): string {
  const { year, month, day } = localTime(at, timeZone);
  return `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
}

/** What a dry run found, in a sentence for the owner; null when there is nothing to do. */
export function previewText(stats: Readonly<Record<string, unknown>>, changed: readonly string[]): string | null {
  const { files, listed_bytes: bytes } = stats;
  if (typeof files === 'number' || typeof bytes === 'number') {
    if (!files && !bytes) return null;
    const what = typeof files === 'number' ? `${files} file${files === 1 ? '' : 's'}` : 'files';
    return `It would remove ${what}${typeof bytes === 'number' ? ` and free ${sizeText(bytes)}` : ''}.`;
  }
  return changed.length === 0 ? null : `It would: ${changed.slice(0, 3).join('; ')}.`;
}

function sizeText(bytes: number): string {
  const [unit, size] = bytes >= 1e9 ? ['GB', 1e9] : ['MB', 1e6];
  return `${Math.max(0.1, Math.round((bytes / Number(size)) * 10) / 10)} ${unit}`;
}
