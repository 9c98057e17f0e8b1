/** Carries tickets from the outbox to the ticket system: signed, recognisable when repeated, and wary of odd answers. */
import { createHmac } from 'node:crypto';
import type { DeliveryOutcome, Messenger } from '../core/messagePorts.ts';
import { TICKET_MESSENGER } from '../core/ticketing.ts';
import type { TicketLink } from '../domain/alert.ts';
import type { StoredMessage } from '../domain/outbox.ts';
import type { TicketFields } from '../domain/ticket.ts';
import { linkIn, mappedBody, type TicketMapping } from '../domain/ticketMapping.ts';

export interface TicketSystem {
  url: string;
  /** Signs what is sent; empty: not signed. */
  secret: string;
  /** How a ticket looks there; null: our own JSON. */
  mapping: TicketMapping | null;
  /** The value of an environment variable that a mapping names; null when it is not set. */
  secretOf(name: string): string | null;
  nowMs(): number;
  /** Keeps what the other system calls the ticket. */
  link(ticketId: string, link: TicketLink): Promise<void>;
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
    async deliver({ messages, idempotencyKey }) {
      const [message] = messages;
      if (!message) return { outcome: 'delivered' };
      // The payload is what openTicketIn stored.
      const ticket = message.payload as Record<string, unknown> & TicketFields;
      const { mapping } = system;
      const body = mapping ? mappedBody(mapping, ticket) : ticket;
      if (body === null)
        return { outcome: 'refused', reason: `the mapping ${mapping?.name} has no value for this ticket` };
      const headers = headersFor(system, JSON.stringify(body), idempotencyKey);
      if ('missing' in headers) return { outcome: 'later', reason: `the variable ${headers.missing} is not set` };
      const response = await fetch(system.url, {
        method: 'POST',
        body: JSON.stringify(body),
        headers,
        // A ticket, and the credentials with it, must not follow to another address.
        redirect: 'manual',
        signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
      });
      const text = await readText(response);
      const answer = judge(response, text, mapping);
      if ('outcome' in answer) return answer;
      if (answer.link) await system.link(ticket.id, answer.link);
      return { outcome: 'delivered' };
    },
  };
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

/** Statuses by which a system says that this very ticket is wrong; all others may be over tomorrow. */
const REFUSALS = new Set([400, 413, 422]);

function judge(
  response: Response,
  text: string,
  mapping: TicketMapping | null,
): DeliveryOutcome | { link: TicketLink | null } {
  const { status } = response;
  const later = (reason: string): DeliveryOutcome => ({ outcome: 'later', reason, ...waitOf(response) });
  if (status >= 300 && status < 400)
    return later(
      `the ticket system answered ${status} and leads elsewhere; DEX_TICKET_WEBHOOK_URL must be its final address`,
    );
  if (REFUSALS.has(status))
    return { outcome: 'refused', reason: `the ticket system refused it with ${status}: ${text.slice(0, 200)}` };
  if (status < 200 || status >= 300) return later(`the ticket system answered ${status}: ${text.slice(0, 200)}`);
  if (text.trim() === '') return mapping ? later('the ticket system answered with nothing') : { link: null };
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    // A login page or a proxy's greeting: nobody took the ticket.
    return later(`the ticket system answered ${status} with something other than JSON: ${text.slice(0, 100)}`);
  }
  const link = linkIn(answer, mapping?.answer ?? OWN_ANSWER);
  if (mapping && !link) return later(`the ticket system answered without an id: ${text.slice(0, 200)}`);
  return { link };
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
