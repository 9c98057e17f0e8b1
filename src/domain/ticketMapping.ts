/** Turning a ticket of ours into the body that another system expects, and reading that system's answer. */
import type { TicketLink } from './alert.ts';
import type { TicketFields } from './ticket.ts';

export interface TicketMapping {
  name: string;
  /** Matches the address that this mapping is for. */
  target: RegExp;
  /** Header → name of the environment variable that holds its whole value. */
  headers: Record<string, string>;
  derive: Record<string, { from: keyof TicketFields; values: Record<string, string | number> }>;
  body: Json;
  /** Where the answer holds the ticket's id and address; dots go deeper. */
  answer: { id: string; url?: string };
}

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** A string that is one placeholder takes over the value as it is; inside a longer string it is filled in. */
const PLACEHOLDER = /\{\{ ticket\.([a-z_]+) \}\}/g;
const ONLY_PLACEHOLDER = /^\{\{ ticket\.([a-z_]+) \}\}$/;

/** @returns null when a derived field has no value for what the ticket says */
export function mappedBody({ derive, body }: TicketMapping, fields: TicketFields): Json | null {
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

/** What the other system calls the ticket; null when its answer does not say. Addresses other than http(s) are dropped. */
export function linkIn(answer: unknown, { id, url }: TicketMapping['answer']): TicketLink | null {
  const found = at(answer, id);
  if (typeof found !== 'string' && typeof found !== 'number') return null;
  const address = url === undefined ? undefined : at(answer, url);
  const isLink = typeof address === 'string' && /^https?:\/\//.test(address) && address.length <= MAX_URL;
  return { id: String(found).slice(0, MAX_ID), url: isLink ? address : null };
}

function at(node: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((inner, key) => {
    if (typeof inner !== 'object' || inner === null || !Object.hasOwn(inner, key)) return undefined;
    return (inner as Record<string, unknown>)[key];
  }, node);
}
