/** Carries tickets and what becomes of them from the outbox to the ticket system: signed, recognisable when repeated, and wary of odd answers. */
import { createHmac } from 'node:crypto';
import { TICKET_MESSENGER } from '../core/alerts/ticketUpdates.ts';
import type { DeliveryOutcome, Messenger } from '../core/ports/messagePorts.ts';
import type { Ticket, TicketFields } from '../domain/alerts/ticket.ts';
import {
  mappedBody,
  saysDone,
  type TakenTicket,
  type TicketMapping,
  takenTicketIn,
  updateAddress,
} from '../domain/alerts/ticketMapping.ts';
import type { StoredMessage } from '../domain/outbox.ts';

export interface TicketSystem {
  url: string;
  /** Signs what is sent; empty: not signed. */
  secret: string;
  /** How a ticket looks there; null: our own JSON. */
  mapping: TicketMapping | null;
  /** The value of an environment variable that a mapping names; null when it is not set. */
  secretOf(name: string): string | null;
  nowMs(): number;
  /** The ticket as it is kept here. */
  find(ticketId: string): Promise<Ticket | null>;
  /** Keeps that the other system took it, and what it calls it if it said so. */
  taken(ticketId: string, taken: TakenTicket | null): Promise<void>;
  givenUp(messages: readonly StoredMessage[], reason: string): Promise<void>;
}

const ANSWER_LIMIT_MS = 15_000;
const MAX_ANSWER_BYTES = 1024 * 1024;
const PACE_MS = 200;

/** What our own receivers may answer; a mapping says its own. */
const OWN_ANSWER = { id: 'id', url: 'url' };

export function createTicketMessenger(system: TicketSystem): Messenger {
  return {
    name: TICKET_MESSENGER,
    paceMs: PACE_MS,
    givenUp: system.givenUp,
    async deliver({ messages }) {
      const opening = messages.find((message) => notificationsIn(message).event === 'opened');
      // Of several updates only the last says how things are.
      const update = messages.findLast((message) => notificationsIn(message).event !== 'opened');
      const [first] = messages;
      const before = first ? await system.find(notificationsIn(first).id) : null;
      if (opening && before?.openedAt === null) {
        const outcome = await open(system, opening);
        if (outcome.outcome !== 'delivered') return outcome;
      }
      const ticket = update ? await system.find(notificationsIn(update).id) : null;
      if (!update || !ticket || ticket.status === 'lost') return { outcome: 'delivered' };
      if (ticket.openedAt === null)
        return { outcome: 'failed', reason: 'the ticket itself has not been delivered yet' };
      return notifySystem(system, update, ticket);
    },
  };
}

/** The payload is what core/ticketNews stored. */
function notificationsIn({ payload }: StoredMessage): TicketFields {
  return payload as Record<string, unknown> & TicketFields;
}

async function open(system: TicketSystem, message: StoredMessage): Promise<DeliveryOutcome> {
  const { mapping, url } = system;
  const fields = notificationsIn(message);
  const body = mapping ? mappedBody(mapping, { ...fields, external_id: null, external_ref: null }) : fields;
  if (body === null) return noValue(mapping);
  const answer = await send(system, 'POST', url, body, message.idempotencyKey);
  if ('outcome' in answer) return answer;
  if (mapping && answer.text === '') return { outcome: 'failed', reason: 'the ticket system answered with nothing' };
  const taken = takenTicketIn(answer.json, mapping?.answer ?? OWN_ANSWER);
  if (mapping && !taken)
    return { outcome: 'failed', reason: `the ticket system answered without an id: ${answer.text.slice(0, 200)}` };
  await system.taken(fields.id, taken);
  return { outcome: 'delivered' };
}

/** Statuses of a ticket that is there no more: closing it is done. */
const GONE = new Set([404, 410]);

/** Reports that a ticket was closed or opened again. */
async function notifySystem(system: TicketSystem, message: StoredMessage, ticket: Ticket): Promise<DeliveryOutcome> {
  const { mapping, url } = system;
  const named = { ...notificationsIn(message), external_id: ticket.externalId, external_ref: ticket.externalRef };
  const { external_ref: _alike, ...own } = named;
  const body = mapping ? mappedBody(mapping.update, named) : own;
  const address = mapping ? updateAddress(url, mapping, ticket.externalRef) : url;
  if (body === null) return noValue(mapping);
  if (address === null)
    return {
      outcome: 'refused',
      reason: `the ticket system calls it ${ticket.externalRef}, which cannot be part of an address`,
    };
  const answer = await send(system, mapping?.update.method ?? 'POST', address, body, message.idempotencyKey);
  if ('outcome' in answer) {
    const gone = answer.status !== undefined && GONE.has(answer.status);
    return gone && named.event === 'resolved' ? { outcome: 'delivered' } : answer;
  }
  if (mapping && !saysDone(answer.json, mapping))
    return { outcome: 'refused', reason: `the ticket system did not do it: ${answer.text.slice(0, 200)}` };
  return { outcome: 'delivered' };
}

function noValue(mapping: TicketMapping | null): DeliveryOutcome {
  return { outcome: 'refused', reason: `the mapping ${mapping?.name} has no value for this ticket` };
}

async function send(
  system: TicketSystem,
  method: string,
  url: string,
  body: unknown,
  idempotencyKey: string,
): Promise<{ text: string; json: unknown } | (DeliveryOutcome & { status?: number })> {
  const headers = headersFor(system, JSON.stringify(body), idempotencyKey);
  if ('missing' in headers) return { outcome: 'later', reason: `the variable ${headers.missing} is not set` };
  try {
    const response = await fetch(url, {
      method,
      body: JSON.stringify(body),
      headers,
      // A ticket, and the credentials with it, must not follow to another address.
      redirect: 'manual',
      signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
    });
    return judge(response, await readText(response));
  } catch (error) {
    const { message, cause } = error as Error;
    const reason = cause instanceof Error ? cause.message || message : message;
    return { outcome: 'later', reason: `the ticket system cannot be reached: ${reason}` };
  }
}

function headersFor(
  { secret, mapping, secretOf, nowMs }: TicketSystem,
  body: string,
  idempotencyKey: string,
): Record<string, string> | { missing: string } {
  const headers: Record<string, string> = {
    'Content-Type': 'application/json',
    Accept: 'application/json',
    'User-Agent': 'DexOps',
    'Idempotency-Key': idempotencyKey,
  };
  if (secret !== '') {
    const timestamp = String(Math.floor(nowMs() / 1000));
    headers['X-DexOps-Timestamp'] = timestamp;
    headers['X-DexOps-Signature'] =
      `sha256=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`;
  }
  for (const [header, variable] of Object.entries(mapping?.headers ?? {})) {
    const value = secretOf(variable);
    if (value === null) return { missing: variable };
    headers[header] = value;
  }
  return headers;
}

/** Statuses by which a system says that this very ticket is wrong. */
const REFUSALS = new Set([400, 413, 422]);
/** Statuses that are about this ticket, or about what it met there; those of others say no. */
const UNCLEAR = new Set([404, 405, 406, 409, 410, 412, 414, 415, 423, 424, 431, 451]);

function judge(
  response: Response,
  text: string,
): { text: string; json: unknown } | (DeliveryOutcome & { status: number }) {
  const { status } = response;
  const later = (reason: string) => ({ outcome: 'later' as const, status, reason, ...waitOf(response) });
  if (status >= 300 && status < 400)
    return later(
      `the ticket system answered ${status} and leads elsewhere; DEX_TICKET_WEBHOOK_URL must be its final address`,
    );
  if (REFUSALS.has(status))
    return { outcome: 'refused', status, reason: `the ticket system refused it with ${status}: ${text.slice(0, 200)}` };
  if (UNCLEAR.has(status))
    return { outcome: 'failed', status, reason: `the ticket system answered ${status}: ${text.slice(0, 200)}` };
  if (status < 200 || status >= 300) return later(`the ticket system answered ${status}: ${text.slice(0, 200)}`);
  if (text.trim() === '') return { text: '', json: null };
  try {
    return { text, json: JSON.parse(text) };
  } catch {
    // A login page or a proxy's greeting: nobody took the ticket.
    return later(`the ticket system answered ${status} with something other than JSON: ${text.slice(0, 100)}`);
  }
}

/** Retry-After in seconds, at most an hour. */
function waitOf(response: Response): { afterMs?: number } {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  return seconds > 0 ? { afterMs: Math.min(seconds, 3600) * 1000 } : {};
}

/** Reads at most so much of an answer, whatever the other side sends. */
async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_ANSWER_BYTES) break;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
