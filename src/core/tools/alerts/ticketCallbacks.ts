/** The tool behind the ticket system's callbacks; people never call it. */
import { z } from 'zod';
import { TICKET_EVENTS } from '../../../domain/alerts/ticket.ts';
import { INTERFACES } from '../../actor.ts';
import { takeTicketWord } from '../../alerts/ticketing.ts';
import { timeInput } from '../../shapes.ts';
import { defineTool } from '../../tool.ts';

const id = z.union([z.string().trim().min(1).max(200), z.number().int().transform(String)]);

export const takeTicketWordTool = defineTool({
  name: 'take_ticket_word',
  title: 'Take in a ticket event',
  effect: 'write',
  reach: 'fleet',
  takesIn: 'tickets',
  hiddenFrom: INTERFACES.filter((face) => face !== 'webhook'),
  description: 'Take one update from the ticket system about a ticket: in progress, resolved, reopened or a comment.',
  input: z
    .looseObject({
      delivery_id: id.describe('The same at every repeat of this delivery'),
      ticket_id: id.describe("The ticket system's id, or ours"),
      event: z.enum(TICKET_EVENTS),
      at: timeInput.describe('When it happened there'),
      comment: z.string().max(20_000).optional(),
      author: z.string().max(200).optional(),
    })
    .refine(({ event, comment }) => event !== 'comment' || (comment ?? '').trim() !== '', {
      error: 'a comment needs its text',
      path: ['comment'],
    }),
  output: z.object({ ok: z.literal(true), outcome: z.enum(['taken', 'duplicate', 'stale']) }),
  async run({ delivery_id, ticket_id, event, at, comment, author }, { ports, actor }) {
    const word = {
      deliveryId: delivery_id,
      ticketId: ticket_id,
      kind: event,
      at: new Date(at),
      comment: comment ?? null,
      author: author ?? null,
    };
    return { ok: true as const, outcome: await takeTicketWord(ports, word, actor) };
  },
  summary: ({ outcome }) => `The ticket's update was ${outcome === 'taken' ? 'taken' : `no news (${outcome})`}.`,
});
