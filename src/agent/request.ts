/** One request to the server over Node's own HTTP client: what fetch brings with it would be a fifth of the agent's memory. */
import { type RequestOptions, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';

/** Long enough for a slow line, short enough that a hung server costs one report's turn. Milliseconds. */
const TIMEOUT_MS = 30_000;

export interface Answer {
  status: number;
  body: Buffer;
  /** What Retry-After says, in milliseconds; null without it. */
  retryAfterMs: number | null;
}

interface Call {
  method: 'GET' | 'POST';
  url: URL;
  /** A token or a secret. */
  bearer: string;
  headers?: Record<string, string>;
  body?: string;
  /** The longest answer that is read; what is longer is an error. */
  mostBytes?: number;
}

const MOST_BYTES = 256 * 1024;

/** Redirects are answers like others: following one would take the token to wherever it points. @throws Error when there is no answer */
export function call({ method, url, bearer, headers = {}, body, mostBytes = MOST_BYTES }: Call): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options: RequestOptions = {
      method,
      headers: {
        authorization: `Bearer ${bearer}`,
        ...headers,
        ...(body !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
      },
      signal: AbortSignal.timeout(TIMEOUT_MS),
      // A connection for minutes of silence costs the server more than a new one.
      agent: false,
    };
    const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, options, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > mostBytes) response.destroy(new Error(`the answer is longer than ${mostBytes} bytes`));
        else chunks.push(chunk);
      });
      response.on('error', reject);
      response.on('end', () => {
        const retryAfterS = Number(response.headers['retry-after']);
        resolve({
          status: response.statusCode ?? 0,
          body: Buffer.concat(chunks),
          retryAfterMs: retryAfterS > 0 ? retryAfterS * 1000 : null,
        });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** The JSON object of an answer; empty where it is none. */
export function objectIn({ body }: Answer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body.toString());
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** What a refusal says, for a person; cut to a readable length. */
export function reasonIn(answer: Answer): string {
  const { error } = objectIn(answer) as { error?: { message?: unknown } };
  return typeof error?.message === 'string' ? error.message.slice(0, 300) : answer.body.toString().slice(0, 300);
}
