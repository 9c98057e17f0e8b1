/** Requests to a system that knows machines already: with its login and certificates, bounded, and named in their failures. */
import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';
import { AppError } from '../../core/errors.ts';
import type { SourceConfig } from '../../core/ports/sourcePorts.ts';

/** One signal of a large fleet has a few tens of megabytes; more is a selector that catches everything. */
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;

export interface SourceAnswer {
  status: number;
  /** What the JSON of the answer says. */
  data: unknown;
  /** For messages. */
  place: string;
}

interface SourceRequests {
  /** @throws AppError `unavailable` for no answer, a refused login, and what is not JSON */
  json(method: 'GET' | 'POST', path: string, form: Record<string, string>): Promise<SourceAnswer>;
  close(): Promise<void>;
}

/**
 * @param product what should answer, for messages
 * @param secretOf the value of an environment variable; null when it is not set
 */
export function sourceRequests(
  source: SourceConfig,
  product: string,
  secretOf: (name: string) => string | null,
  signal: AbortSignal,
): SourceRequests {
  const { name, url, timeout_seconds, tls } = source;
  const headers: Record<string, string> = { accept: 'application/json', ...authorization(source, secretOf) };
  const agent = new Agent({
    maxResponseSize: MAX_ANSWER_BYTES,
    headersTimeout: timeout_seconds * 1000,
    bodyTimeout: timeout_seconds * 1000,
    connect: {
      timeout: 5000,
      rejectUnauthorized: !tls?.insecure,
      ...(tls?.server_name && { servername: tls.server_name }),
      ...(tls?.ca_file && { ca: caOf(name, tls.ca_file) }),
    },
  });
  return {
    async json(method, path, form) {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(timeout_seconds * 1000)]);
      const text = new URLSearchParams(form).toString();
      const place = url.replace(/\/+$/, '') + path;
      const answer = await request(method === 'GET' && text !== '' ? `${place}?${text}` : place, {
        method,
        ...(method === 'POST' && { body: text }),
        headers: { ...headers, ...(method === 'POST' && { 'content-type': 'application/x-www-form-urlencoded' }) },
        dispatcher: agent,
        signal: limit,
      }).catch((error: unknown) => {
        throw sourceUnavailable(name, `${place} cannot be reached: ${textOf(error)}`);
      });
      const type = String(answer.headers['content-type'] ?? '');
      const body = await answer.body.text().catch((error: unknown) => {
        throw sourceUnavailable(name, `${place} broke off: ${textOf(error)}`);
      });
      const { statusCode: status } = answer;
      if (status === 401 || status === 403)
        throw sourceUnavailable(
          name,
          `${place} refuses the login (HTTP ${status}): check its login in config/sources.yaml`,
        );
      if (!type.includes('json'))
        throw sourceUnavailable(
          name,
          `${place} answers ${type || 'no type'} instead of JSON (HTTP ${status}): is this ${product}?`,
        );
      try {
        return { status, data: JSON.parse(body), place };
      } catch {
        throw sourceUnavailable(name, `${place} answers JSON that is broken off`);
      }
    },
    close: () => agent.destroy(),
  };
}

export function sourceUnavailable(name: string, problem: string): AppError {
  return new AppError('unavailable', `The source ${name} was not read: ${problem}.`);
}

function authorization(
  { name, auth }: SourceConfig,
  secretOf: (name: string) => string | null,
): Record<string, string> {
  if (!auth) return {};
  const variable = 'bearer' in auth ? auth.bearer : auth.password;
  const secret = secretOf(variable);
  if (secret === null) throw sourceUnavailable(name, `${variable} is not set, and its login is in it`);
  if ('bearer' in auth) return { authorization: `Bearer ${secret}` };
  return { authorization: `Basic ${Buffer.from(`${auth.username}:${secret}`).toString('base64')}` };
}

function caOf(name: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw sourceUnavailable(name, `the certificates in ${file} cannot be read: ${textOf(error)}`);
  }
}

function textOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  return code === 'ABORT_ERR' || (error as Error).name === 'TimeoutError'
    ? 'no answer in time'
    : (message ?? String(error));
}
