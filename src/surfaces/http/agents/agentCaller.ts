/** Which agent calls: from the bearer token in the request to its endpoint. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Actor } from '../../../core/actor.ts';
import { AppError } from '../../../core/errors.ts';
import type { Endpoint } from '../../../domain/fleet/endpoint.ts';
import { bearer } from '../auth.ts';

/** The endpoint that a token was issued for; null for any other token. */
export type EndpointOf = (token: string) => Promise<Endpoint | null>;

export function agentActor(hostname: string): Actor {
  return { id: `agent:${hostname}`, name: hostname, kind: 'system', via: 'agent', role: 'operator' };
}

/** @throws AppError `unauthenticated` for a token that no agent has */
export async function authenticateAgent(
  headers: IncomingHttpHeaders,
  endpointOf: EndpointOf,
): Promise<{ endpoint: Endpoint; token: string }> {
  const token = bearer(headers);
  const endpoint = token ? await endpointOf(token) : null;
  if (token && endpoint) return { endpoint, token };
  throw new AppError(
    'unauthenticated',
    'This is no token of a registered endpoint: enrol the machine again, or register it with the collector push and give its agent the token.',
  );
}
