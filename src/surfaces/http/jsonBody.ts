/** Reads JSON bodies; the parser is loaded with the first request. */
import type { Context, Next } from 'koa';

interface JsonBodyOptions {
  /** The largest body, such as `1mb`. */
  limit: string;
  /** Methods whose bodies are read, in capitals. */
  methods: string[];
}

/** Leaves what it read in `ctx.request.body`, and the text of it in `ctx.request.rawBody`. */
export function jsonBody({ limit, methods }: JsonBodyOptions): (ctx: Context, next: Next) => Promise<void> {
  const load = async () => {
    const { bodyParser } = await import('@koa/bodyparser');
    return bodyParser({ enableTypes: ['json'], jsonLimit: limit, parsedMethods: methods });
  };
  let read: ReturnType<typeof load> | null = null;
  return async (ctx, next) => {
    if (!methods.includes(ctx.method)) return next();
    read ??= load();
    await (await read)(ctx, next);
  };
}
