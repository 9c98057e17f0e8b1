/** What the page stays current by: server-sent events that say of what something changed; the page then asks the API again. */
import { PassThrough } from 'node:stream';
import type Router from '@koa/router';
import type { Context } from 'koa';
import type { Actor } from '../../../core/actor.ts';
import type { Changes } from '../../../core/processes/changes.ts';
import { createRouter } from '../router.ts';

/** Proxies cut connections that are silent for about a minute. */
const HEARTBEAT_MS = 15_000;

interface ChangeEventsOptions {
  changes: Changes;
  authenticate(ctx: Context): Promise<Actor>;
}

/** `hello` once, then `changed` with the topics, as `["alerts","machines"]`; it ends when the caller's key is valid no more. */
export function changeEventRoutes({ changes, authenticate }: ChangeEventsOptions): Router {
  const router = createRouter();
  router.get('/changes', async (ctx) => {
    await authenticate(ctx);
    const stream = new PassThrough();
    ctx.set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' });
    ctx.body = stream;
    stream.write('retry: 2000\nevent: hello\ndata: {}\n\n');
    const unsubscribe = changes.subscribe((topics) =>
      stream.write(`event: changed\ndata: ${JSON.stringify(topics)}\n\n`),
    );
    const beating = setInterval(() => {
      authenticate(ctx).then(
        () => stream.write(': still here\n\n'),
        () => stream.end(),
      );
    }, HEARTBEAT_MS);
    ctx.res.once('close', () => {
      unsubscribe();
      clearInterval(beating);
    });
  });
  return router;
}
