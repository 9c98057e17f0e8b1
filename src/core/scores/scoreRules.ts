/** The schema of config/dex_score.yaml: score rules and alert rules, checked on every load. */
import { z } from 'zod';
import { SEVERITIES } from '../../domain/alerts/alert.ts';
import type { AlertRule, ScoreConfig } from '../../domain/alerts/alertRules.ts';
import { PERSONAS } from '../../domain/fleet/endpoint.ts';
import type { Condition, Line } from '../../domain/scores/conditions.ts';
import { type CapRule, COMPONENTS, type DeductionRule } from '../../domain/scores/score.ts';
import { OS_PLATFORMS } from '../../domain/signals/declaration.ts';
import { MEASURES } from '../../domain/signals/measures.ts';
import { isTimeZone } from '../../domain/time/localTime.ts';

const measure = z.enum(MEASURES as [string, ...string[]]);
const points = z.number().min(0).max(100);
const weights = z.strictObject(
  Object.fromEntries(COMPONENTS.map((name) => [name, z.number().min(0).max(100)])) as Record<
    (typeof COMPONENTS)[number],
    z.ZodNumber
  >,
);

/** Exactly one of the two says where the line is. */
const line = { above: z.number().optional(), below: z.number().optional() };
type LineInput = { above?: number | undefined; below?: number | undefined };
const isLine = ({ above, below }: LineInput) => (above === undefined) !== (below === undefined);
const ONE_LINE = 'needs either above or below';
const lineOf = ({ above, below }: LineInput): Line => (above !== undefined ? { above } : { below: below as number });

const condition = z
  .strictObject({ measure, ...line })
  .refine(isLine, ONE_LINE)
  .transform(({ measure, ...where }): Condition => ({ measure, ...lineOf(where) }));
const conditions = z.array(condition).min(1).max(10).optional();
const scope = z
  .strictObject({
    os: z.array(z.enum(OS_PLATFORMS)).min(1).optional(),
    items: z.array(z.string().min(1).max(256)).min(1).max(50).optional(),
  })
  .optional();
const guards = { and: conditions, unless: conditions, only: scope, except: scope };

const step = z
  .strictObject({ ...line, points, and: conditions, unless: conditions })
  .refine(isLine, ONE_LINE)
  .transform(({ above, below, ...rest }) => ({ ...rest, ...lineOf({ above, below }) }));

const deduction = z
  .strictObject({ measure, steps: z.array(step).min(1).optional(), points_per_unit: points.optional(), ...guards })
  .refine(
    (rule) => (rule.steps === undefined) !== (rule.points_per_unit === undefined),
    'needs either steps or points_per_unit',
  )
  .transform(({ points_per_unit, ...rule }): DeductionRule => ({ ...rule, pointsPerUnit: points_per_unit }));

const capLevel = z.union([points, z.enum(['warning', 'critical'])]);
const cap = z.union([
  z
    .strictObject({ measure, ...line, ...guards, cap: capLevel })
    .refine(isLine, ONE_LINE)
    .transform(({ cap, measure, above, below, ...rest }): CapRule => {
      return { when: { measure, ...rest, ...lineOf({ above, below }) }, cap };
    }),
  z
    .strictObject({ component_at_most: points, cap: capLevel })
    .transform(({ component_at_most, cap }): CapRule => ({ when: { componentAtMost: component_at_most }, cap })),
  z
    .strictObject({ component_at_zero: z.literal(true), cap: capLevel })
    .transform(({ cap }): CapRule => ({ when: { componentAtMost: 0 }, cap })),
]);

const alertName = z.string().regex(/^[A-Z][A-Za-z0-9]{1,63}$/, 'must be a name in CamelCase');
const raising = {
  name: alertName,
  for: z.number().int().min(1).max(100),
  severity: z.enum(SEVERITIES),
  working_hours: z.boolean().optional(),
};
const alertRule = z.union([
  z
    .strictObject({ ...raising, measure, ...line, clear: z.number(), ...guards })
    .refine(isLine, ONE_LINE)
    .refine(
      ({ above, below, clear }) => (above !== undefined ? clear <= above : clear >= (below ?? clear)),
      'clear must not lie beyond the line that raises the alert',
    )
    .transform(({ working_hours, above, below, ...rule }): AlertRule => {
      return { ...rule, workingHours: working_hours, ...lineOf({ above, below }) };
    }),
  z
    .strictObject({ ...raising, unreachable: z.literal(true) })
    .transform(({ working_hours, ...rule }): AlertRule => ({ ...rule, workingHours: working_hours })),
]);

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
const timeOfDay = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day as 08:30')
  .transform((text) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3)));
const workingHours = z
  .strictObject({
    days: z.array(z.enum(DAYS)).min(1),
    from: timeOfDay,
    to: timeOfDay,
    time_zone: z.string().refine(isTimeZone, 'must be a time zone as Europe/Berlin or UTC'),
  })
  .refine(({ from, to }) => from < to, 'must begin before it ends')
  .transform(({ days, from, to, time_zone }) => ({
    days: days.map((day) => DAYS.indexOf(day)),
    fromMinute: from,
    toMinute: to,
    timeZone: time_zone,
  }));

export const ScoreFile = z
  .strictObject({
    weights,
    personas: z.partialRecord(z.enum(PERSONAS), weights).default({}),
    deductions: z.strictObject({
      device: z.array(deduction),
      network: z.array(deduction),
      app: z.array(deduction),
    }),
    caps: z.strictObject({ enabled: z.boolean(), rules: z.array(cap) }),
    working_hours: workingHours.default({
      days: [1, 2, 3, 4, 5],
      fromMinute: 8 * 60,
      toMinute: 18 * 60,
      timeZone: 'UTC',
    }),
    alerts: z
      .array(alertRule)
      .refine((rules) => new Set(rules.map(({ name }) => name)).size === rules.length, 'alert names must be unique'),
  })
  .transform(
    (file): ScoreConfig => ({
      weights: file.weights,
      personaWeights: file.personas,
      deductions: file.deductions,
      capsEnabled: file.caps.enabled,
      caps: file.caps.rules,
      alerts: file.alerts,
      workingHours: file.working_hours,
    }),
  );
