/** Tickets: handing an alert to people outside through the outbox, and taking in what their system says of it. */
import type { Alert, Severity, TicketLink } from '../domain/alert.ts';
import { acknowledge, advance, type Move, type Refusal, resolve } from '../domain/alertMoves.ts';
import type { Endpoint } from '../domain/endpoint.ts';
import { statusAfter, type Ticket, type TicketEvent, ticketFields } from '../domain/ticket.ts';
import { type Actor, jobActor } from './actor.ts';
import { announce, type Changes, requireAlert, writeMoves } from './alerting.ts';
import { AppError } from './errors.ts';
import type { Ports } from './ports.ts';
import type { Store } from './storePorts.ts';

/** The messenger of the outbox that carries tickets. */
export const TICKET_MESSENGER = 'ticket';

const MAX_COMMENT = 2_000;
const DELIVERIES_KEPT_MS = 7 * 86_400_000;

const TICKETS = jobActor('tickets');

/** Opens a ticket inside the transaction that gives the alert to a person; an alert whose ticket is open gets no second one. */
export async function openTicketIn(
  ports: Ports,
  store: Store,
  alert: Alert,
  endpoint: Endpoint,
  why: string,
  severity: Severity,
): Promise<void> {
  if (!ports.settings.tickets || (await store.tickets.openOf(alert.id))) return;
  const now = ports.clock.now();
  const id = ports.ids.next();
  const fields = ticketFields(id, alert, endpoint, why, severity, ports.settings.publicUrl, now);
  await store.tickets.add({
    id,
    alertId: alert.id,
    status: 'open',
    externalId: null,
    url: null,
    createdAt: now,
    statusAt: null,
  });
  await store.outbox.add(
    [
      {
        messenger: TICKET_MESSENGER,
        kind: 'raised',
        subject: `ticket:${id}`,
        idempotencyKey: `ticket:${id}`,
        payload: { ...fields },
      },
    ],
    now,
  );
}

/** Keeps what the other system calls the ticket, on the ticket and on its alert. */
export async function linkTicket(ports: Ports, ticketId: string, link: TicketLink): Promise<void> {
  const changes = await ports.store.transaction(async (store) => {
    const ticket = await store.tickets.get(ticketId);
    if (!ticket || ticket.externalId === link.id) return null;
    await store.tickets.update(ticketId, { externalId: link.id, url: link.url });
    const alert = await holdAlert(store, ticket.alertId);
    const move = advance(alert, alert.status, `ticket ${link.id} was opened`, ports.clock.now(), { ticket: link });
    return move.kind === 'refused' ? null : writeMoves(ports, store, [move], TICKETS);
  });
  if (changes) await announce(ports, changes);
}

export interface TicketWord extends TicketEvent {
  deliveryId: string;
  /** The ticket's id, theirs or ours. */
  ticketId: string;
}

/** `stale`: it came after newer news and changes nothing. */
export type TicketWordOutcome = 'taken' | 'duplicate' | 'stale';

/** Takes one word of the ticket system; a repeat changes nothing. @throws AppError `not_found` for a ticket that is not ours */
export async function takeTicketWord(ports: Ports, word: TicketWord, actor: Actor): Promise<TicketWordOutcome> {
  const { outcome, changes } = await ports.store.transaction(
    async (store): Promise<{ outcome: TicketWordOutcome; changes: Changes | null }> => {
      const ticket = (await store.tickets.byExternalId(word.ticketId)) ?? (await store.tickets.get(word.ticketId));
      if (!ticket)
        throw new AppError('not_found', `No ticket ${word.ticketId} was opened from here.`, {
          ticket_id: word.ticketId,
        });
      const alert = await holdAlert(store, ticket.alertId);
      if (!(await store.tickets.noteDelivery(word.deliveryId, ports.clock.now())))
        return { outcome: 'duplicate', changes: null };
      // Read again now that the endpoint is held: another delivery may have changed it meanwhile.
      const current = (await store.tickets.get(ticket.id)) ?? ticket;
      const status = statusAfter(current, word);
      if (status === null && word.kind !== 'comment') return { outcome: 'stale', changes: null };
      if (status !== null) await store.tickets.update(ticket.id, { status, statusAt: word.at });
      const move = await moveFor(store, alert, current, word, ports.clock.now());
      return {
        outcome: 'taken',
        changes: move.kind === 'refused' ? null : await writeMoves(ports, store, [move], actor),
      };
    },
  );
  if (changes) await announce(ports, changes);
  return outcome;
}

/** What a ticket's word does to its alert. */
async function moveFor(
  store: Store,
  alert: Alert,
  ticket: Ticket,
  word: TicketWord,
  now: Date,
): Promise<Move<Alert> | Refusal> {
  const name = `ticket ${ticket.externalId ?? ticket.id}`;
  const note = (why: string) => advance(alert, alert.status, why, now);
  switch (word.kind) {
    case 'comment':
      return note(`${name}, ${word.author ?? 'somebody'}: ${(word.comment ?? '').slice(0, MAX_COMMENT)}`);
    case 'in_progress':
      return alert.status === 'needs_human'
        ? acknowledge(alert, name, null, `${name} is being worked on`, now)
        : note(`${name} is being worked on`);
    case 'resolved':
      return alert.status === 'resolved'
        ? note(`${name} was resolved`)
        : resolve(alert, 'ticket', `${name} was resolved`, now);
    case 'reopened': {
      const others = await store.alerts.recent([alert], now);
      const successor = others.find(({ id, status }) => id !== alert.id && status !== 'resolved');
      return alert.status === 'resolved' && !successor
        ? advance(alert, 'needs_human', `${name} was opened again`, now)
        : note(`${name} was opened again`);
    }
  }
}

/** Deliveries that cannot come again by their age are forgotten. */
export async function forgetDeliveries(ports: Ports): Promise<void> {
  await ports.store.tickets.pruneDeliveries(new Date(ports.clock.now().getTime() - DELIVERIES_KEPT_MS));
}

async function holdAlert(store: Store, alertId: number): Promise<Alert> {
  await store.endpoints.hold([(await requireAlert(store, alertId)).endpointId]);
  return requireAlert(store, alertId);
}
