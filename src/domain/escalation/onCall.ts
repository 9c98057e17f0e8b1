/** Who is on call: people take turns by the local calendar, and an override puts somebody in their place for a while. */
import { type LocalTime, localTime, timestampOf } from '../time/localTime.ts';
import type { Person } from './target.ts';

export interface Rotation {
  name: string;
  /** In the order of their turns; at least one. */
  people: readonly Person[];
  /** When the first of them begins, on the clock of the rotation's zone. */
  start: Omit<LocalTime, 'weekday'>;
  /** A turn by the wall clock, so that it ends at the same time of day all year. Minutes. */
  shiftMinutes: number;
}

export interface OnCallOverride {
  id: string;
  rotation: string;
  person: Person;
  from: Date;
  until: Date;
  /** Actor id of whoever said so. */
  setBy: string;
}

export interface OnCall {
  rotation: string;
  person: Person;
  until: Date;
  /** Whose turn it would be; null where nobody stands in for them. */
  insteadOf: Person | null;
  next: Person;
}

/** @param overrides those of any rotation; of several that hold, the one set last counts */
export function onCallAt(rotation: Rotation, overrides: readonly OnCallOverride[], at: Date, timeZone: string): OnCall {
  const turn = Math.floor((minutesOf(localTime(at, timeZone)) - minutesOf(rotation.start)) / rotation.shiftMinutes);
  const scheduled = personOf(rotation, turn);
  const end = timestampOf(
    { ...rotation.start, minute: rotation.start.minute + (turn + 1) * rotation.shiftMinutes },
    timeZone,
  );
  const override = overrides
    .filter(({ rotation: name, from, until }) => name === rotation.name && from <= at && at < until)
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .at(-1);
  if (!override) {
    return {
      rotation: rotation.name,
      person: scheduled,
      until: end,
      insteadOf: null,
      next: personOf(rotation, turn + 1),
    };
  }
  const after = override.until < end ? scheduled : personOf(rotation, turn + 1);
  return {
    rotation: rotation.name,
    person: override.person,
    until: override.until,
    insteadOf: override.person.id === scheduled.id ? null : scheduled,
    next: after,
  };
}

function personOf({ people }: Rotation, turn: number): Person {
  const index = ((turn % people.length) + people.length) % people.length;
  return people[index] as Person;
}

/** Minutes of a calendar without daylight saving, for distances on the wall clock. */
function minutesOf({ year, month, day, hour, minute }: Omit<LocalTime, 'weekday'>): number {
  return Date.UTC(year, month - 1, day, hour, minute) / 60_000;
}
