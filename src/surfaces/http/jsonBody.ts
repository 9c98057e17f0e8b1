/** Reads JSON bodies; the parser is loaded with the first request. */
import type { Context, Next } from 'koa';
import { AppError } from '../../core/errors.ts';

interface JsonBodyOptions {
  /** The largest body, such as `1mb`. */
  limit: string;
  /** Methods whose bodies are read, in capitals. */
  methods: string[];
  /** Takes objects with a key `__proto__` too, of senders that cannot help what they pass on; the key stays a plain one. */
  anyKeys?: boolean;
}

/** Leaves what it read in `ctx.request.body`, and the text of it in `ctx.request.rawBody`. */
export function jsonBody({
  limit,
  methods,
  anyKeys = false,
}: JsonBodyOptions): (ctx: Context, next: Next) => Promise<void> {
  const load = async () => {
    const { bodyParser } = await import('@koa/bodyparser');
    return anyKeys
      ? bodyParser({
          enableTypes: ['text'],
          extendTypes: { text: ['application/json'] },
          textLimit: limit,
          parsedMethods: methods,
        })
      : bodyParser({ enableTypes: ['json'], jsonLimit: limit, parsedMethods: methods });
  };
  let read: ReturnType<typeof load> | null = null;
  return async (ctx, next) => {
    if (!methods.includes(ctx.method)) return next();
    read ??= load();
    await (await read)(ctx, async () => {
      if (anyKeys) ctx.request.body = parsed(ctx.request.body);
      await next();
    });
  };
}

function parsed(text: unknown): unknown {
  // What was sent as something else is left unread, as an empty body is.
  if (typeof text !== 'string' || text === '') return {};
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new AppError('invalid', `The body is not JSON: ${(error as Error).message}`, undefined, { cause: error });
  }
}
