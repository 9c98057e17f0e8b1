/** The webhook that the ticket system posts to: authenticated like the other one, fresh, and safe to repeat. */
import { createHmac } from 'node:crypto';
import type Router from '@koa/router';
import type { Context } from 'koa';
import type { Actor } from '../../core/actor.ts';
import { AppError } from '../../core/errors.ts';
import type { Invoke } from '../../core/invoke.ts';
import type { Metrics } from '../../core/ports/ports.ts';
import { bearer, sameSecret } from './auth.ts';
import { jsonBody } from './jsonBody.ts';
import { createRouter } from './router.ts';

interface TicketCallbackOptions {
  /** Takes in what is delivered. */
  tool: string;
  invoke: Invoke;
  metrics: Metrics;
  /** WEBHOOK_SECRET; while a secret is required, an empty one lets nobody in. */
  secret: string;
  required: boolean;
  now(): Date;
}

const PATH = '/api/v1/webhooks/tickets';
const BODY_LIMIT = '1mb';

/** Older (or further in the future) counts as replayed. Milliseconds. */
const FRESH_MS = 5 * 60_000;

const TICKET_SYSTEM: Actor = {
  id: 'webhook:tickets',
  name: 'the ticket system',
  kind: 'system',
  via: 'webhook',
  role: 'operator',
};

export function ticketCallbackRoutes({ tool, invoke, metrics, secret, required, now }: TicketCallbackOptions): Router {
  const router = createRouter();
  router.post(PATH, jsonBody({ limit: BODY_LIMIT, methods: ['POST'] }), async (ctx: Context) => {
    let outcome = 'failed';
    try {
      checkCaller(ctx, secret, required);
      checkFresh(ctx, now());
      const { body } = ctx.request as { body?: unknown };
      const { output } = await invoke(tool, body, TICKET_SYSTEM);
      outcome = String(output.outcome);
      ctx.body = output;
    } catch (error) {
      if (error instanceof AppError) outcome = error.kind;
      throw error;
    } finally {
      metrics.webhookDelivered('tickets', outcome);
    }
  });
  return router;
}

function checkCaller(ctx: Context, secret: string, required: boolean): void {
  if (!required) return;
  if (secret === '')
    throw new AppError('unauthenticated', 'Callbacks are refused while WEBHOOK_SECRET is not set on this service.');
  const token = ctx.get('X-Webhook-Token');
  const signature = createHmac('sha256', secret)
    .update(`${ctx.get('X-Webhook-Timestamp')}.${ctx.request.rawBody ?? ''}`)
    .digest('hex');
  const accepted = [
    sameSecret(bearer(ctx.headers) ?? '', secret),
    sameSecret(token, secret),
    sameSecret(token.replace(/^sha256=/, '').toLowerCase(), signature),
  ];
  if (!accepted.includes(true)) {
    throw new AppError(
      'unauthenticated',
      'A callback needs Authorization: Bearer with the webhook secret, or X-Webhook-Token with the secret or with the HMAC-SHA256 of "timestamp.body" in hex.',
    );
  }
}

/** Seconds since 1970 in X-Webhook-Timestamp: when it was sent, not when the thing it tells of happened. */
function checkFresh(ctx: Context, now: Date): void {
  const sentMs = Number(ctx.get('X-Webhook-Timestamp') || Number.NaN) * 1000;
  if (Number.isNaN(sentMs))
    throw new AppError('unauthenticated', 'A callback needs X-Webhook-Timestamp: seconds since 1970 when it was sent.');
  if (Math.abs(now.getTime() - sentMs) > FRESH_MS)
    throw new AppError(
      'unauthenticated',
      'This callback was sent more than 5 minutes ago (or from now); it is refused.',
    );
}
