/** The schema of config/dex_score.yaml: score rules and alert rules, checked on every load. */
import { z } from 'zod';
import { SEVERITIES } from '../../domain/alerts/alert.ts';
import type { ScoreConfig } from '../../domain/alerts/alertRules.ts';
import { PERSONAS } from '../../domain/fleet/endpoint.ts';
import { type CapRule, COMPONENTS, MEASURES } from '../../domain/scores/score.ts';

const measure = z.enum(MEASURES);
const points = z.number().min(0).max(100);
const weights = z.strictObject(
  Object.fromEntries(COMPONENTS.map((name) => [name, z.number().min(0).max(100)])) as Record<
    (typeof COMPONENTS)[number],
    z.ZodNumber
  >,
);

const deduction = z
  .strictObject({
    measure,
    steps: z
      .array(z.strictObject({ above: z.number(), points }))
      .min(1)
      .optional(),
    points_per_unit: points.optional(),
  })
  .refine(
    (rule) => (rule.steps === undefined) !== (rule.points_per_unit === undefined),
    'needs either steps or points_per_unit',
  );

const capLevel = z.union([points, z.enum(['warning', 'critical'])]);
const cap = z.union([
  z.strictObject({ measure, above: z.number(), cap: capLevel }),
  z.strictObject({ component_at_zero: z.literal(true), cap: capLevel }),
]);

const alertName = z.string().regex(/^[A-Z][A-Za-z0-9]{1,63}$/, 'must be a name in CamelCase');
const scans = z.number().int().min(1).max(100);
const alertRule = z.union([
  z
    .strictObject({
      name: alertName,
      measure,
      above: z.number(),
      clear: z.number(),
      for: scans,
      severity: z.enum(SEVERITIES),
    })
    .refine((rule) => rule.clear <= rule.above, 'clear must not lie above the line that raises the alert'),
  z.strictObject({ name: alertName, unreachable: z.literal(true), for: scans, severity: z.enum(SEVERITIES) }),
]);

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
    alerts: z
      .array(alertRule)
      .refine((rules) => new Set(rules.map(({ name }) => name)).size === rules.length, 'alert names must be unique'),
  })
  .transform(
    (file): ScoreConfig => ({
      weights: file.weights,
      personaWeights: file.personas,
      deductions: {
        device: file.deductions.device.map(toDeduction),
        network: file.deductions.network.map(toDeduction),
        app: file.deductions.app.map(toDeduction),
      },
      capsEnabled: file.caps.enabled,
      caps: file.caps.rules.map(toCap),
      alerts: file.alerts,
    }),
  );

function toDeduction({ measure, steps, points_per_unit }: z.output<typeof deduction>) {
  return { measure, steps, pointsPerUnit: points_per_unit };
}

function toCap(rule: z.output<typeof cap>): CapRule {
  if ('component_at_zero' in rule) return { when: { componentAtZero: true }, cap: rule.cap };
  return { when: { measure: rule.measure, above: rule.above }, cap: rule.cap };
}
