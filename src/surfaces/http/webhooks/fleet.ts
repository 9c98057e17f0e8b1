/** The webhook that Fleet posts to: it sends no header of ours, so the secret may stand in its address as a password. */
import type Router from '@koa/router';
import { type WebhookOptions, webhookRoutes } from './webhook.ts';

export function fleetRoutes(options: WebhookOptions): Router {
  return webhookRoutes(
    {
      sender: 'fleet',
      name: 'Fleet',
      paths: ['/api/v1/webhooks/fleet'],
      bodyLimit: '16mb',
      signed: { text: (ctx) => ctx.request.rawBody ?? '', called: 'the body' },
      takesPassword: true,
      outcome: () => 'ok',
    },
    options,
  );
}
