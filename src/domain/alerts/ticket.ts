/** Tickets: what is sent to the other system about an alert, and which of its updates are new. */

import type { Endpoint } from '../fleet/endpoint.ts';
import type { Alert, Severity } from './alert.ts';

/** `lost`: it could not be delivered and never came to be. */
const TICKET_STATUSES = ['open', 'in_progress', 'resolved', 'lost'] as const;
export type TicketStatus = (typeof TICKET_STATUSES)[number];

/** What is sent to the other system about a ticket. */
type TicketUpdate = 'opened' | 'resolved' | 'reopened';

export const TICKET_EVENTS = ['in_progress', 'resolved', 'reopened', 'comment'] as const;
type TicketEventKind = (typeof TICKET_EVENTS)[number];

/** The fields of a ticket as they go out. */
export interface TicketFields {
  id: string;
  event: TicketUpdate;
  title: string;
  description: string;
  severity: Severity;
  hostname: string;
  alert_id: number;
  alert_name: string;
  owner_email: string | null;
  persona: string;
  criticality_tier: number;
  /** Why it was opened, closed or opened again. */
  comment: string;
  created_at: string;
  url: string;
}

export interface Ticket {
  /** Ours; the other system's is `externalId`. */
  id: string;
  alertId: number;
  status: TicketStatus;
  externalId: string | null;
  /** What the other system wants to be called with about it, where that is another name than the one people use. */
  externalRef: string | null;
  url: string | null;
  createdAt: Date;
  /** When the other system took it; null until then. */
  openedAt: Date | null;
  /** When its newest status came about, here or there. */
  statusAt: Date | null;
}

/** An update from the other system about one ticket. */
export interface TicketEvent {
  kind: TicketEventKind;
  /** When it happened there. */
  at: Date;
  comment: string | null;
  author: string | null;
}

/** Untrusted messages may be long; no ticket system wants more in a description. */
const MAX_DESCRIPTION = 10_000;

export function isOpenTicket({ status }: Pick<Ticket, 'status'>): boolean {
  return status === 'open' || status === 'in_progress';
}

export function ticketFields(
  { id, createdAt }: Pick<Ticket, 'id' | 'createdAt'>,
  event: TicketUpdate,
  alert: Alert,
  endpoint: Pick<Endpoint, 'ownerEmail' | 'persona' | 'criticalityTier'>,
  why: string,
  severity: Severity,
  baseUrl: string,
): TicketFields {
  return {
    id,
    event,
    title: `${alert.alertName} on ${alert.hostname}`,
    description: (event === 'opened' ? `${alert.message}\nWhy a person: ${why}.` : alert.message).slice(
      0,
      MAX_DESCRIPTION,
    ),
    severity,
    hostname: alert.hostname,
    alert_id: alert.id,
    alert_name: alert.alertName,
    owner_email: endpoint.ownerEmail,
    persona: endpoint.persona,
    criticality_tier: endpoint.criticalityTier,
    comment: why.slice(0, MAX_DESCRIPTION),
    created_at: createdAt.toISOString(),
    url: `${baseUrl}/api/v1/dex/alerts/${alert.id}`,
  };
}

/** The status an event brings a ticket to; null when it changes none, or comes after a newer one. */
export function statusAfter(ticket: Ticket, event: TicketEvent): TicketStatus | null {
  if (event.kind === 'comment') return null;
  if (ticket.statusAt !== null && event.at < ticket.statusAt) return null;
  const status = event.kind === 'reopened' ? 'open' : event.kind;
  return status;
}
