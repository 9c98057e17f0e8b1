/** The webhook that the ticket system posts to: a callback says when it was sent, so that a replayed one is refused. */
import type Router from '@koa/router';
import type { Context } from 'koa';
import { AppError } from '../../../core/errors.ts';
import { type WebhookOptions, webhookRoutes } from './webhook.ts';

interface TicketCallbackOptions extends WebhookOptions {
  now(): Date;
}

/** Older (or further in the future) counts as replayed. Milliseconds. */
const FRESH_MS = 5 * 60_000;

export function ticketCallbackRoutes({ now, ...options }: TicketCallbackOptions): Router {
  return webhookRoutes(
    {
      sender: 'tickets',
      name: 'the ticket system',
      paths: ['/api/v1/webhooks/tickets'],
      bodyLimit: '1mb',
      signed: {
        text: (ctx) => `${ctx.get('X-Webhook-Timestamp')}.${ctx.request.rawBody ?? ''}`,
        called: '"timestamp.body"',
      },
      check: (ctx) => checkFresh(ctx, now()),
      outcome: (output) => String(output.outcome),
    },
    options,
  );
}

/** Seconds since 1970 in X-Webhook-Timestamp: when it was sent, not when the change it reports happened. */
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
