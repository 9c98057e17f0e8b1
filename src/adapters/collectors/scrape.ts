/** Fetches an exporter's page over HTTP, bounded in size, and names every way in which that can fail. */
import { isIPv6 } from 'node:net';
import { Agent } from 'undici';
import type { ScanTarget } from '../../domain/telemetry.ts';
import { Unreachable } from './readings.ts';

const MAX_PAGE_BYTES = 8 * 1024 * 1024;
const CONNECT_TIMEOUT_MS = 3_000;
/** Long enough for the second sample a second later; longer would only hold one idle socket per endpoint. */
const KEEP_ALIVE_MS = 2_000;

export interface Scraper {
  /** The page's text from an already checked IP address. Throws `Unreachable` with the reason. */
  fetchPage(target: ScanTarget, address: string, port: number, signal: AbortSignal): Promise<string>;
  close(): Promise<void>;
}

export function createScraper(): Scraper {
  const agent = new Agent({
    connect: { timeout: CONNECT_TIMEOUT_MS },
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxResponseSize: MAX_PAGE_BYTES,
  });
  return {
    async fetchPage(target, address, port, signal) {
      const { scheme = 'http', path = '/metrics' } = target.options;
      const origin = `${scheme}://${isIPv6(address) ? `[${address}]` : address}:${port}`;
      const url = `${origin}${path}`;
      try {
        // The name goes into the Host header, and with it into TLS, where the certificate is checked against it.
        const headers = { accept: 'text/plain;version=0.0.4', host: `${target.hostname}:${port}` };
        const response = await agent.request({ origin, path, method: 'GET', headers, signal });
        const refusal = responseRefusal(response.statusCode, response.headers['content-type']);
        if (refusal) {
          response.body.on('error', () => {}).destroy();
          throw new Unreachable(`${url} ${refusal}`);
        }
        const text = await response.body.text();
        if (/^\s*</.test(text)) throw new Unreachable(`${url} ${HTML_REFUSAL}`);
        return text;
      } catch (error) {
        throw error instanceof Unreachable ? error : new Unreachable(`${url} ${failureReason(error)}`);
      }
    },
    async close() {
      await agent.destroy();
    },
  };
}

const HTML_REFUSAL = 'answered with a web page instead of metrics: check the port and the path';

function responseRefusal(statusCode: number, contentType: string | string[] | undefined): string | null {
  if (statusCode !== 200) return `answered HTTP ${statusCode}`;
  return String(contentType).startsWith('text/html') ? HTML_REFUSAL : null;
}

/** Completes a sentence that begins with the URL. */
function failureReason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const message = error instanceof Error ? error.message : String(error);
  switch (code) {
    case 'ECONNREFUSED':
      return 'refused the connection: is the exporter running, and is this its port?';
    case 'UND_ERR_CONNECT_TIMEOUT':
    case 'ETIMEDOUT':
      return `did not accept a connection within ${CONNECT_TIMEOUT_MS / 1000} s: is the machine on, is the port open?`;
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'cannot be reached: there is no route to the machine';
    case 'UND_ERR_RES_EXCEEDED_MAX_SIZE':
      return `sent more than ${MAX_PAGE_BYTES / 1024 / 1024} MB: that is no exporter's page`;
    case 'UND_ERR_SOCKET':
    case 'ECONNRESET':
    case 'EPIPE':
      return 'closed the connection before the page was complete';
  }
  if (code.startsWith('HPE_')) return `does not speak HTTP (${code})`;
  return `failed: ${message}`;
}
