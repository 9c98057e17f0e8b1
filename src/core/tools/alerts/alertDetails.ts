/** Tools for one alert: all that is known about it and what can be done, and taking back what was done by hand. */
import { z } from 'zod';
import { ALERT_STATUSES, type Alert } from '../../../domain/alerts/alert.ts';
import { undoableUntil } from '../../../domain/alerts/undo.ts';
import type { Endpoint } from '../../../domain/fleet/endpoint.ts';
import { decideRemediation } from '../../../domain/healing/remediation.ts';
import { reopenAlert, requireAlert, unacknowledgeAlert } from '../../alerts/alerting.ts';
import { aligned, clipped, utc } from '../../characters.ts';
import type { Ports } from '../../ports/ports.ts';
import { iso } from '../../present.ts';
import type { RelatedCall } from '../../presentation.ts';
import { alertShape, timestamp } from '../../shapes.ts';
import { alertSubject } from '../../subjects.ts';
import { defineTool } from '../../tool.ts';
import { alertCells, alertId, presentOne } from './alerts.ts';
import { approvalShape, decisions, presentApproval } from './approvals.ts';

const reason = z.string().trim().max(500).optional().describe('Why, for the timeline');

const detailsShape = z.object({
  alert: alertShape,
  timeline: z.array(
    z.object({
      at: timestamp,
      from: z.enum(ALERT_STATUSES).nullable(),
      to: z.enum(ALERT_STATUSES),
      actor: z.string(),
      via: z.string(),
      why: z.string(),
    }),
  ),
  /** Null when it is watched no more. */
  machine: z
    .object({
      owner_email: z.string().nullable(),
      criticality_tier: z.number().int(),
      score: z.number().nullable(),
      score_status: z.string(),
    })
    .nullable(),
  /** What self-healing would run for it; null when the remediation map has nothing. */
  plan: z
    .object({
      playbook: z.string(),
      variables: z.record(z.string(), z.unknown()),
      approvals_needed: z.number().int(),
    })
    .nullable(),
  /** What the last dry run for it would have changed; null without one. */
  dry_run: z.object({ at: timestamp, changes: z.array(z.string()) }).nullable(),
  /** The approval of its remediation, answered or not. */
  approval: approvalShape.nullable(),
  /** Who was reached while nobody answers, and when the next step is due; null when it waits for nobody. */
  escalation: z
    .object({ policy: z.string(), began_at: timestamp, people: z.array(z.string()), next_at: timestamp.nullable() })
    .nullable(),
  /** Until when a resolution by hand can be taken back. */
  undo_until: timestamp.nullable(),
});

export const getAlert = defineTool({
  name: 'get_alert',
  title: 'Show an alert',
  effect: 'read',
  toolset: 'alerts',
  subject: alertSubject,
  description:
    'One alert with its timeline (every move, by whom, when and why), its machine, the plan to fix it, its approval and who was reached.',
  http: { method: 'GET', path: '/api/v1/dex/alerts/:alert_id' },
  command: { name: 'alert', args: ['alert_id'], everydayFor: ['staff'], example: 'alert 42' },
  input: z.strictObject({ alert_id: alertId }),
  output: detailsShape,
  async run({ alert_id }, { ports, now }) {
    // Before all else, so that whatever the timeline says happened is found below.
    const timeline = await ports.store.alerts.timeline(alert_id);
    const alert = await requireAlert(ports.store, alert_id);
    const [endpoint] = await ports.store.endpoints.byIds([alert.endpointId]);
    return {
      alert: await presentOne(ports, alert, now),
      timeline: timeline.map(({ alertId: _id, at, ...event }) => ({ at: iso(at), ...event })),
      machine: endpoint ? machineOf(endpoint) : null,
      plan: endpoint ? planFor(ports, alert, endpoint) : null,
      dry_run: await lastDryRun(ports, alert_id),
      approval: await approvalOf(ports, alert),
      escalation: await escalationOf(ports, alert_id),
      undo_until: iso(undoableUntil(alert, now)),
    };
  },
  page: ({ alert }) => `/alerts/${alert.id}`,
  summary: ({ alert, timeline, plan, approval, escalation }) =>
    [
      alertCells(alert).join('  '),
      ...aligned(
        timeline.map(({ at, from, to, actor, via, why }) => [
          utc(at),
          `${from ?? 'new'} → ${to}`,
          `by ${actor} (${via})`,
          why,
        ]),
      ),
      ...(approval?.status === 'pending'
        ? [`Waits for approval until ${utc(approval.expires_at)}: ${approval.question}`]
        : plan && isFixable(alert.status)
          ? [`It can be fixed with ${plan.playbook}.`]
          : []),
      ...(escalation && escalation.people.length > 0 ? [`Reached: ${escalation.people.join(', ')}`] : []),
    ].join('\n'),
  shows: { card: 'alert', by: 'alert_id' },
  related: ({ alert, plan, dry_run, approval, undo_until }) => [
    ...(alert.status === 'resolved' ? [] : openAlertCalls(alert)),
    ...(undo_until === null ? [] : [undoCall(alert.id)]),
    ...(approval ? decisions(approval) : []),
    ...(plan && isFixable(alert.status) ? [fixCall(alert.id, plan.playbook)] : []),
    ...(plan && dry_run === null && alert.status !== 'resolved' ? [dryRunCall(alert.id)] : []),
    { id: 'rescan', label: 'Scan again', tool: 'scan_endpoint', input: { hostname: alert.hostname } },
    {
      id: 'runbook',
      label: 'Runbook',
      tool: 'endpoint_runbooks',
      input: { hostname: alert.hostname, alert: alert.alert_name },
    },
  ],
});

export const unacknowledgeAlertTool = defineTool({
  name: 'unacknowledge_alert',
  title: 'Take back an acknowledgement',
  effect: 'write',
  toolset: 'alerts',
  subject: alertSubject,
  description: 'End the snooze of one alert before its time, so that it is active again.',
  http: { method: 'POST', path: '/api/v1/dex/alerts/:alert_id/unacknowledge' },
  command: {
    name: 'unack',
    args: ['alert_id', 'reason'],
    sentence: true,
    also: [{ name: 'unacknowledge' }, { name: 'unsilence' }, { name: 'unsnooze' }, { name: 'unmute' }],
    example: 'unack 42',
  },
  input: z.strictObject({ alert_id: alertId, reason }),
  output: z.object({ alert: alertShape }),
  async run({ alert_id, reason }, { ports, actor, now }) {
    const why = `the acknowledgement was taken back${reason ? `: ${reason}` : ''}`;
    return { alert: await presentOne(ports, await unacknowledgeAlert(ports, alert_id, why, actor), now) };
  },
  page: ({ alert }) => `/alerts/${alert.id}`,
  summary: ({ alert }) => `Alert ${alert.id} (${alert.alert_name} on ${alert.hostname}) is active again.`,
});

export const reopenAlertTool = defineTool({
  name: 'reopen_alert',
  title: 'Undo resolving an alert',
  effect: 'write',
  toolset: 'alerts',
  subject: alertSubject,
  description: 'Take back, within a minute, that somebody resolved an alert by hand.',
  http: { method: 'POST', path: '/api/v1/dex/alerts/:alert_id/reopen' },
  command: {
    name: 'reopen',
    args: ['alert_id', 'reason'],
    sentence: true,
    also: [{ name: 'undo' }, { name: 'unresolve' }],
    example: 'reopen 42',
  },
  input: z.strictObject({ alert_id: alertId, reason }),
  output: z.object({ alert: alertShape }),
  async run({ alert_id, reason }, { ports, actor, now }) {
    const why = `resolving it was taken back${reason ? `: ${reason}` : ''}`;
    return { alert: await presentOne(ports, await reopenAlert(ports, alert_id, why, actor), now) };
  },
  page: ({ alert }) => `/alerts/${alert.id}`,
  summary: ({ alert }) => `Alert ${alert.id} (${alert.alert_name} on ${alert.hostname}) is open again.`,
});

type Details = z.input<typeof detailsShape>;

function machineOf(endpoint: Endpoint): Details['machine'] {
  const { ownerEmail, criticalityTier, score, scoreStatus } = endpoint;
  return { owner_email: ownerEmail, criticality_tier: criticalityTier, score, score_status: scoreStatus };
}

function planFor({ remediationMap, settings }: Ports, alert: Alert, endpoint: Endpoint): Details['plan'] {
  const decision = decideRemediation(remediationMap.current().map, alert, endpoint, settings.healing);
  if (decision.kind === 'human') return null;
  const { playbook, variables, requiredApprovals } = decision.plan;
  return { playbook, variables, approvals_needed: requiredApprovals };
}

async function approvalOf({ store }: Ports, { remediationRunId }: Alert): Promise<Details['approval']> {
  const remediation = remediationRunId === null ? null : await store.remediations.get(remediationRunId);
  const approval = remediation?.approvalId ? await store.approvals.get(remediation.approvalId) : null;
  return approval && presentApproval(approval);
}

/** Enough to decide by; the run has all. */
const MOST_CHANGES = 8;

async function lastDryRun({ store }: Ports, alertId: number): Promise<Details['dry_run']> {
  const { items } = await store.remediations.list({ alertId, status: 'previewed' }, { limit: 1, offset: 0 });
  const [preview] = items;
  const run = preview && (await store.runs.get(preview.id));
  if (!preview || !run) return null;
  const steps = (run.steps ?? []) as { name?: unknown; status?: unknown; message?: unknown }[];
  const changes = steps
    .filter(({ status }) => status === 'changed')
    .slice(0, MOST_CHANGES)
    .map(({ name, message }) => clipped([name, message].filter(Boolean).map(String).join(': '), 200));
  return { at: iso(preview.finishedAt ?? preview.createdAt), changes };
}

async function escalationOf({ store }: Ports, alertId: number): Promise<Details['escalation']> {
  const state = await store.escalations.get(`alert:${alertId}`);
  if (!state || state.endedAt !== null) return null;
  return { policy: state.policy, began_at: iso(state.beganAt), people: state.notified, next_at: iso(state.nextAt) };
}

/** How long an alert may be silenced by one choice. */
const SILENCES: { id: string; label: string; input: Record<string, unknown> }[] = [
  { id: '1h', label: 'for 1 hour', input: { hours: 1 } },
  { id: '4h', label: 'for 4 hours', input: { hours: 4 } },
  { id: '24h', label: 'for 24 hours', input: { hours: 24 } },
  { id: 'clear', label: 'until it clears', input: { until_clear: true } },
];

function openAlertCalls({ id: alert_id, status }: { id: number; status: Alert['status'] }): RelatedCall[] {
  return [
    ...(status === 'acknowledged'
      ? [{ id: 'unacknowledge', label: 'Unacknowledge', tool: 'unacknowledge_alert', input: { alert_id } }]
      : []),
    ...SILENCES.map(({ id, label, input }) => ({
      id: `acknowledge_${id}`,
      menu: 'Acknowledge',
      label: `Acknowledge ${label}`,
      tool: 'acknowledge_alert',
      input: { alert_id, ...input },
    })),
    { id: 'resolve', label: 'Resolve', tool: 'resolve_alert', input: { alert_id }, asksFor: 'reason' },
  ];
}

function fixCall(alert_id: number, playbook: string): RelatedCall {
  return {
    id: 'fix',
    label: 'Fix',
    style: 'primary',
    tool: 'remediate_alert',
    input: { alert_id },
    confirm: { title: 'Fix it?', text: `Runs ${playbook} on the machine, or asks for approval where that is needed.` },
  };
}

function dryRunCall(alert_id: number): RelatedCall {
  return { id: 'dry_run', label: 'Dry run', tool: 'remediate_alert', input: { alert_id, dry_run: true } };
}

function undoCall(alert_id: number): RelatedCall {
  return { id: 'undo', label: 'Undo', tool: 'reopen_alert', input: { alert_id } };
}

/** Nothing is being done about it yet. */
function isFixable(status: Alert['status']): boolean {
  return status === 'active' || status === 'acknowledged' || status === 'needs_human';
}
