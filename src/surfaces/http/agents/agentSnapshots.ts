/** Where push agents report: the bearer token says which endpoint speaks, and it can speak for no other. */
import type Router from '@koa/router';
import type { Invoke } from '../../../core/invoke.ts';
import { createRouter } from '../router.ts';
import { agentActor, authenticateAgent, type EndpointOf } from './agentCaller.ts';

interface AgentSnapshotOptions {
  /** Take in what is delivered: one report, and a batch. */
  tools: { one: string; batch: string };
  invoke: Invoke;
  endpointOf: EndpointOf;
}

export function agentSnapshotRoutes({ tools, invoke, endpointOf }: AgentSnapshotOptions): Router {
  const router = createRouter();
  router.post('/api/v1/dex/agent/snapshot', async (ctx) => {
    const { endpoint } = await authenticateAgent(ctx.headers, endpointOf);
    const { hostname } = endpoint;
    const snapshot = (ctx.request as { body?: unknown }).body;
    const { output } = await invoke(tools.one, { hostname, snapshot }, agentActor(hostname));
    ctx.status = 202;
    ctx.body = output;
  });
  router.post('/agent/v1/reports', async (ctx) => {
    const { hostname } = (await authenticateAgent(ctx.headers, endpointOf)).endpoint;
    const { reports } = ((ctx.request as { body?: unknown }).body ?? {}) as { reports?: unknown };
    const { output } = await invoke(tools.batch, { hostname, reports }, agentActor(hostname));
    ctx.status = 202;
    ctx.body = output;
  });
  return router;
}
