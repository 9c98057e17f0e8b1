/** What holds a remediation back although the map allows it: too soon, too often, a fleet with too many problems, planned maintenance. */
import type { CriticalityTier, Endpoint, Persona } from '../fleet/endpoint.ts';
import {
  isOpenRemediation,
  type Remediation,
  type RemediationEntry,
  type RemediationPlan,
  wasRun,
} from './remediation.ts';

const DAY_MS = 86_400_000;

export interface RemediationLimits {
  /** Most runs of any playbook on one endpoint in 24 hours. */
  perHostPerDay: number;
  /** The fleet breaker: so many remediations, or so many that did not help, within the window stop all of them. */
  fleet: { remediations: number; failures: number; windowMs: number };
}

export const DEFAULT_LIMITS: RemediationLimits = {
  perHostPerDay: 6,
  fleet: { remediations: 20, failures: 5, windowMs: 3_600_000 },
};

/** A stretch of the week, in UTC, in which nothing is run on the endpoints it is for. */
export interface MaintenanceWindow {
  /** 0 is Sunday: the days on which it begins. */
  days: number[];
  /** Minutes after midnight. One that ends before it begins goes on past midnight. */
  fromMinute: number;
  toMinute: number;
  persona?: Persona[];
  tier?: CriticalityTier[];
}

/** What a guard has to know of the fleet's last window. */
export interface FleetRecord {
  remediations: number;
  failures: number;
}

/**
 * Why this plan must not run on its endpoint now; null when nothing speaks against it.
 *
 * @param history the endpoint's remediations as far back as `historyMs` says
 */
export function guardReason(
  plan: RemediationPlan,
  history: readonly Remediation[],
  limits: RemediationLimits,
  now: Date,
): string | null {
  const same = history.filter(({ playbook, dryRun }) => playbook === plan.playbook && !dryRun);
  const open = same.find(isOpenRemediation);
  if (open) return `${plan.playbook} is under way on it already (remediation ${open.id})`;
  const run = history.filter(wasRun);
  const lastSame = Math.max(...run.filter(({ playbook }) => playbook === plan.playbook).map(beganMs));
  if (now.getTime() - lastSame < plan.cooldownMs) {
    const minutes = Math.ceil((plan.cooldownMs - (now.getTime() - lastSame)) / 60_000);
    return `${plan.playbook} ran on it lately and did not last; its cooldown goes on for ${minutes} min`;
  }
  const today = run.filter((remediation) => now.getTime() - beganMs(remediation) < DAY_MS);
  const sameToday = today.filter(({ playbook }) => playbook === plan.playbook).length;
  if (sameToday >= plan.maxPerDay) return `${plan.playbook} ran on it ${sameToday}× in 24 hours, the most allowed`;
  if (today.length >= limits.perHostPerDay)
    return `${today.length} remediations ran on it in 24 hours, the most allowed on one endpoint`;
  return null;
}

/** How far back the endpoint's history matters to a plan, milliseconds. */
export function historyMs(plan: RemediationPlan): number {
  return Math.max(DAY_MS, plan.cooldownMs);
}

/** Why no remediation at all may begin now; null when the fleet is well enough. */
export function breakerReason(record: FleetRecord, { fleet }: RemediationLimits): string | null {
  const minutes = Math.round(fleet.windowMs / 60_000);
  if (record.failures >= fleet.failures)
    return `the breaker is open: ${record.failures} remediations did not help within ${minutes} min`;
  if (record.remediations >= fleet.remediations)
    return `the breaker is open: ${record.remediations} remediations within ${minutes} min`;
  return null;
}

export function inMaintenance(
  windows: readonly MaintenanceWindow[],
  endpoint: Pick<Endpoint, 'persona' | 'criticalityTier'>,
  now: Date,
): boolean {
  const minute = now.getUTCHours() * 60 + now.getUTCMinutes();
  const today = now.getUTCDay();
  return windows.some(({ days, fromMinute, toMinute, persona, tier }) => {
    if (persona && !persona.includes(endpoint.persona)) return false;
    if (tier && !tier.includes(endpoint.criticalityTier)) return false;
    if (fromMinute < toMinute) return days.includes(today) && minute >= fromMinute && minute < toMinute;
    const sinceYesterday = days.includes((today + 6) % 7) && minute < toMinute;
    return sinceYesterday || (days.includes(today) && minute >= fromMinute);
  });
}

function beganMs({ startedAt, createdAt }: Remediation): number {
  return (startedAt ?? createdAt).getTime();
}

/** What the remediation map says: which remedy belongs to which alert, and the limits of all of them. */
export interface RemediationRules {
  /** By alert name. */
  map: ReadonlyMap<string, RemediationEntry>;
  limits: RemediationLimits;
  maintenance: MaintenanceWindow[];
}
