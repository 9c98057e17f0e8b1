/** Prometheus' HTTP API, as far as a source of machines needs it: instant queries and the names of metrics. */
import type { PrometheusSourceConfig } from '../../../core/ports/sourcePorts.ts';
import { sourceRequests, sourceUnavailable } from '../sourceRequests.ts';

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
  source: PrometheusSourceConfig,
  secretOf: (name: string) => string | null,
  signal: AbortSignal,
): PrometheusApi {
  const { name, timeout_seconds } = source;
  const requests = sourceRequests(source, 'Prometheus', secretOf, signal);
  const ask = async (method: 'GET' | 'POST', path: string, form: Record<string, string>): Promise<unknown> => {
    const { status, data, place } = await requests.json(method, path, form);
    const read = (data ?? {}) as { status?: unknown; data?: unknown; error?: unknown };
    if (read.status === 'success') return read.data;
    throw sourceUnavailable(
      name,
      `${place} refuses the query: ${String(read.error ?? `HTTP ${status}`).slice(0, 500)}`,
    );
  };
  return {
    async query(expression, at) {
      const data = (await ask('POST', '/api/v1/query', {
        query: expression,
        time: String(at.getTime() / 1000),
        timeout: `${timeout_seconds}s`,
      })) as { resultType?: unknown; result?: unknown };
      if (data?.resultType !== 'vector' || !Array.isArray(data.result))
        throw sourceUnavailable(name, `it answers no vector to ${expression}`);
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
    close: () => requests.close(),
  };
}
