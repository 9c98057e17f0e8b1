/** The schema of config/escalation.yaml, checked on every load: who takes turns on call, and who is reached when nobody answers. */
import { z } from 'zod';
import { SEVERITIES } from '../../domain/alerts/alert.ts';
import type { Rotation } from '../../domain/escalation/onCall.ts';
import { ESCALATED, type EscalationPolicy, type EscalationRules } from '../../domain/escalation/policy.ts';
import { readPerson, readTarget } from '../../domain/escalation/target.ts';
import { readDuration } from '../../domain/time/duration.ts';
import { isTimeZone } from '../../domain/time/localTime.ts';
import { didYouMean } from '../commands/didYouMean.ts';

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
const MINUTE_MS = 60_000;
const MOST_AFTER_MS = 7 * 86_400_000;

const duration = z.string().transform((text, context) => {
  const ms = readDuration(text);
  if (ms !== null && ms <= MOST_AFTER_MS) return ms;
  context.addIssue({ code: 'custom', message: `"${text}" is no time; write 10m, 2h or 1d, at most 7d` });
  return z.NEVER;
});

const timeOfDay = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day as "22:30"')
  .transform((text) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3)));

const person = z.string().transform((text, context) => {
  const read = readPerson(text);
  if (read) return read;
  context.addIssue({
    code: 'custom',
    message: `"${text}" is nobody; write a Slack user id (U0123ABCD), a mail address, or "Name <either>"`,
  });
  return z.NEVER;
});

const target = z.string().transform((text, context) => {
  const read = readTarget(text);
  if (read) return read;
  context.addIssue({
    code: 'custom',
    message: `"${text}" is nobody; write a Slack user id, a user group's id (S…), a mail address, rotation:NAME or owner`,
  });
  return z.NEVER;
});

const start = z
  .string()
  .regex(/^\d{4}-\d\d-\d\d [0-2]\d:[0-5]\d$/, 'must be a local time as "2026-11-30 09:00"')
  .transform((text) => {
    const [year, month, day, hour, minute] = text.split(/[- :]/).map(Number) as [
      number,
      number,
      number,
      number,
      number,
    ];
    return { year, month, day, hour, minute };
  });

const rotation = z.strictObject({
  people: z.array(person).min(1, 'needs at least one person').max(100),
  start,
  shift: duration.refine((ms) => ms >= 60 * MINUTE_MS, 'must be an hour or more').default(7 * 86_400_000),
});

const hours = z
  .strictObject({
    days: z
      .array(z.enum(DAYS))
      .min(1)
      .default([...DAYS]),
    from: timeOfDay,
    to: timeOfDay,
  })
  .refine(({ from, to }) => from !== to, 'must not begin and end at the same time')
  .transform(({ days, from, to }) => ({ days: days.map((day) => DAYS.indexOf(day)), fromMinute: from, toMinute: to }));

const step = z
  .strictObject({
    after: duration.default(0),
    mention: z.array(target).max(20).default([]),
    direct: z.array(target).max(20).default([]),
  })
  .refine(({ mention, direct }) => mention.length + direct.length > 0, 'names nobody: give mention or direct')
  .transform(({ after, mention, direct }) => ({ afterMs: after, mention, direct }));

const policy = z.strictObject({
  name: z.string().trim().min(1).max(100),
  about: z
    .array(z.enum(ESCALATED))
    .min(1)
    .default([...ESCALATED]),
  match: z
    .strictObject({
      severity: z.array(z.enum(SEVERITIES)).min(1).optional(),
      tier: z
        .array(z.union([z.literal(1), z.literal(2), z.literal(3)]))
        .min(1)
        .optional(),
      tags: z.record(z.string(), z.array(z.string()).min(1)).optional(),
      hours: hours.optional(),
    })
    .default({}),
  steps: z.array(step).min(1, 'needs at least one step').max(20),
});

export const EscalationFile = z
  .strictObject({
    time_zone: z.string().refine(isTimeZone, 'must be a time zone as Europe/Berlin').optional(),
    rotations: z
      .record(z.string().regex(/^[a-z][a-z0-9_-]{0,39}$/, 'must be a name as workplace'), rotation)
      .default({}),
    policies: z.array(policy).max(200).default([]),
  })
  .superRefine(({ rotations, policies }, context) => {
    const names = Object.keys(rotations);
    const seen = new Set<string>();
    for (const [index, { name, steps }] of policies.entries()) {
      const at = (...path: (string | number)[]) => ['policies', index, ...path];
      if (seen.has(name))
        context.addIssue({ code: 'custom', path: at('name'), message: `there is another policy "${name}"` });
      seen.add(name);
      for (const [number, { afterMs, mention, direct }] of steps.entries()) {
        if (number > 0 && afterMs < (steps[number - 1]?.afterMs ?? 0))
          context.addIssue({
            code: 'custom',
            path: at('steps', number, 'after'),
            message: 'comes before the step above',
          });
        for (const whom of [...mention, ...direct]) {
          if (whom.kind !== 'rotation' || names.includes(whom.name)) continue;
          const [nearest] = didYouMean(whom.name, names);
          const hint = nearest ? `did you mean ${nearest}?` : `there is ${names.join(', ') || 'none'}`;
          const message = `policy "${name}" names rotation:${whom.name}, which does not exist; ${hint}`;
          context.addIssue({ code: 'custom', path: at('steps', number), message });
        }
      }
    }
  })
  .transform(
    ({ time_zone, rotations, policies }): EscalationRules => ({
      timeZone: time_zone ?? null,
      rotations: new Map(
        Object.entries(rotations).map(([name, { people, start, shift }]): [string, Rotation] => [
          name,
          { name, people, start, shiftMinutes: shift / MINUTE_MS },
        ]),
      ),
      policies: policies as EscalationPolicy[],
    }),
  );

/** The rules of an empty file: nobody is reached. */
export const NO_ESCALATION: EscalationRules = { timeZone: null, rotations: new Map(), policies: [] };
