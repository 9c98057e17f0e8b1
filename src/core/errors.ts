/** Expected failures, by kind; a face maps the kind to its own way of saying no. Anything else that is thrown is a bug. */

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
 * A failure the caller can understand and act on. `message` says what was wrong, where, and what to do; `details` is
 * JSON for programs (field errors, the id of the thing in the way).
 */
export class AppError extends Error {
  readonly kind: ErrorKind;
  readonly details: unknown;

  constructor(kind: ErrorKind, message: string, details?: unknown, options?: ErrorOptions) {
    super(message, options);
    this.name = 'AppError';
    this.kind = kind;
    this.details = details;
  }
}
