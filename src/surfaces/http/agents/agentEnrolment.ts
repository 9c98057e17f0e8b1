/** Where machines join the fleet with an enrolment's secret, and where their agents renew their tokens and sign off. */
import type Router from '@koa/router';
import type { Context } from 'koa';
import type { Actor } from '../../../core/actor.ts';
import { AppError } from '../../../core/errors.ts';
import type { Invoke } from '../../../core/invoke.ts';
import type { Enrolment } from '../../../core/ports/enrolmentPorts.ts';
import { bearer } from '../auth.ts';
import type { RateLimit } from '../rateLimit.ts';
import { createRouter } from '../router.ts';
import { agentActor, authenticateAgent, type EndpointOf } from './agentCaller.ts';

interface AgentEnrolmentOptions {
  tools: { enrol: string; renew: string; signOff: string };
  invoke: Invoke;
  /** The enrolment that a secret belongs to, whatever its state; null for any other text. */
  enrolmentOf(secret: string): Promise<Enrolment | null>;
  endpointOf: EndpointOf;
  rateLimit: RateLimit;
}

/** By which a machine that has a token already shows that it is the one it was. */
const TOKEN_HEADER = 'X-Agent-Token';

export function agentEnrolmentRoutes(options: AgentEnrolmentOptions): Router {
  const { tools, invoke, enrolmentOf, endpointOf, rateLimit } = options;
  const router = createRouter();

  router.post('/agent/v1/enroll', async (ctx: Context) => {
    const secret = bearer(ctx.headers);
    const enrolment = secret ? await enrolmentOf(secret) : null;
    if (!enrolment)
      throw new AppError(
        'unauthenticated',
        'This is no secret of an enrolment: copy the whole line, or ask for a new one.',
      );
    const actor: Actor = {
      id: `enrolment:${enrolment.id}`,
      name: `a machine with the enrolment ${enrolment.id}`,
      kind: 'system',
      via: 'agent',
      role: 'operator',
    };
    rateLimit.take(actor.id);
    const shown = ctx.get(TOKEN_HEADER);
    const proved = shown === '' ? null : await endpointOf(shown);
    const input = { enrolment_id: enrolment.id, proved_hostname: proved?.hostname ?? null, machine: body(ctx) };
    ctx.status = 201;
    ctx.body = (await invoke(tools.enrol, input, actor)).output;
  });

  router.post('/agent/v1/token', async (ctx: Context) => {
    const { endpoint, token } = await authenticateAgent(ctx.headers, endpointOf);
    const { hostname } = endpoint;
    rateLimit.take(`agent:${hostname}`);
    ctx.body = (await invoke(tools.renew, { hostname, token, machine: body(ctx) }, agentActor(hostname))).output;
  });

  router.post('/agent/v1/sign-off', async (ctx: Context) => {
    const { hostname } = (await authenticateAgent(ctx.headers, endpointOf)).endpoint;
    ctx.body = (await invoke(tools.signOff, { hostname }, agentActor(hostname))).output;
  });
  return router;
}

function body(ctx: Context): unknown {
  return (ctx.request as { body?: unknown }).body ?? {};
}
