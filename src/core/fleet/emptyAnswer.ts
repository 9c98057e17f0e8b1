/** What an empty list says: of how many it is none, and under which filter, so that it is no false all-clear. */
import { z } from 'zod';
import type { Ports } from '../ports/ports.ts';
import { staleBefore } from '../scores/staleness.ts';
import { notRegistered } from './hostLookup.ts';

/** Only with an answer that holds nothing. */
export const searchedShape = z.object({
  filter: z.string(),
  /** How many there are without the filter. */
  without_filter: z.number().int(),
  machines: z.number().int(),
});

/** The filter in words: `severity critical, hostname web-01`. */
export function filterText(filter: Record<string, unknown>): string {
  return Object.entries(filter)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([field, value]) => `${field.replaceAll('_', ' ')} ${String(value)}`)
    .join(', ');
}

/** How many machines are watched. */
export async function machineCount(ports: Ports, now: Date): Promise<number> {
  const { total } = await ports.store.endpoints.list({}, { limit: 1, offset: 0 }, staleBefore(ports, now));
  return total;
}

/** @throws AppError `not_found` when no machine of this name is registered: an empty list would look like an all-clear */
export async function requireKnownHost({ store }: Ports, hostname: string): Promise<void> {
  if (!(await store.endpoints.get(hostname))) throw notRegistered(hostname);
}
