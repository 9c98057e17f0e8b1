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

/**
 * Leaves what it read in `ctx.request.body`, and the text of it in `ctx.request.rawBody`.
 *
 * @throws AppError `invalid` for a body that is not JSON or not encoded as its headers say, `too_large` above the limit
 */
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
  let parser: ReturnType<typeof load> | null = null;
  return async (ctx, next) => {
    if (!methods.includes(ctx.method)) return next();
    if (hasBody(ctx) && !ctx.is('json', '+json')) {
      throw new AppError('invalid', 'The body must be JSON: send it with Content-Type: application/json.');
    }
    parser ??= load();
    const parse = await parser;
    await parse(ctx, async () => {}).catch((error: unknown) => {
      throw badBody(error, ctx.get('Content-Encoding'));
    });
    if (anyKeys) ctx.request.body = parsed(ctx.request.body);
    await next();
  };
}

/** Said by its headers (RFC 9112, section 6). */
function hasBody(ctx: Context): boolean {
  return ctx.request.length !== undefined ? ctx.request.length > 0 : ctx.get('Transfer-Encoding') !== '';
}

function parsed(text: unknown): unknown {
  if (typeof text !== 'string' || text === '') return {};
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new AppError('invalid', `The body is not JSON: ${(error as Error).message}`, undefined, { cause: error });
  }
}

/** Whatever reading a body throws is about what the client sent. */
function badBody(error: unknown, encoding: string): AppError {
  const { status, type, message, limit } = error as {
    status?: number;
    type?: string;
    message?: string;
    limit?: number;
  };
  if (status === 413)
    return new AppError('too_large', `The body is larger than ${Math.round((limit ?? 0) / 1024 ** 2)} MB.`);
  if (type === 'request.aborted') return new AppError('invalid', 'The request ended before its body did.');
  const wrongEncoding = status === undefined || (status === 415 && type === undefined);
  if (wrongEncoding && encoding !== '')
    return new AppError(
      'invalid',
      `The body cannot be read as Content-Encoding: ${encoding.slice(0, 40)}. Send it plain, or as gzip, deflate or br.`,
    );
  if (status === 415)
    return new AppError('invalid', 'The body must be application/json, with a charset this service knows.');
  return new AppError('invalid', `The body is not JSON: ${message}`);
}
