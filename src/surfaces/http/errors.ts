/** Failures over HTTP: each kind is a status, bugs are logged with their stack and answered without it. */
import type { Context, Next } from 'koa';
import { AppError, type ErrorKind } from '../../core/errors.ts';
import type { Log } from '../../core/ports/ports.ts';

export const HTTP_STATUS: Readonly<Record<ErrorKind, number>> = {
  invalid: 400,
  unauthenticated: 401,
  denied: 403,
  not_found: 404,
  conflict: 409,
  too_large: 413,
  refused: 422,
  rate_limited: 429,
  unavailable: 503,
};

export function answerErrors(log: Log) {
  return async (ctx: Context, next: Next): Promise<void> => {
    try {
      await next();
      if (ctx.status === 404 && ctx.body === undefined && ctx.respond !== false) {
        throw new AppError('not_found', `There is nothing at ${ctx.method} ${ctx.path}. /docs lists what there is.`);
      }
    } catch (error) {
      const failure = asAppError(error);
      if (!failure)
        log.error(
          { err: error, request_id: ctx.state.requestId, method: ctx.method, path: ctx.path },
          'unexpected error',
        );
      ctx.status = failure ? HTTP_STATUS[failure.kind] : 500;
      if (failure?.kind === 'rate_limited' || failure?.kind === 'unavailable')
        ctx.set('Retry-After', String(retryAfterS(failure.details)));
      ctx.body = {
        error: {
          kind: failure?.kind ?? 'internal',
          message: failure?.message ?? 'An internal error; the log has it under this request id.',
          ...(failure?.details !== undefined && { details: failure.details }),
          request_id: ctx.state.requestId,
        },
      };
    }
  };
}

function retryAfterS(details: unknown): number {
  return (details as { retry_after_s?: number } | undefined)?.retry_after_s ?? 1;
}

/** Koa and its router refuse what is no request of theirs, such as an address they cannot decode. */
function asAppError(error: unknown): AppError | null {
  if (error instanceof AppError) return error;
  const { status, message } = error as { status?: number; message?: string };
  return status === 400 ? new AppError('invalid', `This request cannot be read: ${message}`) : null;
}
