/** Expected failures, by kind; an interface maps the kind to its own way of refusing. Anything else that is thrown is a bug. */

/** A call that the reader of an error can make next. */
export interface NextCall {
  /** What the call is for, as `Register it`. */
  to: string;
  tool: string;
  /** The fields that are known already; the reader fills in the rest. */
  input?: Record<string, unknown>;
}

export const ERROR_KINDS = [
  'invalid',
  'unauthenticated',
  'denied',
  'not_found',
  'conflict',
  'too_large',
  'refused',
  'rate_limited',
  'unavailable',
] as const;
export type ErrorKind = (typeof ERROR_KINDS)[number];

/**
 * A failure the caller can understand and act on. `message` says what was wrong, where, and what to do in words that fit
 * every interface; `next` names the calls that help, which each interface writes in its own form; `details` is JSON for
 * programs (field errors, the id of the conflicting object).
 */
export class AppError extends Error {
  readonly kind: ErrorKind;
  readonly details: unknown;
  readonly next: readonly NextCall[];

  constructor(kind: ErrorKind, message: string, details?: unknown, options: ErrorOptions & { next?: NextCall[] } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.name = 'AppError';
    this.kind = kind;
    this.details = details;
    this.next = options.next ?? [];
  }
}

/** What the operating system and the libraries that write files say of a disk without room, or one that must not be written. */
const NO_ROOM = /\b(ENOSPC|EDQUOT|EROFS)\b|no space left on device|database or disk is full|read-only file system/i;

/** A failure for lack of room as what it is for the caller; any other error as it was. */
export function orNoRoom(error: unknown): unknown {
  if (error instanceof AppError || !(error instanceof Error) || !NO_ROOM.test(error.message)) return error;
  return new AppError(
    'unavailable',
    'A disk of the service is full; nothing was changed. Try again once its operator has made room.',
    undefined,
    { cause: error },
  );
}
