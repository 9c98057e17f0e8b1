/** Where push agents report: the bearer token says which endpoint speaks, and it can speak for no other. */

import type { IncomingHttpHeaders } from 'node:http';
import type Router from '@koa/router';
import type { Actor } from '../../core/actor.ts';
import { AppError } from '../../core/errors.ts';
import type { Invoke } from '../../core/invoke.ts';
import type { Endpoint } from '../../domain/fleet/endpoint.ts';
import { bearer } from './auth.ts';
import { createRouter } from './router.ts';

interface AgentSnapshotOptions {
  /** Takes in what is delivered. */
  tool: string;
  invoke: Invoke;
  /** The endpoint that a token was issued for; null for any other token. */
  endpointOf(token: string): Promise<Endpoint | null>;
}

export function agentSnapshotRoutes({ tool, invoke, endpointOf }: AgentSnapshotOptions): Router {
  const router = createRouter();
  router.post('/api/v1/dex/agent/snapshot', async (ctx) => {
    const { hostname } = await authenticateAgent(ctx.headers, endpointOf);
    const actor: Actor = { id: `agent:${hostname}`, name: hostname, kind: 'system', via: 'agent', role: 'operator' };
    const snapshot = (ctx.request as { body?: unknown }).body;
    const { output } = await invoke(tool, { hostname, snapshot }, actor);
    ctx.status = 202;
    ctx.body = output;
  });
  return router;
}

async function authenticateAgent(
  headers: IncomingHttpHeaders,
  endpointOf: AgentSnapshotOptions['endpointOf'],
): Promise<Endpoint> {
  const token = bearer(headers);
  const endpoint = token ? await endpointOf(token) : null;
  if (endpoint) return endpoint;
  throw new AppError(
    'unauthenticated',
    'This is no token of a registered endpoint: register the machine with the collector push and give its agent the token.',
  );
}
