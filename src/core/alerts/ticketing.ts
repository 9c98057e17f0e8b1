/** Tickets as the ticket system speaks of them: its names for them, and its updates on what became of them. */
import type { Alert } from '../../domain/alerts/alert.ts';
import { acknowledge, advance, type Move, type Refusal, resolve } from '../../domain/alerts/alertMoves.ts';
import { isOpenTicket, statusAfter, type Ticket, type TicketEvent } from '../../domain/alerts/ticket.ts';
import type { TakenTicket } from '../../domain/alerts/ticketMapping.ts';
import type { StoredMessage } from '../../domain/outbox.ts';
import { type Actor, jobActor } from '../actor.ts';
import { AppError } from '../errors.ts';
import { notice } from '../outbox/messages.ts';
import type { Ports } from '../ports/ports.ts';
import type { Store } from '../ports/storePorts.ts';
import { announce, type Changes, requireAlert, writeMoves } from './alerting.ts';

const MAX_COMMENT = 2_000;
const DELIVERIES_KEPT_MS = 7 * 86_400_000;

const TICKETS = jobActor('tickets');

/** The other system took a ticket: keeps that, and what it calls it if it said so, on the ticket and on its alert. */
export async function ticketTaken(ports: Ports, ticketId: string, taken: TakenTicket | null): Promise<void> {
  const changes = await ports.store.transaction(async (store) => {
    const ticket = await store.tickets.get(ticketId);
    if (!ticket) return null;
    const now = ports.clock.now();
    const names = taken && { externalId: taken.id, externalRef: taken.ref, url: taken.url };
    await store.tickets.update(ticketId, {
      openedAt: ticket.openedAt ?? now,
      // It had been given up, and a person sent it again.
      ...(ticket.status === 'lost' && { status: 'open' as const }),
      ...names,
    });
    if (taken === null || ticket.externalId === taken.id) return null;
    const alert = await lockAlert(store, ticket.alertId);
    const link = { id: taken.id, url: taken.url };
    const move = advance(alert, alert.status, `ticket ${taken.id} was opened`, now, { ticket: link });
    return move.kind === 'refused' ? null : writeMoves(ports, store, [move], TICKETS);
  });
  if (changes) await announce(ports, changes);
}

/** What could never be delivered shows in the channel; a ticket that was never taken is none. */
export async function ticketGivenUp(ports: Ports, messages: readonly StoredMessage[], reason: string): Promise<void> {
  for (const { idempotencyKey, payload } of messages) {
    if (payload.event === 'opened') await ports.store.tickets.update(String(payload.id), { status: 'lost' });
    const what = payload.event === 'opened' ? 'delivered' : `told as ${payload.event}`;
    const text = `A ticket could not be ${what} and was given up: ${payload.title}. ${reason}`;
    await notice(ports, `given-up:${idempotencyKey}`, text);
  }
}

interface TicketWord extends TicketEvent {
  deliveryId: string;
  /** The ticket's id, theirs or ours. */
  ticketId: string;
}

/** `stale`: it came after newer news and changes nothing. */
type TicketWordOutcome = 'taken' | 'duplicate' | 'stale';

/** Takes one update from the ticket system; a repeat changes nothing. @throws AppError `not_found` for a ticket that is not ours */
export async function takeTicketWord(ports: Ports, word: TicketWord, actor: Actor): Promise<TicketWordOutcome> {
  const { outcome, changes } = await ports.store.transaction(
    async (store): Promise<{ outcome: TicketWordOutcome; changes: Changes | null }> => {
      const ticket = (await store.tickets.byExternalId(word.ticketId)) ?? (await store.tickets.get(word.ticketId));
      if (!ticket)
        throw new AppError('not_found', `No ticket ${word.ticketId} was opened from here.`, {
          ticket_id: word.ticketId,
        });
      const alert = await lockAlert(store, ticket.alertId);
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

/** The other system repeats what it was told from here. */
const ECHO: Refusal = { kind: 'refused', reason: 'it is known' };

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
      if (alert.status !== 'resolved') return resolve(alert, 'ticket', `${name} was resolved`, now);
      return isOpenTicket(ticket) ? note(`${name} was resolved`) : ECHO;
    case 'reopened': {
      if (alert.status !== 'resolved' && isOpenTicket(ticket)) return ECHO;
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

async function lockAlert(store: Store, alertId: number): Promise<Alert> {
  await store.endpoints.hold([(await requireAlert(store, alertId)).endpointId]);
  return requireAlert(store, alertId);
}
