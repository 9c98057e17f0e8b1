/** When and where people are at work, so that the survey may ask them whenever the demo runs. */
import { isWorkingTime } from '../../src/domain/people/survey.ts';

const DAY_MS = 86_400_000;
const TIME_ZONES = [
  'Europe/Berlin',
  'America/New_York',
  'America/Los_Angeles',
  'Asia/Kolkata',
  'Asia/Tokyo',
  'Australia/Sydney',
  'Pacific/Honolulu',
];

/** Now, in a time zone where people are at work; on a weekend the nearest such moment before. */
export function workingMoment(now: Date): { timeZone: string; behindMs: number } {
  for (let behindMs = 0; behindMs <= 3 * DAY_MS; behindMs += DAY_MS) {
    const timeZone = TIME_ZONES.find((zone) => isWorkingTime(new Date(now.getTime() - behindMs), zone));
    if (timeZone) return { timeZone, behindMs };
  }
  throw new Error('nobody is at work in three days');
}
