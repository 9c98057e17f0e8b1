/** Escalation policies: which one holds for an alert or an approval, and which of its steps are due while nobody answers. */
import type { AlertStatus, Severity } from '../alerts/alert.ts';
import { localTime } from '../time/localTime.ts';
import type { Rotation } from './onCall.ts';
import type { Target } from './target.ts';

export const ESCALATED = ['alert', 'approval'] as const;
export type Escalated = (typeof ESCALATED)[number];

export interface EscalationStep {
  /** Since it began to wait for an answer. Milliseconds. */
  afterMs: number;
  /** Named where everybody reads it. */
  mention: readonly Target[];
  /** Written to directly. */
  direct: readonly Target[];
}

/** A part of the week; days are 0 (Sunday) to 6, of the day on which it begins. */
interface Hours {
  days: readonly number[];
  fromMinute: number;
  /** Below `fromMinute` when it ends on the next day. */
  toMinute: number;
}

export interface EscalationPolicy {
  name: string;
  about: readonly Escalated[];
  /** Each that is given has to fit. */
  match: {
    severity?: readonly Severity[] | undefined;
    tier?: readonly number[] | undefined;
    tags?: Readonly<Record<string, readonly string[]>> | undefined;
    hours?: Hours | undefined;
  };
  /** In the order of their times. */
  steps: readonly EscalationStep[];
}

export interface EscalationRules {
  /** IANA zone of hours and rotations; null for that of the service. */
  timeZone: string | null;
  rotations: ReadonlyMap<string, Rotation>;
  policies: readonly EscalationPolicy[];
}

/** What has to be known of an alert or an approval to find its policy; null where it is about no alert or no machine. */
interface EscalationSubject {
  about: Escalated;
  severity: Severity | null;
  tier: number | null;
  tags: Readonly<Record<string, string>>;
}

/** Statuses of an alert in which it still waits for somebody. */
export function isUnanswered(status: AlertStatus): boolean {
  return status === 'active' || status === 'pending_approval' || status === 'needs_human';
}

/** The first policy that fits; null when none does. */
export function policyFor(
  policies: readonly EscalationPolicy[],
  subject: EscalationSubject,
  at: Date,
  timeZone: string,
): EscalationPolicy | null {
  return policies.find((policy) => fits(policy, subject, at, timeZone)) ?? null;
}

function fits({ about, match }: EscalationPolicy, subject: EscalationSubject, at: Date, timeZone: string): boolean {
  return (
    about.includes(subject.about) &&
    (!match.severity || (subject.severity !== null && match.severity.includes(subject.severity))) &&
    (!match.tier || (subject.tier !== null && match.tier.includes(subject.tier))) &&
    Object.entries(match.tags ?? {}).every(([name, values]) => values.includes(subject.tags[name] ?? '')) &&
    (!match.hours || isWithin(match.hours, at, timeZone))
  );
}

function isWithin({ days, fromMinute, toMinute }: Hours, at: Date, timeZone: string): boolean {
  const { hour, minute, weekday } = localTime(at, timeZone);
  const now = hour * 60 + minute;
  if (fromMinute < toMinute) return days.includes(weekday) && now >= fromMinute && now < toMinute;
  return (days.includes(weekday) && now >= fromMinute) || (days.includes((weekday + 6) % 7) && now < toMinute);
}

/** How far an escalation is by now: the steps that are due, how many are done with them, and when the next follows. */
export function stepsDue(
  { steps }: EscalationPolicy,
  { beganAt, stepsDone }: { beganAt: Date; stepsDone: number },
  now: Date,
): { due: readonly EscalationStep[]; stepsDone: number; nextAt: Date | null } {
  const elapsedMs = now.getTime() - beganAt.getTime();
  const done = Math.max(stepsDone, steps.filter(({ afterMs }) => afterMs <= elapsedMs).length);
  const next = steps[done];
  return {
    due: steps.slice(stepsDone, done),
    stepsDone: done,
    nextAt: next ? new Date(beganAt.getTime() + next.afterMs) : null,
  };
}
