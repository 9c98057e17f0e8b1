/** What Slack shows of an alert, read from the answer that shows one; the wire shape has more. */
import { z } from 'zod';
import type { Answer } from '../../../core/invoke.ts';
import { approvalShown } from './approvalCard.ts';

const alertShown = z.object({
  id: z.number().int(),
  hostname: z.string(),
  alert_name: z.string(),
  alert_type: z.string().optional(),
  severity: z.string(),
  message: z.string(),
  status: z.string(),
  acknowledged_until: z.string().nullish(),
  acknowledged_by: z.string().nullish(),
  predicted_time_to_impact: z.string().nullish(),
  ticket: z.object({ id: z.string(), url: z.string().nullable() }).nullish(),
  flaps: z.number().default(0),
  created_at: z.string(),
  resolved_at: z.string().nullish(),
  resolution: z.string().nullish(),
  stale: z.boolean().optional(),
});
export type AlertShown = z.output<typeof alertShown>;

const factsShown = z.object({
  alert: alertShown,
  timeline: z
    .array(
      z.object({ at: z.string(), from: z.string().nullable(), to: z.string(), why: z.string(), actor: z.string() }),
    )
    .default([]),
  machine: z
    .object({
      owner_email: z.string().nullable(),
      criticality_tier: z.number(),
      score: z.number().nullable(),
      score_status: z.string(),
    })
    .nullish(),
  dry_run: z.object({ at: z.string(), changes: z.array(z.string()) }).nullish(),
  approval: approvalShown.nullish(),
  escalation: z.object({ began_at: z.string(), people: z.array(z.string()), next_at: z.string().nullable() }).nullish(),
});
export type AlertFacts = z.output<typeof factsShown>;

/** An answer that shows an alert, with what can be done about it. */
export type ShownAnswer = Pick<Answer, 'call' | 'output' | 'related' | 'page'>;

export function alertIn(output: Record<string, unknown>): AlertShown {
  return alertShown.parse(output.alert);
}

export function factsIn(output: Record<string, unknown>): AlertFacts {
  return factsShown.parse(output);
}

/** Signs distinguished by shape, not only by colour. */
export const SEVERITY_SIGNS: Record<string, string> = { critical: '⛔', warning: '⚠️', info: 'ℹ️' };

export const STATUS_WORDS: Record<string, string> = {
  active: 'open',
  acknowledged: 'acknowledged',
  pending_approval: 'waiting for an approval',
  remediating: 'being repaired',
  needs_human: 'needs a person',
  resolved: 'resolved',
};

/** The alert on a low score says no more than those that lower it. */
const SCORE_ALERT = 'LowDexScore';
const SEVERITY_ORDER = ['critical', 'warning', 'info'];

/** Open ones first, causes before the score that they lower, then worst first, then oldest. */
export function byWeight(a: AlertShown, b: AlertShown): number {
  return (
    Number(a.status === 'resolved') - Number(b.status === 'resolved') ||
    Number(isScoreAlert(a)) - Number(isScoreAlert(b)) ||
    SEVERITY_ORDER.indexOf(a.severity) - SEVERITY_ORDER.indexOf(b.severity) ||
    a.id - b.id
  );
}

export function isScoreAlert({ alert_name }: AlertShown): boolean {
  return alert_name === SCORE_ALERT;
}
