/** The question to the person in front of a client, and what their reply decides. */
import type { ApprovalDecision } from '../src/domain/healing/approval.ts';

/** The parameters of an elicitation with one required answer; nothing is ticked beforehand, so that an empty form decides nothing. */
export function questionForm(message: string) {
  return {
    mode: 'form' as const,
    message,
    requestedSchema: {
      type: 'object' as const,
      properties: { confirm: { type: 'boolean' as const, title: 'Yes, do it' } },
      required: ['confirm'],
    },
  };
}

/**
 * Only a ticked or an unticked box is an answer. Clients decline and cancel by themselves, so that neither, nor a failure, nor a form
 * without the box, says what the person thinks: null.
 */
export function decisionOf(
  reply: { action: string; content?: Record<string, unknown> } | null,
): ApprovalDecision | null {
  if (reply?.action !== 'accept') return null;
  if (reply.content?.confirm === true) return 'approve';
  return reply.content?.confirm === false ? 'deny' : null;
}
