/** What the ticket system is sent, through the outbox: a ticket opens with its alert, is closed when that ends, and opens again with it. */
import type { Alert, Severity } from '../../domain/alerts/alert.ts';
import { isOpenTicket, type Ticket, type TicketFields, ticketFields } from '../../domain/alerts/ticket.ts';
import type { Endpoint } from '../../domain/fleet/endpoint.ts';
import type { OutboxMessage } from '../../domain/outbox.ts';
import type { Ports } from '../ports/ports.ts';
import type { Store } from '../ports/storePorts.ts';

/** The messenger of the outbox that carries tickets. */
export const TICKET_MESSENGER = 'ticket';

/** Sees to a ticket inside the transaction that gives the alert to a person: an alert has one, which opens again when it was closed. */
export async function openTicketIn(
  ports: Ports,
  store: Store,
  alert: Alert,
  endpoint: Endpoint,
  why: string,
  severity: Severity,
): Promise<void> {
  if (!ports.settings.tickets) return;
  const [newest] = await store.tickets.ofAlerts([alert.id]);
  if (newest && isOpenTicket(newest)) return;
  const now = ports.clock.now();
  const { publicUrl } = ports.settings;
  if (newest?.status === 'resolved') {
    await store.tickets.update(newest.id, { status: 'open', statusAt: now });
    const fields = ticketFields(newest, 'reopened', alert, endpoint, why, severity, publicUrl);
    return store.outbox.add([ticketMessage(fields, ports.ids.next())], now);
  }
  const ticket: Ticket = {
    id: ports.ids.next(),
    alertId: alert.id,
    status: 'open',
    externalId: null,
    externalRef: null,
    url: null,
    createdAt: now,
    openedAt: null,
    statusAt: null,
  };
  await store.tickets.add(ticket);
  await store.outbox.add(
    [ticketMessage(ticketFields(ticket, 'opened', alert, endpoint, why, severity, publicUrl))],
    now,
  );
}

/** Closes the open tickets of alerts that ended, inside the transaction in which they did. */
export async function closeTicketsIn(
  ports: Ports,
  store: Store,
  ended: readonly { alert: Alert; why: string }[],
): Promise<void> {
  if (!ports.settings.tickets || ended.length === 0) return;
  const tickets = (await store.tickets.ofAlerts(ended.map(({ alert }) => alert.id))).filter(isOpenTicket);
  if (tickets.length === 0) return;
  const now = ports.clock.now();
  const endings = new Map(ended.map((ending) => [ending.alert.id, ending]));
  const ids = [...new Set(ended.map(({ alert }) => alert.endpointId))];
  const endpoints = new Map((await store.endpoints.byIds(ids)).map((endpoint) => [endpoint.id, endpoint]));
  const messages: OutboxMessage[] = [];
  for (const ticket of tickets) {
    const { alert, why } = endings.get(ticket.alertId) as { alert: Alert; why: string };
    const endpoint = endpoints.get(alert.endpointId);
    if (!endpoint) continue;
    await store.tickets.update(ticket.id, { status: 'resolved', statusAt: now });
    const fields = ticketFields(ticket, 'resolved', alert, endpoint, why, alert.severity, ports.settings.publicUrl);
    messages.push(ticketMessage(fields, ports.ids.next()));
  }
  await store.outbox.add(messages, now);
}

/** All about one ticket has one subject, so that it is sent in order. @param turn distinguishes what may happen more than once */
function ticketMessage(fields: TicketFields, turn?: string): OutboxMessage {
  return {
    messenger: TICKET_MESSENGER,
    kind: fields.event === 'opened' ? 'raised' : 'changed',
    subject: `ticket:${fields.id}`,
    idempotencyKey: turn === undefined ? `ticket:${fields.id}` : `ticket:${fields.id}:${fields.event}:${turn}`,
    payload: { ...fields },
  };
}
