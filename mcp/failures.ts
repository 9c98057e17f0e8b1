/** Failures in the terms of MCP: what the caller can mend is said, a bug is logged and answered with the id of its log line. */
import { randomUUID } from 'node:crypto';
import { AppError } from '../src/core/errors.ts';
import type { Log } from '../src/core/ports/ports.ts';

/** JSON-RPC 2.0, section 5.1. */
const INVALID_PARAMS = -32602;
const INTERNAL_ERROR = -32603;
/** The specification's code for a resource that is not there (2025-11-25, "Resources"); 2026-07-28 says invalid params instead. */
const RESOURCE_NOT_FOUND = -32002;

/** An error of the protocol, as the libraries of every revision put it on the wire. */
export class ProtocolFailure extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.name = 'ProtocolFailure';
    this.code = code;
  }
}

/** What was asked for does not exist, or lacks something. */
export function invalidParams(message: string): ProtocolFailure {
  return new ProtocolFailure(INVALID_PARAMS, message);
}

/** The message for the caller of something that threw. */
export function explain(error: unknown, log: Log, what: string): string {
  if (error instanceof AppError) return error.message;
  const reference = randomUUID();
  log.error({ err: error, reference, what }, 'unexpected error over MCP');
  return `An internal error in ${what}; the log has it under ${reference}. Trying again is safe only for reading.`;
}

/** For everything but tools, whose failures are results: an error of the protocol. */
export async function answering<T>(log: Log, what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ProtocolFailure) throw error;
    const message = explain(error, log, what);
    if (!(error instanceof AppError)) throw new ProtocolFailure(INTERNAL_ERROR, message);
    throw new ProtocolFailure(error.kind === 'not_found' ? RESOURCE_NOT_FOUND : INVALID_PARAMS, message);
  }
}
