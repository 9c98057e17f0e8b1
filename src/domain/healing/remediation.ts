/** Remediations: what the map says about an alert, with every value that comes from outside checked before it is used. */
import type { Alert, Severity } from '../alerts/alert.ts';
import { isUnevaluated } from '../alerts/alertmanager.ts';
import type { CriticalityTier, Endpoint, Persona } from '../fleet/endpoint.ts';
import { requiredApprovalsFor } from './approval.ts';
import type { OwnerText } from './ownerRemedy.ts';

export const REMEDIATION_ACTIONS = ['ansible', 'restart', 'clear_cache', 'ticket'] as const;
type RemediationAction = (typeof REMEDIATION_ACTIONS)[number];

export type Variable = string | number | boolean | string[];

/** One entry of the remediation map. */
export interface RemediationEntry {
  action: RemediationAction;
  playbook?: string;
  service?: string;
  /** Further variables of the playbook. */
  variables?: Record<string, Variable>;
  severity?: Severity;
  /** Absent: true for tier 1, false for the others. */
  requiresApproval?: boolean;
  cooldownMs?: number;
  maxPerDay?: number;
  /** The rule of ours (config/dex_score.yaml) that measures the same problem; absent: the one of the alert's name. */
  verifiedBy?: string;
  match?: RemediationMatch;
  /** Whether the owner of the machine may have the playbook run on it, without anybody else's approval. */
  ownerMayRun?: boolean | undefined;
  /** What the owner is written; absent when this is no owner's business. */
  forOwner?: OwnerText | undefined;
}

/** Absent parts match everything. */
interface RemediationMatch {
  labels?: Record<string, string[]>;
  persona?: Persona[];
  tier?: CriticalityTier[];
}

/** A remediation's way; everything from `fixed` on is its end. */
export const REMEDIATION_STATUSES = [
  'waiting_approval',
  'queued',
  'running',
  'verifying',
  'fixed',
  'not_fixed',
  'failed',
  'previewed',
  'denied',
  'expired',
  'cancelled',
  'interrupted',
] as const;
export type RemediationStatus = (typeof REMEDIATION_STATUSES)[number];

export const OPEN_REMEDIATION_STATUSES: readonly RemediationStatus[] = [
  'waiting_approval',
  'queued',
  'running',
  'verifying',
];

/** Statuses in which nothing was run. */
const NEVER_RUN: readonly RemediationStatus[] = ['denied', 'expired', 'cancelled'];

/** One attempt to heal one alert. Its id is the id of its run. */
export interface Remediation {
  id: string;
  alertId: number;
  alertName: string;
  endpointId: number;
  hostname: string;
  action: Exclude<RemediationAction, 'ticket'>;
  playbook: string;
  variables: Record<string, Variable>;
  /** Ansible's check mode: reports what would change and changes nothing. */
  dryRun: boolean;
  status: RemediationStatus;
  /** Why it ended as it did, as text. */
  reason: string | null;
  approvalId: string | null;
  requestedBy: string;
  createdAt: Date;
  startedAt: Date | null;
  /** When its playbook was started; null as long as certainly nothing was run. */
  beganAt: Date | null;
  finishedAt: Date | null;
  /** When the playbook ended well; null before. What is measured later shows whether it helped. */
  playedAt: Date | null;
  /** Until when the alert has to be over for the fix to count; null before the playbook ended. */
  verifyBy: Date | null;
  cancelledBy: string | null;
  /** The owner's answer on "Did that fix it?". */
  ownerSaysFixed: boolean | null;
}

export interface RemediationPlan {
  action: Remediation['action'];
  playbook: string;
  variables: Record<string, Variable>;
  /** Least time since the last run of the same playbook on the endpoint, milliseconds. */
  cooldownMs: number;
  /** Most runs of the same playbook on the endpoint in 24 hours. */
  maxPerDay: number;
  /** How many different people have to agree. */
  requiredApprovals: 0 | 1 | 2;
}

/** Whether plans are carried out: never, as the map says who is asked, or each only after a person approved it. */
export const HEALING_MODES = ['off', 'as_mapped', 'always_ask'] as const;
export type HealingMode = (typeof HEALING_MODES)[number];

type Decision = { kind: 'run'; plan: RemediationPlan } | { kind: 'human'; severity: Severity; why: string };

const DEFAULT_COOLDOWN_MS = 30 * 60_000;
const DEFAULT_MAX_PER_DAY = 3;

/** What the map says about an alert. Whatever is not clear goes to a person. */
export function decideRemediation(
  map: ReadonlyMap<string, RemediationEntry>,
  alert: Alert,
  endpoint: Endpoint,
  healing: HealingMode,
): Decision {
  const human = (why: string, severity = alert.severity): Decision => ({ kind: 'human', severity, why });
  if (isUnevaluated(alert.labels))
    return human('the alert says that its rule had no data, not that the machine has the problem');
  const entry = map.get(alert.alertName);
  if (!entry) return human(`no remediation is mapped for ${alert.alertName}`);
  if (entry.action === 'ticket') return human('the remediation map gives it to a person', entry.severity);
  const mismatch = mismatchReason(entry.match, alert, endpoint);
  if (mismatch) return human(`its remediation is not for this one: ${mismatch}`, entry.severity);
  if (healing === 'off') return human('self-healing is off (DEX_SELF_HEALING_ENABLED)', entry.severity);
  const filled = fillVariables(entry, alert, endpoint);
  if ('refusal' in filled) return human(`its remediation was refused: ${filled.refusal}`, entry.severity);
  const asks = healing === 'always_ask' || (entry.requiresApproval ?? endpoint.criticalityTier === 1);
  return {
    kind: 'run',
    plan: {
      action: entry.action,
      playbook: playbookOf(entry),
      variables: filled.variables,
      cooldownMs: entry.cooldownMs ?? DEFAULT_COOLDOWN_MS,
      maxPerDay: entry.maxPerDay ?? DEFAULT_MAX_PER_DAY,
      requiredApprovals: asks ? requiredApprovalsFor(endpoint.criticalityTier) : 0,
    },
  };
}

/** Alerts whose plan may run without a person's approval, each with its playbook, in the map's order. */
export function unaskedRemediations(
  map: ReadonlyMap<string, RemediationEntry>,
  healing: HealingMode,
): { alertName: string; playbook: string }[] {
  if (healing !== 'as_mapped') return [];
  return [...map].flatMap(([alertName, entry]) =>
    entry.action === 'ticket' || entry.requiresApproval === true ? [] : [{ alertName, playbook: playbookOf(entry) }],
  );
}

export function playbookOf({ action, playbook }: RemediationEntry): string {
  if (action === 'restart') return 'restart_service';
  return action === 'clear_cache' ? 'clear_cache' : (playbook ?? '');
}

function mismatchReason(match: RemediationMatch | undefined, alert: Alert, endpoint: Endpoint): string | null {
  if (!match) return null;
  for (const [name, allowed] of Object.entries(match.labels ?? {})) {
    const value = own(alert.labels, name);
    if (value === undefined || !allowed.includes(value)) return `its label ${name} is ${value ?? 'absent'}`;
  }
  if (match.persona && !match.persona.includes(endpoint.persona)) return `the persona is ${endpoint.persona}`;
  if (match.tier && !match.tier.includes(endpoint.criticalityTier)) return `the tier is ${endpoint.criticalityTier}`;
  return null;
}

/** What a value that was filled in may look like, by the variable that takes it. The playbooks check once more. */
const VALUE_PATTERNS: Readonly<Record<string, RegExp>> = {
  service_name: /^[A-Za-z0-9][A-Za-z0-9@._-]{0,99}$/,
  cleanup_paths: /^(?!.*\/\.\.?(?:\/|$))(?:\/[-A-Za-z0-9_@+=:,.]{1,100}){2,10}$/,
};
const ANY_VALUE = /^[A-Za-z0-9][A-Za-z0-9@._:-]{0,99}$/;

type Filled<T> = { value: T } | { refusal: string };

function fillVariables(
  entry: RemediationEntry,
  alert: Alert,
  endpoint: Endpoint,
): { variables: Record<string, Variable> } | { refusal: string } {
  const wanted: Record<string, Variable> = { ...entry.variables };
  if (entry.action === 'restart') wanted.service_name = entry.service ?? '';
  const variables: Record<string, Variable> = {};
  for (const [name, raw] of Object.entries(wanted)) {
    const texts = Array.isArray(raw) ? raw : [raw];
    const values: (string | number | boolean)[] = [];
    for (const text of texts) {
      const filled = typeof text === 'string' ? fillTemplate(text, alert, endpoint) : { value: text };
      if ('refusal' in filled) return filled;
      const pattern = own(VALUE_PATTERNS, name) ?? ANY_VALUE;
      if (typeof filled.value === 'string' && !pattern.test(filled.value))
        return { refusal: `${name} may not be ${JSON.stringify(filled.value.slice(0, 100))}` };
      values.push(filled.value);
    }
    variables[name] = Array.isArray(raw) ? values.map(String) : (values[0] as string | number | boolean);
  }
  return { variables };
}

const PLACEHOLDER = /\{\{ *(labels|endpoint|alert)\.([A-Za-z0-9_]{1,100}) *\}\}/g;

/** Fills in `{{ labels.x }}`, `{{ endpoint.x }}` and `{{ alert.x }}`; what is filled in is never expanded again. */
export function fillTemplate(text: string, alert: Alert, endpoint: Endpoint): Filled<string> {
  let missing: string | null = null;
  const sources = { labels: alert.labels, endpoint: endpointFacts(endpoint), alert: alertFacts(alert) };
  const value = text.replace(PLACEHOLDER, (whole, source: keyof typeof sources, field: string) => {
    const found = own(sources[source] as Record<string, string>, field);
    if (found === undefined) missing ??= whole;
    return found ?? '';
  });
  if (missing !== null) return { refusal: `${missing} has no value on this alert` };
  // What is left of braces in the template itself is a template that nobody here understands.
  if (/\{\{|\{%|\{#/.test(text.replace(PLACEHOLDER, '')))
    return { refusal: `${text.slice(0, 100)} is no template of ours` };
  return { value };
}

function endpointFacts(endpoint: Endpoint): Record<string, string> {
  return {
    hostname: endpoint.hostname,
    persona: endpoint.persona,
    criticality_tier: String(endpoint.criticalityTier),
    os_platform: endpoint.osPlatform,
    ...(endpoint.ipAddress !== null && { ip_address: endpoint.ipAddress }),
    ...(endpoint.ownerEmail !== null && { owner_email: endpoint.ownerEmail }),
  };
}

function alertFacts(alert: Alert): Record<string, string> {
  return {
    id: String(alert.id),
    alert_name: alert.alertName,
    severity: alert.severity,
    alert_type: alert.alertType,
  };
}

/** A field that somebody outside may have named: `__proto__` and `toString` are not among a record's own. */
function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

export function wasRun({ status, dryRun }: Pick<Remediation, 'status' | 'dryRun'>): boolean {
  return !dryRun && !NEVER_RUN.includes(status);
}

export function isOpenRemediation({ status }: Pick<Remediation, 'status'>): boolean {
  return OPEN_REMEDIATION_STATUSES.includes(status);
}
