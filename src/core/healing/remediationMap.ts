/** The schema of config/dex_remediation_map.yaml, checked on every load: what happens when which alert fires. */
import { z } from 'zod';
import { SEVERITIES } from '../../domain/alerts/alert.ts';
import { PERSONAS } from '../../domain/fleet/endpoint.ts';
import { REMEDIATION_ACTIONS, type RemediationEntry } from '../../domain/healing/remediation.ts';
import {
  DEFAULT_LIMITS,
  type MaintenanceWindow,
  type RemediationLimits,
  type RemediationRules,
} from '../../domain/healing/remediationGuards.ts';

const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;

/** A name on the list of shipped playbooks; never a path. */
const playbookName = z.string().regex(/^[a-z][a-z0-9_]{0,63}$/, 'must be the name of a playbook, without a path');

const duration = z
  .string()
  .regex(/^\d{1,4}[mhd]$/, 'must be a time as 30m, 2h or 1d')
  .transform((text) => Number(text.slice(0, -1)) * UNIT_MS[text.slice(-1) as keyof typeof UNIT_MS]);

const time = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day as 22:30 (UTC)')
  .transform((text) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3)));

const tiers = z.array(z.union([z.literal(1), z.literal(2), z.literal(3)])).min(1);
const personas = z.array(z.enum(PERSONAS)).min(1);
const text = z.string().max(500);
const ownerText = z.string().trim().min(1).max(300);

const entry = z
  .strictObject({
    action: z.enum(REMEDIATION_ACTIONS),
    playbook: playbookName.optional(),
    service: text.optional(),
    variables: z
      .record(
        z.string().regex(/^[a-z][a-z0-9_]{0,63}$/, 'must be the name of a variable'),
        z.union([text, z.number(), z.boolean(), z.array(text).max(50)]),
      )
      .optional(),
    severity: z.enum(SEVERITIES).optional(),
    requires_approval: z.boolean().optional(),
    cooldown: duration.optional(),
    max_per_day: z.number().int().min(1).max(100).optional(),
    verified_by: z.string().min(1).max(200).optional(),
    owner_may_run: z.boolean().optional(),
    for_owner: z
      .strictObject({
        title: ownerText,
        means: ownerText,
        advice: ownerText,
        run: z.string().min(1).max(60).optional(),
      })
      .optional(),
    match: z
      .strictObject({
        labels: z.record(z.string(), z.array(z.string()).min(1)).optional(),
        persona: personas.optional(),
        tier: tiers.optional(),
      })
      .optional(),
  })
  .refine(({ action, playbook }) => (playbook !== undefined) === (action === 'ansible'), {
    error: 'playbook belongs to action ansible, and only there',
    path: ['playbook'],
  })
  .refine(({ action, service }) => (service !== undefined) === (action === 'restart'), {
    error: 'service belongs to action restart, and only there',
    path: ['service'],
  })
  .refine(
    ({ owner_may_run, for_owner, action }) => !owner_may_run || (action !== 'ticket' && for_owner?.run !== undefined),
    {
      error: 'owner_may_run needs a playbook, and a for_owner with the text of the button in `run`',
      path: ['owner_may_run'],
    },
  )
  .transform(
    ({
      requires_approval,
      cooldown,
      max_per_day,
      verified_by,
      owner_may_run,
      for_owner,
      ...same
    }): RemediationEntry => ({
      ...same,
      ownerMayRun: owner_may_run,
      forOwner: for_owner,
      requiresApproval: requires_approval,
      cooldownMs: cooldown,
      maxPerDay: max_per_day,
      verifiedBy: verified_by,
    }),
  );

const maintenance = z
  .strictObject({
    days: z
      .array(z.enum(DAYS))
      .min(1)
      .default([...DAYS]),
    from: time,
    to: time,
    persona: personas.optional(),
    tier: tiers.optional(),
  })
  .refine(({ from, to }) => from !== to, 'must not begin and end at the same time')
  .transform(
    ({ days, from, to, ...match }): MaintenanceWindow => ({
      ...match,
      days: days.map((day) => DAYS.indexOf(day)),
      fromMinute: from,
      toMinute: to,
    }),
  );

const limits = z
  .strictObject({
    per_host_per_day: z.number().int().min(1).max(1000).optional(),
    fleet: z
      .strictObject({
        remediations: z.number().int().min(1).max(100_000).optional(),
        failures: z.number().int().min(1).max(100_000).optional(),
        window: duration.optional(),
      })
      .optional(),
  })
  .default({})
  .transform(
    ({ per_host_per_day, fleet }): RemediationLimits => ({
      perHostPerDay: per_host_per_day ?? DEFAULT_LIMITS.perHostPerDay,
      fleet: {
        remediations: fleet?.remediations ?? DEFAULT_LIMITS.fleet.remediations,
        failures: fleet?.failures ?? DEFAULT_LIMITS.fleet.failures,
        windowMs: fleet?.window ?? DEFAULT_LIMITS.fleet.windowMs,
      },
    }),
  );

export const RemediationFile = z
  .strictObject({
    remediation_map: z.record(z.string().min(1).max(200), entry),
    limits,
    maintenance: z.array(maintenance).max(100).default([]),
  })
  .transform(
    (file): RemediationRules => ({
      map: new Map(Object.entries(file.remediation_map)),
      limits: file.limits,
      maintenance: file.maintenance,
    }),
  );
