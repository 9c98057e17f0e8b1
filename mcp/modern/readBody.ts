/** The JSON that a request carries, read up to a limit. */
import type { IncomingMessage } from 'node:http';

/** JSON-RPC 2.0, section 5.1. */
const PARSE_ERROR = -32700;
/** One that the specification leaves to servers. */
const REFUSED = -32000;

/** A body that nothing can be done with. */
export class UnreadableBody extends Error {
  readonly status: number;
  /** Of JSON-RPC. */
  readonly code: number;

  constructor(status: number, code: number, message: string) {
    super(message);
    this.name = 'UnreadableBody';
    this.status = status;
    this.code = code;
  }
}

/** @throws UnreadableBody */
export async function readBody(request: IncomingMessage, limitBytes: number): Promise<unknown> {
  const tooLarge = new UnreadableBody(413, REFUSED, `A request may have at most ${limitBytes / 1024} KB.`);
  if (Number(request.headers['content-length'] ?? 0) > limitBytes) throw tooLarge;
  const chunks: Buffer[] = [];
  let bytes = 0;
  // A loop that is left early would destroy the connection before the answer.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > limitBytes) throw tooLarge;
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    throw new UnreadableBody(400, PARSE_ERROR, 'The body is not valid JSON.');
  }
}
