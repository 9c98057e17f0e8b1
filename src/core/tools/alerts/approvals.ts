/** Tools for approvals: what waits for a person, and a person's answer. */
import { z } from 'zod';
import { APPROVAL_DECISIONS, APPROVAL_KINDS, APPROVAL_STATUSES, EXECUTIONS } from '../../../domain/healing/approval.ts';
import { decideApproval, requireApproval } from '../../approvals.ts';
import { utc } from '../../characters.ts';
import { registeredName } from '../../fleet/hostLookup.ts';
import { countLine, pageOf, pageOutput } from '../../page.ts';
import { mayApprove } from '../../policy.ts';
import type { StoredApproval } from '../../ports/alertPorts.ts';
import type { Ports } from '../../ports/ports.ts';
import { iso } from '../../present.ts';
import type { RelatedCall } from '../../presentation.ts';
import { hostnameInput, pageInput, timestamp } from '../../shapes.ts';
import { machineSubject, type Subject } from '../../subjects.ts';
import { defineTool } from '../../tool.ts';

export const approvalShape = z.object({
  approval_id: z.string(),
  kind: z.enum(APPROVAL_KINDS),
  status: z.enum(APPROVAL_STATUSES),
  question: z.string(),
  /** What would be done: host, playbook, variables, earlier outcomes; text of outside is in it. */
  plan: z.record(z.string(), z.unknown()),
  tool: z.string(),
  hostname: z.string().nullable(),
  alert_id: z.number().int().nullable(),
  /** The run or remediation that waits for it. */
  subject_id: z.string().nullable(),
  requested_by: z.string(),
  requested_via: z.string(),
  requested_at: timestamp,
  expires_at: timestamp,
  approvals_needed: z.number().int(),
  answers: z.array(
    z.object({
      by: z.string(),
      name: z.string(),
      via: z.string(),
      decision: z.enum(APPROVAL_DECISIONS),
      reason: z.string().nullable(),
      at: timestamp,
    }),
  ),
  decided_at: timestamp.nullable(),
  execution: z.enum(EXECUTIONS),
  outcome: z.string().nullable(),
});

export const listApprovals = defineTool({
  name: 'list_approvals',
  title: 'List approvals',
  effect: 'read',
  subject: machineSubject,
  description:
    'What waits for a person to approve or deny, newest first, with its plan. status: pending (default), approved, denied, expired, cancelled or all.',
  http: { method: 'GET', path: '/api/v1/approvals' },
  command: { name: 'approvals', args: ['status'], everydayFor: ['staff'], example: 'approvals' },
  input: z.strictObject({
    status: z.enum([...APPROVAL_STATUSES, 'all']).default('pending'),
    hostname: hostnameInput.optional(),
    ...pageInput,
  }),
  output: z.object({ approvals: z.array(approvalShape), ...pageOutput }),
  async run({ status, hostname: host, ...page }, { ports }) {
    const hostname = host && (await registeredName(ports.store, host));
    const filter = { hostname, status: status === 'all' ? undefined : status };
    const { items, total } = await ports.store.approvals.list(filter, page);
    return { approvals: items.map(presentApproval), ...pageOf({ total, offset: page.offset }, items.length) };
  },
  page: () => '/approvals',
  summary: ({ approvals, ...page }) =>
    page.total === 0
      ? 'Nothing waits for approval.'
      : [countLine(page, approvals.length, 'approval'), ...approvals.map(approvalText)].join('\n'),
  shows: { card: 'approvals' },
  overview: {
    place: 4,
    parts({ approvals }, actor) {
      const mine = approvals.filter(({ answers }) => !answers.some(({ by }) => by === actor.id));
      if (mine.length === 0 || !mayApprove(actor)) return [];
      return [
        {
          title: 'Waiting for my approval',
          decisions: mine.map((approval) => ({
            text: approval.question,
            until: approval.expires_at,
            related: decisions(approval),
          })),
        },
      ];
    },
  },
});

export const getApproval = defineTool({
  name: 'get_approval',
  title: 'Show an approval',
  effect: 'read',
  toolset: 'approvals',
  subject: approvalSubject,
  description: 'One approval: what is asked, the plan, the answers so far and what came of it.',
  http: { method: 'GET', path: '/api/v1/approvals/:approval_id' },
  command: { name: 'approval', args: ['approval_id'], example: 'approval 01JD3X8T5M7V2N4K6P8Q0R1S2T' },
  input: z.strictObject({ approval_id: z.string().min(1).max(64) }),
  output: z.object({ approval: approvalShape }),
  run: async ({ approval_id }, { ports }) => ({
    approval: presentApproval(await requireApproval(ports, approval_id)),
  }),
  page: ({ approval }) => `/approvals/${approval.approval_id}`,
  summary: ({ approval }) => approvalText(approval),
  shows: { card: 'approval', by: 'approval_id' },
  related: ({ approval }) => decisions(approval),
});

export const decideApprovalTool = defineTool({
  name: 'decide_approval',
  title: 'Answer an approval',
  effect: 'write',
  toolset: 'approvals',
  approversOnly: true,
  subject: approvalSubject,
  humansOnly: true,
  description:
    'Approve or deny what waits for a person. Only people may: the first answer wins, whoever asked cannot answer, and what concerns a tier 1 endpoint needs two different people.',
  http: { method: 'POST', path: '/api/v1/approvals/:approval_id/decide' },
  command: {
    name: 'decide',
    args: ['approval_id', 'decision', 'reason'],
    sentence: true,
    also: [
      { name: 'approve', input: { decision: 'approve' } },
      { name: 'deny', input: { decision: 'deny' } },
      { name: 'reject', input: { decision: 'deny' } },
    ],
    everydayFor: ['staff'],
    example: 'decide 01JD3X8T5M7V2N4K6P8Q0R1S2T approve',
  },
  input: z.strictObject({
    approval_id: z.string().min(1).max(64),
    decision: z.enum(APPROVAL_DECISIONS),
    reason: z.string().trim().max(500).optional().describe('Why, for the record'),
  }),
  output: z.object({ approval: approvalShape }),
  async run({ approval_id, decision, reason }, { ports, actor }) {
    return { approval: presentApproval(await decideApproval(ports, approval_id, decision, reason ?? null, actor)) };
  },
  async question({ approval_id, decision }, ports) {
    const approval = presentApproval(await requireApproval(ports, approval_id));
    return `${decision === 'approve' ? 'Approve' : 'Deny'} this?\n${approvalText(approval)}`;
  },
  page: ({ approval }) => `/approvals/${approval.approval_id}`,
  summary: ({ approval }) =>
    approval.status === 'pending'
      ? `Your approval is recorded; ${approval.approvals_needed - approval.answers.length} more needed until ${approval.expires_at}.`
      : `Approval ${approval.approval_id} is ${approval.status}: ${approval.question}`,
});

/** The two answers, each asked once more because it cannot be taken back; none once it is decided. */
export function decisions({ status, approval_id, question, plan }: z.output<typeof approvalShape>): RelatedCall[] {
  if (status !== 'pending') return [];
  const variables = plan.variables ? `\nVariables: ${factText(plan.variables)}` : '';
  const answer = (decision: 'approve' | 'deny', label: string, consequence: string) => ({
    id: decision,
    label,
    style: decision === 'approve' ? ('primary' as const) : ('danger' as const),
    tool: 'decide_approval',
    input: { approval_id, decision },
    ...(decision === 'deny' && { asksFor: 'reason' }),
    confirm: {
      title: `${label} this?`,
      text: `${question.slice(0, 120)}${variables.slice(0, 100)}\n${consequence}`,
    },
  });
  return [
    answer('approve', 'Approve', 'It starts at once when everybody needed has agreed.'),
    answer('deny', 'Deny', 'Nothing is run; a person takes over.'),
  ];
}

function factText(value: unknown): string {
  if (value === null || typeof value !== 'object') return String(value);
  const parts = Object.entries(value).map(([name, part]) => `${name}=${JSON.stringify(part)}`);
  return parts.length > 0 ? parts.join(', ') : 'none';
}

async function approvalSubject(
  { approval_id }: { approval_id: string },
  { store }: Pick<Ports, 'store'>,
): Promise<Subject | null> {
  const approval = await store.approvals.get(approval_id);
  return machineSubject({ hostname: approval?.hostname }, { store });
}

export function presentApproval(approval: StoredApproval): z.input<typeof approvalShape> {
  return {
    approval_id: approval.id,
    kind: approval.kind,
    status: approval.status,
    question: approval.question,
    plan: approval.plan,
    tool: approval.tool,
    hostname: approval.hostname,
    alert_id: approval.alertId,
    subject_id: approval.subjectId,
    requested_by: approval.requester.name,
    requested_via: approval.requester.via,
    requested_at: iso(approval.requestedAt),
    expires_at: iso(approval.expiresAt),
    approvals_needed: approval.requiredApprovals,
    answers: approval.answers,
    decided_at: iso(approval.decidedAt),
    execution: approval.execution,
    outcome: approval.outcome,
  };
}

function approvalText(approval: z.input<typeof approvalShape>): string {
  const { approval_id, status, question, requested_by, requested_via, requested_at, expires_at } = approval;
  const { answers, approvals_needed, outcome } = approval;
  const outcomes = approval.plan.last_outcomes;
  const earlier =
    Array.isArray(outcomes) && outcomes.length > 0 ? `, earlier: ${outcomes.map(outcomeWord).join(', ')}` : '';
  return [
    `${approval_id} ${status}: ${question}`,
    `  asked by ${requested_by} (${requested_via}) ${utc(requested_at)}, ${status === 'pending' ? `open until ${utc(expires_at)}, ` : ''}${answers.length} of ${approvals_needed} answered${earlier}`,
    ...answers.map(
      ({ name, decision, reason, at }) => `  ${name}: ${decision} ${utc(at)}${reason ? ` (${reason})` : ''}`,
    ),
    ...(outcome === null ? [] : [`  ${outcome}`]),
  ].join('\n');
}

function outcomeWord(outcome: unknown): string {
  return typeof outcome === 'object' && outcome !== null && 'status' in outcome ? String(outcome.status) : 'unknown';
}
