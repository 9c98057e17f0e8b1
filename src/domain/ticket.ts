/** Tickets: what the other system is told of an alert, and which of its words are news. */
import type { Alert, Severity } from './alert.ts';
import type { Endpoint } from './endpoint.ts';

export const TICKET_STATUSES = ['open', 'in_progress', 'resolved'] as const;
export type TicketStatus = (typeof TICKET_STATUSES)[number];

export const TICKET_EVENTS = ['in_progress', 'resolved', 'reopened', 'comment'] as const;
export type TicketEventKind = (typeof TICKET_EVENTS)[number];

/** The fields that a mapping may use, as they go out. */
export interface TicketFields {
  id: string;
  title: string;
  description: string;
  severity: Severity;
  hostname: string;
  alert_id: number;
  alert_name: string;
  owner_email: string | null;
  persona: string;
  criticality_tier: number;
  created_at: string;
  url: string;
}

export interface Ticket {
  /** Ours; the other system's is `externalId`. */
  id: string;
  alertId: number;
  status: TicketStatus;
  externalId: string | null;
  url: string | null;
  createdAt: Date;
  /** When the newest status the other system told of came about there. */
  statusAt: Date | null;
}

/** A word of the other system about one ticket. */
export interface TicketEvent {
  kind: TicketEventKind;
  /** When it happened there. */
  at: Date;
  comment: string | null;
  author: string | null;
}

/** Untrusted messages may be long; no ticket system wants more in a description. */
const MAX_DESCRIPTION = 10_000;

export function ticketFields(
  id: string,
  alert: Alert,
  endpoint: Endpoint,
  why: string,
  severity: Severity,
  baseUrl: string,
  now: Date,
): TicketFields {
  return {
    id,
    title: `${alert.alertName} on ${alert.hostname}`,
    description: `${alert.message}\nWhy a person: ${why}.`.slice(0, MAX_DESCRIPTION),
    severity,
    hostname: alert.hostname,
    alert_id: alert.id,
    alert_name: alert.alertName,
    owner_email: endpoint.ownerEmail,
    persona: endpoint.persona,
    criticality_tier: endpoint.criticalityTier,
    created_at: now.toISOString(),
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
