/** The wire shapes that several tools answer with, as zod: what REST, MCP and the command line promise. */
import { z } from 'zod';
import { ALERT_STATUSES, ALERT_TYPES, RESOLUTIONS, SEVERITIES } from '../domain/alerts/alert.ts';
import { ENDPOINT_STATES, PERSONAS, SCORE_STATUSES } from '../domain/fleet/endpoint.ts';
import { canonicalHost } from '../domain/fleet/hostIdentity.ts';
import { WITHHELD } from '../domain/privacy/cells.ts';
import { RUN_KINDS, RUN_STATUSES } from '../domain/run.ts';
import { PLATFORMS } from '../domain/runbooks/runbook.ts';
import { OS_PLATFORMS } from '../domain/signals/declaration.ts';
import { COLLECTORS } from '../domain/signals/telemetry.ts';

/** A timestamp on the wire: ISO 8601 in UTC. */
export const timestamp = z.iso.datetime();

/** A time that a caller gives. Before 1970 nothing was measured, and PostgreSQL has no year 0. */
export const timeInput = z.iso
  .datetime({ offset: true })
  .refine((text) => new Date(text).getTime() >= 0, 'must be a time from 1970 on, ISO 8601');

export const hostnameInput = z
  .string()
  // A URL around it may be longer than the name itself.
  .max(1000, 'a hostname has at most 253 characters')
  .overwrite(canonicalHost)
  .min(1, 'a hostname is needed')
  .max(253, 'a hostname has at most 253 characters')
  .describe('Hostname of a registered endpoint');

export const runIdInput = z.string().min(1).max(64);

/** Limit and offset of every list. */
export const pageInput = {
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(100)
    .meta({ description: 'How many rows at most', forPrograms: true }),
  offset: z.coerce.number().int().min(0).default(0).describe('How many rows to skip'),
};

export const componentsShape = z.object({
  device: z.number().nullable(),
  network: z.number().nullable(),
  app: z.number().nullable(),
  remediation: z.number().nullable(),
});

export const endpointShape = z.object({
  id: z.number().int(),
  hostname: z.string(),
  ip_address: z.string().nullable(),
  owner_email: z.string().nullable(),
  /** Persona and tier are withheld where so few machines have them that a person could be singled out. */
  persona: z.enum([...PERSONAS, WITHHELD]),
  criticality_tier: z.number().int().nullable(),
  os_platform: z.enum(OS_PLATFORMS),
  tags: z.record(z.string(), z.string()),
  collector: z.enum(COLLECTORS),
  options: z.record(z.string(), z.unknown()),
  state: z.enum(ENDPOINT_STATES),
  score: z.number().nullable(),
  score_status: z.enum(SCORE_STATUSES),
  coverage: z.number().nullable(),
  scored_at: timestamp.nullable(),
  last_scan_at: timestamp.nullable(),
  last_seen_at: timestamp.nullable(),
  unreachable_reason: z.string().nullable(),
  registered_at: timestamp,
  updated_at: timestamp,
});

/** An endpoint with what else it is called, and what it shares with others. */
export const identifiedEndpointShape = endpointShape.extend({
  aliases: z.array(z.object({ kind: z.string(), value: z.string(), source: z.string() })),
  warnings: z.array(z.string()),
});

export const scoreShape = z.object({
  id: z.number().int(),
  hostname: z.string(),
  score: z.number(),
  status: z.enum(SCORE_STATUSES),
  components: componentsShape,
  coverage: z.number(),
  deductions: z.array(
    z.object({
      component: z.string(),
      metric: z.string(),
      value: z.number(),
      points: z.number(),
      reason: z.string(),
    }),
  ),
  caps: z.array(z.object({ cap: z.number(), reason: z.string() })),
  improvements: z.array(z.object({ metric: z.string(), gain: z.number(), reason: z.string() })),
  scored_at: timestamp,
  /** True when the endpoint has not answered lately, so that the score is out of date. */
  stale: z.boolean(),
});

export const runShape = z.object({
  run_id: z.string(),
  kind: z.enum(RUN_KINDS),
  status: z.enum(RUN_STATUSES),
  hostname: z.string().nullable(),
  goal: z.string().nullable(),
  agent_profile: z.string().nullable(),
  requested_by: z.string(),
  via: z.string(),
  created_at: timestamp,
  started_at: timestamp.nullable(),
  finished_at: timestamp.nullable(),
  error: z.string().nullable(),
  result: z.unknown(),
  steps: z.array(z.unknown()),
  usage: z.object({ input_tokens: z.number(), output_tokens: z.number() }).nullable(),
  cost_usd: z.number().nullable(),
});

export const alertShape = z.object({
  id: z.number().int(),
  hostname: z.string(),
  alert_name: z.string(),
  severity: z.enum(SEVERITIES),
  alert_type: z.enum(ALERT_TYPES),
  message: z.string(),
  status: z.enum(ALERT_STATUSES),
  labels: z.record(z.string(), z.string()),
  starts_at: timestamp,
  acknowledged_at: timestamp.nullable(),
  /** Null while acknowledged means: until it clears. */
  acknowledged_until: timestamp.nullable(),
  acknowledged_by: z.string().nullable(),
  predicted_time_to_impact: z.string().nullable(),
  remediation_run_id: z.string().nullable(),
  ticket: z.object({ id: z.string(), url: z.string().nullable() }).nullable(),
  flaps: z.number().int(),
  /** True when its endpoint has not answered lately, so that nobody knows whether it still holds. */
  stale: z.boolean(),
  created_at: timestamp,
  updated_at: timestamp,
  resolved_at: timestamp.nullable(),
  resolution: z.enum(RESOLUTIONS).nullable(),
});

/** `lexical`: only words are compared, because no embedding model is there. */
export const searchMode = z.enum(['semantic', 'lexical']);

const votesShape = {
  /** How many of the votes say that the page helped; null without votes. */
  fix_rate_pct: z.number().nullable(),
  votes: z.number().int(),
};

export const runbookHitShape = z.object({
  doc_id: z.string(),
  title: z.string(),
  heading: z.string(),
  excerpt: z.string(),
  /** 1 for a page that carries the name asked for; otherwise comparable within one answer only. */
  score: z.number(),
  why: z.string(),
  path: z.string(),
  playbook: z.string().nullable(),
  ...votesShape,
});

export const runbookPageShape = z.object({
  doc_id: z.string(),
  title: z.string(),
  alerts: z.array(z.string()),
  platforms: z.array(z.enum(PLATFORMS)),
  severity: z.string().nullable(),
  playbook: z.string().nullable(),
  path: z.string(),
  ...votesShape,
});
