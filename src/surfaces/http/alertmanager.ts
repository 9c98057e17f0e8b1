/** The webhook that Alertmanager posts to: authenticated by its own secret, committed before it is answered. */
import { createHmac } from 'node:crypto';
import type Router from '@koa/router';
import type { Context, Next } from 'koa';
import type { Actor } from '../../core/actor.ts';
import { AppError } from '../../core/errors.ts';
import type { Invoke } from '../../core/invoke.ts';
import type { Metrics } from '../../core/ports/ports.ts';
import { bearer, sameSecret } from './auth.ts';
import { jsonBody } from './jsonBody.ts';
import { createRouter } from './router.ts';

interface AlertmanagerOptions {
  /** Takes in what is delivered. */
  tool: string;
  invoke: Invoke;
  metrics: Metrics;
  /** WEBHOOK_SECRET; while a secret is required, an empty one lets nobody in. */
  secret: string;
  required: boolean;
}

const PATHS = ['/api/v1/webhooks/alertmanager', '/api/v1/webhooks/prometheus'];

/** Ten thousand alerts with long labels. */
const BODY_LIMIT = '16mb';

const ALERTMANAGER: Actor = {
  id: 'webhook:alertmanager',
  name: 'Alertmanager',
  kind: 'system',
  via: 'webhook',
  role: 'operator',
};

export function alertmanagerRoutes({ tool, invoke, metrics, secret, required }: AlertmanagerOptions): Router {
  const router = createRouter();
  const readBody = jsonBody({ limit: BODY_LIMIT, methods: ['POST'], anyKeys: true });
  router.post(
    PATHS,
    async (_ctx: Context, next: Next) => {
      let outcome = 'failed';
      try {
        await next();
        outcome = 'ok';
      } catch (error) {
        if (error instanceof AppError) outcome = error.kind;
        throw error;
      } finally {
        metrics.webhookDelivered('alertmanager', outcome);
      }
    },
    // A caller without any credential is turned away before its body is read.
    async (ctx: Context, next: Next) => {
      if (required) requireCredential(ctx, secret);
      await next();
    },
    readBody,
    async (ctx: Context) => {
      if (required) checkCredential(ctx, secret);
      const { body } = ctx.request as { body?: unknown };
      const { output } = await invoke(tool, body, ALERTMANAGER);
      ctx.body = output;
    },
  );
  return router;
}

function requireCredential(ctx: Context, secret: string): void {
  if (secret === '') {
    throw new AppError('unauthenticated', 'Deliveries are refused while WEBHOOK_SECRET is not set on this service.');
  }
  if (bearer(ctx.headers) === null && ctx.get('X-Webhook-Token') === '') {
    throw new AppError(
      'unauthenticated',
      'A delivery needs Authorization: Bearer with the webhook secret, or X-Webhook-Token with the secret or the HMAC-SHA256 of the body in hex.',
    );
  }
}

function checkCredential(ctx: Context, secret: string): void {
  if (!sameSecret(bearer(ctx.headers) ?? '', secret) && !acceptedToken(ctx, secret)) {
    throw new AppError('unauthenticated', 'The webhook secret, or the signature of the body, is wrong.');
  }
}

/** The secret itself, or what only its holder can make of the body. */
function acceptedToken(ctx: Context, secret: string): boolean {
  const token = ctx.get('X-Webhook-Token');
  if (token === '') return false;
  const signature = createHmac('sha256', secret)
    .update(ctx.request.rawBody ?? '')
    .digest('hex');
  return [sameSecret(token, secret), sameSecret(token.replace(/^sha256=/, '').toLowerCase(), signature)].includes(true);
}
