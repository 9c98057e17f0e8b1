/** Streams an exporter's page over HTTP, bounded in size, and names every way in which that can fail. */
import { isIPv6 } from 'node:net';
import { StringDecoder } from 'node:string_decoder';
import { Agent, type Dispatcher, errors } from 'undici';
import type { ScanTarget } from '../../../domain/signals/telemetry.ts';
import { Unreachable } from '../readings.ts';

const MAX_PAGE_BYTES = 8 * 1024 * 1024;
const MAX_LINE_CHARS = 256 * 1024;
const CONNECT_TIMEOUT_MS = 3_000;
/** Long enough for the second sample a second later; longer would only hold one idle socket per endpoint. */
const KEEP_ALIVE_MS = 2_000;

export interface Scraper {
  /**
   * Reads the page from an already checked IP address and hands it on in pieces of whole lines, so that no page is
   * ever held in memory. Rejects with `Unreachable` and the reason.
   */
  scrape(
    target: ScanTarget,
    address: string,
    port: number,
    signal: AbortSignal,
    onLines: (lines: string) => void,
  ): Promise<void>;
  close(): Promise<void>;
}

export function createScraper(): Scraper {
  const agent = new Agent({
    connect: { timeout: CONNECT_TIMEOUT_MS },
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxResponseSize: MAX_PAGE_BYTES,
  });
  return {
    async scrape(target, address, port, signal, onLines) {
      const { scheme = 'http', path = '/metrics' } = target.options;
      const origin = `${scheme}://${isIPv6(address) ? `[${address}]` : address}:${port}`;
      // The name goes into the Host header, and with it into TLS, where the certificate is checked against it.
      const headers = { accept: 'text/plain;version=0.0.4', host: `${target.hostname}:${port}` };
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      agent.dispatch(
        { origin, path, method: 'GET', headers },
        new PageHandler(signal, onLines, (error) => (error ? reject(error) : resolve())),
      );
      try {
        await promise;
      } catch (error) {
        const reason = error instanceof Unreachable ? error.message : failureReason(error);
        throw new Unreachable(`${origin}${path} ${reason}`);
      }
    },
    close: () => agent.destroy(),
  };
}

/** Takes one response apart into whole lines; undici's own body streams cost about as much as the scan itself. */
class PageHandler implements Dispatcher.DispatchHandler {
  private readonly signal: AbortSignal;
  private readonly onLines: (lines: string) => void;
  private readonly settle: (error: Error | null) => void;
  private readonly decoder = new StringDecoder('utf8');
  private readonly onAbort = (): void => this.controller?.abort(new Unreachable('was given up'));
  private controller: Dispatcher.DispatchController | null = null;
  private unfinishedLine = '';
  private started = false;

  constructor(signal: AbortSignal, onLines: (lines: string) => void, settle: (error: Error | null) => void) {
    this.signal = signal;
    this.onLines = onLines;
    this.settle = settle;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    this.signal.addEventListener('abort', this.onAbort, { once: true });
    if (this.signal.aborted) this.onAbort();
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    statusCode: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (statusCode !== 200) controller.abort(new Unreachable(`answered HTTP ${statusCode}`));
    else if (String(headers['content-type']).startsWith('text/html')) controller.abort(new Unreachable(HTML_REFUSAL));
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const text = this.unfinishedLine + this.decoder.write(chunk);
    if (!this.started && text.trimStart().startsWith('<')) controller.abort(new Unreachable(HTML_REFUSAL));
    this.started = true;
    const lineEnd = text.lastIndexOf('\n') + 1;
    if (lineEnd > 0) this.onLines(text.slice(0, lineEnd));
    this.unfinishedLine = text.slice(lineEnd);
    if (this.unfinishedLine.length > MAX_LINE_CHARS) controller.abort(new Unreachable('sent a line without an end'));
  }

  onResponseEnd(): void {
    this.onLines(this.unfinishedLine + this.decoder.end());
    this.finish(null);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.finish(error);
  }

  private finish(error: Error | null): void {
    this.signal.removeEventListener('abort', this.onAbort);
    this.settle(error);
  }
}

const HTML_REFUSAL = 'answered with a web page instead of metrics: check the port and the path';

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
  if (error instanceof errors.HTTPParserError) return `does not speak HTTP: ${message}`;
  return `failed: ${message}`;
}
