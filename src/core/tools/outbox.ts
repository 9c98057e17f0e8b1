/** Tools for messages that could not be delivered: which there are, and sending them again. */
import { z } from 'zod';
import { AppError } from '../errors.ts';
import { iso } from '../present.ts';
import { pageInput, timestamp } from '../shapes.ts';
import { defineTool } from '../tool.ts';

/** People mend the cause outside, in Slack or the ticket system; a model that plans by itself has no part in that. */
const NOT_FOR_MODELS = ['planner'] as const;

const messengerInput = z.string().max(64).optional().describe('Only of this messenger: slack, ticket, survey');

const deadMessageShape = z.object({
  id: z.number().int(),
  messenger: z.string(),
  subject: z.string(),
  reason: z.string(),
  created_at: timestamp,
  given_up_at: timestamp,
});

export const listDeadMessages = defineTool({
  name: 'list_dead_messages',
  title: 'List undelivered messages',
  effect: 'read',
  reach: 'fleet',
  toolset: 'admin',
  role: 'operator',
  hiddenFrom: NOT_FOR_MODELS,
  description:
    'Messages to Slack or the ticket system that were given up, with the reason, newest first. {resend_message} sends them again once the cause is mended.',
  http: { method: 'GET', path: '/api/v1/outbox' },
  command: { name: 'outbox', args: [], example: 'outbox --messenger slack' },
  input: z.strictObject({ messenger: messengerInput, ...pageInput }),
  output: z.object({ messages: z.array(deadMessageShape), total: z.number().int() }),
  async run({ messenger, ...page }, { ports }) {
    const { items, total } = await ports.store.outbox.deadLetters(messenger, page);
    const messages = items.map(({ id, messenger, subject, reason, createdAt, givenUpAt }) => ({
      id,
      messenger,
      subject,
      reason,
      created_at: iso(createdAt),
      given_up_at: iso(givenUpAt),
    }));
    return { messages, total };
  },
  summary: ({ messages, total }, callText) => {
    const [first] = messages;
    if (!first) return 'No message was given up.';
    const again = callText('resend_message', { message_id: first.id });
    return [
      `${total} message${total === 1 ? '' : 's'} could not be delivered.${again ? ` To send one again: ${again}` : ''}`,
      ...messages.map(
        ({ id, messenger, subject, reason, given_up_at }) =>
          `${id}: ${subject} to ${messenger}, given up ${given_up_at}: ${reason}`,
      ),
    ].join('\n');
  },
  rows: ({ messages }) => messages,
});

export const resendMessage = defineTool({
  name: 'resend_message',
  title: 'Send undelivered messages again',
  effect: 'write',
  reach: 'fleet',
  toolset: 'admin',
  reachesMany: ({ message_id }) => message_id === undefined,
  hiddenFrom: NOT_FOR_MODELS,
  description:
    'Send a message again that was given up, as {list_dead_messages} lists them; without message_id, all of them or all of one messenger.',
  http: { method: 'POST', path: '/api/v1/outbox/resend', status: 202 },
  command: { name: 'outbox resend', args: ['message_id'], example: 'outbox resend 42' },
  input: z.strictObject({
    message_id: z.coerce.number().int().min(1).optional().describe('One message; without it, all'),
    messenger: messengerInput,
  }),
  output: z.object({ queued: z.number().int() }),
  async run({ message_id, messenger }, { ports, now }) {
    const which = {
      ...(message_id !== undefined && { id: message_id }),
      ...(messenger !== undefined && { messenger }),
    };
    const queued = await ports.store.outbox.revive(which, now);
    if (queued === 0 && message_id !== undefined) {
      const next = [{ to: 'List the undelivered messages', tool: 'list_dead_messages' }];
      throw new AppError('not_found', `No undelivered message has the id ${message_id}.`, { message_id }, { next });
    }
    return { queued };
  },
  summary: ({ queued }) =>
    queued === 0
      ? 'No message was given up; there is nothing to send again.'
      : `${queued} message${queued === 1 ? ' is' : 's are'} sent again.`,
});
