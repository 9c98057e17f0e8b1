/** Prometheus' HTTP API, as far as a source of machines needs it: instant queries and the names of metrics, bounded and named in their failures. */
import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';
import { AppError } from '../../../core/errors.ts';
import type { SourceConfig } from '../../../core/ports/sourcePorts.ts';

/** One signal of a large fleet has a few tens of megabytes; more is a selector that catches everything. */
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;

/** Metrics that had a sample this lately are asked for. */
const RECENT_S = 600;

/** One series of an answer: its labels, and its value as Prometheus writes it. */
export interface Series {
  metric: Record<string, string>;
  value: [timestamp: number, text: string];
}

export interface PrometheusApi {
  query(expression: string, at: Date): Promise<Series[]>;
  /** Names of the metrics that the matched series have. */
  metricNames(matcher: string, at: Date): Promise<Set<string>>;
  close(): Promise<void>;
}

/** @param secretOf the value of an environment variable; null when it is not set */
export function prometheusApi(
  source: SourceConfig,
  secretOf: (name: string) => string | null,
  signal: AbortSignal,
): PrometheusApi {
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
  const ask = async (method: 'GET' | 'POST', path: string, form: Record<string, string>): Promise<unknown> => {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeout_seconds * 1000)]);
    const text = new URLSearchParams(form).toString();
    const place = url.replace(/\/+$/, '') + path;
    const answer = await request(method === 'GET' ? `${place}?${text}` : place, {
      method,
      ...(method === 'POST' && { body: text }),
      headers: { ...headers, ...(method === 'POST' && { 'content-type': 'application/x-www-form-urlencoded' }) },
      dispatcher: agent,
      signal: limit,
    }).catch((error: unknown) => {
      throw unavailable(name, `${place} cannot be reached: ${textOf(error)}`);
    });
    const type = String(answer.headers['content-type'] ?? '');
    const body = await answer.body.text().catch((error: unknown) => {
      throw unavailable(name, `${place} broke off: ${textOf(error)}`);
    });
    if (answer.statusCode === 401 || answer.statusCode === 403)
      throw unavailable(
        name,
        `${place} refuses the login (HTTP ${answer.statusCode}): check auth in config/sources.yaml`,
      );
    if (!type.includes('json'))
      throw unavailable(
        name,
        `${place} answers ${type || 'no type'} instead of JSON (HTTP ${answer.statusCode}): is this Prometheus?`,
      );
    let read: { status?: unknown; data?: unknown; error?: unknown };
    try {
      read = JSON.parse(body);
    } catch {
      throw unavailable(name, `${place} answers JSON that is broken off`);
    }
    if (read.status !== 'success')
      throw unavailable(
        name,
        `${place} refuses the query: ${String(read.error ?? `HTTP ${answer.statusCode}`).slice(0, 500)}`,
      );
    return read.data;
  };
  return {
    async query(expression, at) {
      const data = (await ask('POST', '/api/v1/query', {
        query: expression,
        time: String(at.getTime() / 1000),
        timeout: `${timeout_seconds}s`,
      })) as { resultType?: unknown; result?: unknown };
      if (data?.resultType !== 'vector' || !Array.isArray(data.result))
        throw unavailable(name, `it answers no vector to ${expression}`);
      return data.result as Series[];
    },
    async metricNames(matcher, at) {
      // From the index alone: counting the series of a large fleet would take longer than all queries together.
      const data = await ask('GET', '/api/v1/label/__name__/values', {
        'match[]': matcher,
        start: String(at.getTime() / 1000 - RECENT_S),
        end: String(at.getTime() / 1000),
      });
      return new Set(Array.isArray(data) ? (data as string[]) : []);
    },
    close: () => agent.destroy(),
  };
}

function authorization(
  { name, auth }: SourceConfig,
  secretOf: (name: string) => string | null,
): Record<string, string> {
  if (!auth) return {};
  const variable = 'bearer' in auth ? auth.bearer : auth.password;
  const secret = secretOf(variable);
  if (secret === null) throw unavailable(name, `${variable} is not set, and its login is in it`);
  if ('bearer' in auth) return { authorization: `Bearer ${secret}` };
  return { authorization: `Basic ${Buffer.from(`${auth.username}:${secret}`).toString('base64')}` };
}

function caOf(name: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw unavailable(name, `the certificates in ${file} cannot be read: ${textOf(error)}`);
  }
}

function unavailable(name: string, problem: string): AppError {
  return new AppError('unavailable', `The source ${name} was not read: ${problem}.`);
}

function textOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  return code === 'ABORT_ERR' || (error as Error).name === 'TimeoutError'
    ? 'no answer in time'
    : (message ?? String(error));
}
