/** Tickets, and the deliveries of the ticket system, in the database. */
import type { InferEntity } from '@mikro-orm/core';
import type { TicketRepository } from '../../../core/ports/alertPorts.ts';
import type { Ticket } from '../../../domain/alerts/ticket.ts';
import { TicketDeliveryRow, TicketRow } from '../entities/healing.ts';
import { chunked, type DbSession, plain } from '../rows.ts';

export function ticketRepository(session: DbSession): TicketRepository {
  return {
    async add(ticket) {
      await session().insert(TicketRow, ticket);
    },

    async get(id) {
      const row = await session().findOne(TicketRow, { id });
      return row && toTicket(row);
    },

    async byExternalId(externalId) {
      const row = await session().findOne(TicketRow, { externalId }, { orderBy: { createdAt: 'desc' } });
      return row && toTicket(row);
    },

    async ofAlerts(alertIds) {
      const rows: InferEntity<typeof TicketRow>[] = [];
      for (const chunk of chunked([...alertIds])) {
        rows.push(
          ...(await session().find(TicketRow, { alertId: { $in: chunk } }, { orderBy: { createdAt: 'desc' } })),
        );
      }
      return rows.map(toTicket);
    },

    async update(id, patch) {
      await session().nativeUpdate(TicketRow, { id }, patch);
    },

    async noteDelivery(deliveryId, now) {
      const rows = await session().execute<{ id: string }[]>(
        'insert into ticket_delivery (id, received_at) values (?, ?) on conflict (id) do nothing returning id',
        [deliveryId, now],
      );
      return rows.length === 1;
    },

    pruneDeliveries: (before) => session().nativeDelete(TicketDeliveryRow, { receivedAt: { $lt: before } }),
  };
}

function toTicket(row: InferEntity<typeof TicketRow>): Ticket {
  return plain(TicketRow, row);
}
