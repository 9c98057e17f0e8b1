/** Turning a ticket of ours into the body that another system expects, and reading that system's answer. */
import type { TicketFields } from './ticket.ts';

/** What a mapping may use: the ticket's fields, and once it was taken what the other system calls it. */
export interface MappedFields extends TicketFields {
  external_id: string | null;
  external_ref: string | null;
}

/** How a body is made. */
interface BodyMapping {
  derive: Record<string, { from: keyof MappedFields; values: Record<string, string | number> }>;
  body: Json;
}

export interface TicketMapping extends BodyMapping {
  name: string;
  /** Matches the address that this mapping is for. */
  target: RegExp;
  /** Header → name of the environment variable that holds its whole value. */
  headers: Record<string, string>;
  /** Where the answer holds the ticket's id, its address and the name that updates want; dots go deeper. */
  answer: { id: string; url?: string; ref?: string };
  /** How the other system is notified that a ticket was closed or opened again. */
  update: BodyMapping & {
    method: 'POST' | 'PUT' | 'PATCH';
    /** What is added to the address that tickets are opened at. */
    path: string;
    /** Where the answer says true when it was done; absent where the status says it. */
    success?: string;
  };
}

/** What the other system calls a ticket that it took. */
export interface TakenTicket {
  id: string;
  url: string | null;
  /** What updates have to call it by. */
  ref: string;
}

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** A string that is one placeholder takes over the value as it is; inside a longer string it is filled in. */
const PLACEHOLDER = /\{\{ ticket\.([a-z_]+) \}\}/g;
const ONLY_PLACEHOLDER = /^\{\{ ticket\.([a-z_]+) \}\}$/;

/** @returns null when a derived field has no value for what the ticket says */
export function mappedBody({ derive, body }: BodyMapping, fields: MappedFields): Json | null {
  const known: Record<string, Json> = { ...fields };
  for (const [name, { from, values }] of Object.entries(derive)) {
    const value = values[String(fields[from])];
    if (value === undefined) return null;
    known[name] = value;
  }
  return fill(body, known);
}

function fill(node: Json, known: Record<string, Json>): Json {
  if (typeof node === 'string') {
    const only = ONLY_PLACEHOLDER.exec(node)?.[1];
    if (only !== undefined) return known[only] ?? null;
    return node.replace(PLACEHOLDER, (_whole, field: string) => String(known[field] ?? ''));
  }
  if (Array.isArray(node)) return node.map((item) => fill(item, known));
  if (node === null || typeof node !== 'object') return node;
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, fill(value, known)]));
}

const MAX_ID = 200;
const MAX_URL = 2000;

/** A name that may become part of an address: another system's text, so nothing that leads elsewhere. */
const REF = /^[A-Za-z0-9_-]{1,100}$/;

/** The address of an update; null when the ticket's name cannot be part of one. */
export function updateAddress(base: string, { update }: TicketMapping, ref: string | null): string | null {
  const path = update.path.replaceAll('{{ ticket.external_ref }}', ref ?? '');
  return path === update.path || (ref !== null && REF.test(ref)) ? base + path : null;
}

/** What the other system calls the ticket; null when its answer does not say. Addresses other than http(s) are dropped. */
export function takenTicketIn(answer: unknown, { id, url, ref }: TicketMapping['answer']): TakenTicket | null {
  const name = nameAt(answer, id);
  if (name === null) return null;
  const address = url === undefined ? undefined : at(answer, url);
  const isLink = typeof address === 'string' && /^https?:\/\//.test(address) && address.length <= MAX_URL;
  return { id: name, url: isLink ? address : null, ref: (ref === undefined ? null : nameAt(answer, ref)) ?? name };
}

function nameAt(answer: unknown, path: string): string | null {
  const found = at(answer, path);
  return typeof found === 'string' || typeof found === 'number' ? String(found).slice(0, MAX_ID) : null;
}

/** Whether an answer says that an update was done. */
export function saysDone(answer: unknown, { update }: TicketMapping): boolean {
  return update.success === undefined || at(answer, update.success) === true;
}

function at(node: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((inner, key) => {
    if (typeof inner !== 'object' || inner === null || !Object.hasOwn(inner, key)) return undefined;
    return (inner as Record<string, unknown>)[key];
  }, node);
}
