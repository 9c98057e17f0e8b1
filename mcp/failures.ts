/** Failures in the terms of MCP: what the caller can mend is said, a bug is logged and answered with the id of its log line. */
import { randomUUID } from 'node:crypto';
import { ErrorCode, McpError } from '@modelcontextprotocol/sdk/types.js';
import { AppError } from '../src/core/errors.ts';
import type { Log } from '../src/core/ports/ports.ts';

/** The specification's code for a resource that is not there (2025-11-25, "Resources", error handling). */
const RESOURCE_NOT_FOUND = -32002;

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
    if (error instanceof McpError) throw error;
    const message = explain(error, log, what);
    if (!(error instanceof AppError)) throw new McpError(ErrorCode.InternalError, message);
    throw new McpError(error.kind === 'not_found' ? RESOURCE_NOT_FOUND : ErrorCode.InvalidParams, message);
  }
}
