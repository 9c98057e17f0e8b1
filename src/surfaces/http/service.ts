/** What the service reports about itself: health and metrics. */
import type Router from '@koa/router';
import { AppError } from '../../core/errors.ts';
import type { Health } from '../../core/processes/health.ts';
import { bearer, sameSecret } from './auth.ts';
import { createRouter } from './router.ts';

interface ServiceRoutesOptions {
  metricsToken: string;
  health(): Promise<Health>;
  metricsPage(): Promise<{ text: string; contentType: string }>;
}

export function serviceRoutes(options: ServiceRoutesOptions): Router {
  const router = createRouter();
  router.get('/health', async (ctx) => {
    const health = await options.health();
    ctx.status = health.status === 'down' ? 503 : 200;
    // As text: of anything else Koa asks whether it is a Response, and for that name Node loads undici too (router.ts).
    ctx.type = 'json';
    ctx.body = JSON.stringify(health);
  });
  router.get('/metrics', async (ctx) => {
    if (options.metricsToken && !sameSecret(bearer(ctx.headers) ?? '', options.metricsToken)) {
      throw new AppError('unauthenticated', 'The metrics are protected: send METRICS_TOKEN as Authorization: Bearer.');
    }
    const { text, contentType } = await options.metricsPage();
    ctx.set('Content-Type', contentType);
    ctx.body = text;
  });
  return router;
}
