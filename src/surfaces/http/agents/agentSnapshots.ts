/** Where push agents report: the bearer token says which endpoint speaks, and it can speak for no other. */
import type Router from '@koa/router';
import type { Invoke } from '../../../core/invoke.ts';
import { createRouter } from '../router.ts';
import { agentActor, authenticateAgent, type EndpointOf } from './agentCaller.ts';

interface AgentSnapshotOptions {
  /** Takes in what is delivered. */
  tool: string;
  invoke: Invoke;
  endpointOf: EndpointOf;
}

export function agentSnapshotRoutes({ tool, invoke, endpointOf }: AgentSnapshotOptions): Router {
  const router = createRouter();
  router.post('/api/v1/dex/agent/snapshot', async (ctx) => {
    const { endpoint } = await authenticateAgent(ctx.headers, endpointOf);
    const { hostname } = endpoint;
    const snapshot = (ctx.request as { body?: unknown }).body;
    const { output } = await invoke(tool, { hostname, snapshot }, agentActor(hostname));
    ctx.status = 202;
    ctx.body = output;
  });
  return router;
}
