/** The card of an approval: what would be done, how it went before, who has answered, and the two buttons while it waits. */
import { z } from 'zod';
import type { RelatedCall } from '../../../core/presentation.ts';
import { relatedBlocks } from './related.ts';
import {
  type Block,
  bullets,
  clip,
  dateElement,
  escapeText,
  header,
  mention,
  pageBlocks,
  paragraph,
  type Reply,
  textElement,
  who,
} from './text.ts';

/** What a card shows of an approval; the wire shape has more. */
export const approvalShown = z.object({
  approval_id: z.string(),
  kind: z.string(),
  alert_id: z.number().nullish(),
  status: z.string(),
  question: z.string(),
  plan: z.record(z.string(), z.unknown()),
  requested_by: z.string(),
  expires_at: z.string(),
  approvals_needed: z.number(),
  answers: z.array(z.object({ by: z.string(), name: z.string(), decision: z.string(), reason: z.string().nullable() })),
  outcome: z.string().nullable(),
});
type ApprovalShown = z.output<typeof approvalShown>;

const ENDS: Record<string, string> = {
  approved: '✅ Approved',
  denied: '⛔ Denied; nothing was done',
  expired: '⌛ Nobody answered in time; nothing was done',
  cancelled: 'No longer needed; nothing was done',
};

const MAX_QUESTION_CHARS = 1000;
const MAX_FACT_CHARS = 500;
const MOST_FACTS = 12;

const earlierOutcome = z.object({ status: z.string(), reason: z.string().nullable(), at: z.string() });

/** @param related the answers that can be given; none once it is decided */
export function approvalCard(approval: ApprovalShown, related: readonly RelatedCall[], page: string | null): Reply {
  const title = ENDS[approval.status] ?? '❓ Waiting for approval';
  return {
    text: escapeText(`${title}: ${approval.question}`),
    blocks: [
      header(title),
      paragraph(textElement(clip(approval.question, MAX_QUESTION_CHARS), { bold: true }), ...planLines(approval.plan)),
      ...earlier(approval.plan.last_outcomes),
      paragraph(...standing(approval)),
      ...pageBlocks(page),
      ...relatedBlocks(related),
    ],
  };
}

/** The same as a part of its alert's card, whose machine and message are there already. */
export function approvalSection(approval: ApprovalShown, approvers: readonly string[]): Block[] {
  const title = ENDS[approval.status] ?? '❓ Waiting for approval';
  const { hostname, owner_email, criticality_tier, alert_name, alert_message, ...plan } = approval.plan;
  if (approval.status !== 'pending')
    return [paragraph(textElement(`${title}. `, { bold: true }), ...standing(approval))];
  const may = approvers
    .slice(0, MOST_MENTIONED)
    .flatMap((id, i) => [...(i > 0 ? [textElement(', ')] : []), mention(id)]);
  return [
    paragraph(
      textElement(`${title}: ${clip(approval.question, MAX_QUESTION_CHARS)}`, { bold: true }),
      ...planLines(plan),
      ...(may.length > 0 ? [textElement('\nmay answer ', { bold: true }), ...may] : []),
    ),
    ...earlier(approval.plan.last_outcomes),
    paragraph(...standing(approval)),
  ];
}

/** That it waits for an answer, with a mention of whoever may give it. */
export function approvalAsk(approval: ApprovalShown, approvers: readonly string[]): Block {
  const mentions = approvers.slice(0, MOST_MENTIONED).flatMap((id) => [mention(id), textElement(' ')]);
  return paragraph(
    ...mentions,
    textElement('Waiting for approval: ', { bold: true }),
    textElement(`${clip(approval.question, MAX_QUESTION_CHARS)} Until `),
    dateElement(approval.expires_at),
    textElement('.'),
  );
}

/** That it expires soon, with a mention of whoever may answer. @param approvers ids of users and user groups */
export function approvalReminder(approval: ApprovalShown, approvers: readonly string[]): Reply {
  const mentions = approvers.slice(0, MOST_MENTIONED).flatMap((id) => [mention(id), textElement(' ')]);
  const missing = approval.approvals_needed - approval.answers.length;
  const what = missing > 1 ? `${missing} more answers are needed` : 'this still waits for an answer';
  return {
    text: escapeText(`A reminder: ${what}: ${approval.question}`),
    blocks: [
      paragraph(...mentions, textElement(`${what}, until `), dateElement(approval.expires_at), textElement('.')),
    ],
  };
}

const MOST_MENTIONED = 10;

type TextElement = ReturnType<typeof textElement>;

function planLines({ last_outcomes: _shownBelow, ...plan }: ApprovalShown['plan']): TextElement[] {
  return Object.entries(plan)
    .filter(([, value]) => value !== null && value !== '')
    .slice(0, MOST_FACTS)
    .flatMap(([name, value]) => [
      textElement(`\n${name.replaceAll('_', ' ')} `, { bold: true }),
      textElement(clip(valueText(value), MAX_FACT_CHARS)),
    ]);
}

function valueText(value: unknown): string {
  if (value === null || typeof value !== 'object') return String(value);
  const parts = Object.entries(value).map(([name, part]) => `${name}=${JSON.stringify(part)}`);
  return parts.length > 0 ? parts.join(', ') : 'none';
}

/** How the same has gone on this machine lately. */
function earlier(outcomes: unknown): Block[] {
  const read = z.array(earlierOutcome).safeParse(outcomes);
  if (!read.success) return [];
  if (read.data.length === 0)
    return [paragraph(textElement('It was not run on this machine before.', { italic: true }))];
  const lines = read.data.map(({ status, reason, at }) => [
    dateElement(at),
    textElement(` ${status.replaceAll('_', ' ')}${reason ? `: ${clip(reason, 200)}` : ''}`),
  ]);
  return [paragraph(textElement('Last outcomes', { bold: true })), bullets(lines)];
}

function standing(approval: ApprovalShown): TextElement[] {
  const { status, answers, approvals_needed, requested_by, expires_at, outcome } = approval;
  const said = answers.flatMap(({ by, name, decision, reason }) => [
    textElement('\n'),
    by.startsWith('slack:') ? who(by) : textElement(clip(name, 100)),
    textElement(` said ${decision === 'approve' ? 'yes' : 'no'}${reason ? `: ${clip(reason, MAX_FACT_CHARS)}` : ''}`),
  ]);
  if (status === 'pending') {
    const people = approvals_needed > 1 ? `, ${answers.length} of ${approvals_needed} people have approved` : '';
    return [textElement(`Asked by ${clip(requested_by, 100)}${people}. Open until `), dateElement(expires_at), ...said];
  }
  const follows =
    outcome ??
    (status === 'approved' && approval.kind === 'remediation' ? 'The alert’s own message shows how it goes.' : '');
  return [
    textElement(`Asked by ${clip(requested_by, 100)}.`),
    ...said,
    ...(follows ? [textElement(`\n${clip(follows, MAX_FACT_CHARS)}`)] : []),
  ];
}
