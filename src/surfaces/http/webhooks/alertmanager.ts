/** The webhook that Alertmanager posts to. */
import type Router from '@koa/router';
import { type WebhookOptions, webhookRoutes } from './webhook.ts';

export function alertmanagerRoutes(options: WebhookOptions): Router {
  return webhookRoutes(
    {
      sender: 'alertmanager',
      name: 'Alertmanager',
      paths: ['/api/v1/webhooks/alertmanager', '/api/v1/webhooks/prometheus'],
      // Ten thousand alerts with long labels.
      bodyLimit: '16mb',
      signed: { text: (ctx) => ctx.request.rawBody ?? '', called: 'the body' },
      outcome: () => 'ok',
    },
    options,
  );
}
