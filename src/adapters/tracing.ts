/** Sends spans to an OpenTelemetry collector; loaded only when one is configured. */
import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type Attributes,
  type Context,
  isSpanContextValid,
  SpanKind as OtelKind,
  type Span as OtelSpan,
  ROOT_CONTEXT,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace';
import { AppError } from '../core/errors.ts';
import type { Log } from '../core/ports/ports.ts';
import type { Span, SpanAttributes, SpanKind, Tracing } from '../core/tracing.ts';

interface TracingOptions {
  /** The collector's base address, as OTEL_EXPORTER_OTLP_ENDPOINT means it. */
  endpoint: string;
  headers: Record<string, string>;
  serviceName: string;
  version: string;
  /** Distinguishes this process from others of the same name. */
  instanceId: string;
  log: Log;
}

/** A collector that takes longer than this loses the spans; nobody waits longer for it at the end. Milliseconds. */
const EXPORT_LIMIT_MS = 3000;
/** A collector that is away is said this often. Milliseconds. */
const COMPLAIN_EVERY_MS = 10 * 60_000;

const KIND: Record<SpanKind, OtelKind> = {
  internal: OtelKind.INTERNAL,
  server: OtelKind.SERVER,
  client: OtelKind.CLIENT,
  consumer: OtelKind.CONSUMER,
};

export function createTracing(options: TracingOptions): Tracing & { close(): Promise<void> } {
  const exporter = new OTLPTraceExporter({
    url: `${options.endpoint.replace(/\/+$/, '')}/v1/traces`,
    headers: options.headers,
    timeoutMillis: EXPORT_LIMIT_MS,
  });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.name': options.serviceName,
      'service.version': options.version,
      'service.instance.id': options.instanceId,
    }),
    spanProcessors: [
      new BatchSpanProcessor({ exporter: complaining(exporter, options.log), exportTimeoutMillis: EXPORT_LIMIT_MS }),
    ],
  });
  const tracer = provider.getTracer('dexops', options.version);
  const storage = new AsyncLocalStorage<Context>();
  const active = () => storage.getStore() ?? ROOT_CONTEXT;

  return {
    span(name, attributes, work, kind = 'internal') {
      const span = tracer.startSpan(name, { kind: KIND[kind], attributes: known(attributes) }, active());
      return storage.run(trace.setSpan(active(), span), async () => {
        const handle = handleOf(span);
        try {
          return await work(handle);
        } catch (error) {
          handle.add({ 'error.type': error instanceof AppError ? error.kind : nameOf(error) });
          throw error;
        } finally {
          span.end();
        }
      });
    },
    here() {
      const at = trace.getSpanContext(active());
      if (!at) return null;
      return `00-${at.traceId}-${at.spanId}-${at.traceFlags.toString(16).padStart(2, '0')}`;
    },
    under: (traceparent, work) => storage.run(contextOf(traceparent), work),
    // Whatever could not be sent was complained about when it failed.
    close: () => provider.shutdown().catch(() => {}),
  };
}

function handleOf(span: OtelSpan): Span {
  return {
    add(attributes) {
      span.setAttributes(known(attributes));
      if ((attributes['error.type'] ?? null) !== null) span.setStatus({ code: SpanStatusCode.ERROR });
    },
    rename: (name) => void span.updateName(name),
  };
}

const known = (attributes: SpanAttributes): Attributes =>
  Object.fromEntries(
    Object.entries(attributes).flatMap(([name, value]) =>
      value === null ? [] : [[name, typeof value === 'object' ? [...value] : value]],
    ),
  );

const nameOf = (error: unknown) => (error instanceof Error ? error.name : 'unknown');

/** W3C Trace Context, version 00 and what later ones may append; `ff` is no version. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;

function contextOf(traceparent: string | null): Context {
  const [, traceId = '', spanId = '', flags = ''] = TRACEPARENT.exec(traceparent ?? '') ?? [];
  const parent = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
  return isSpanContextValid(parent) ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
}

/** The exporter, saying in the log that spans are lost instead of losing them silently. */
function complaining(exporter: SpanExporter, log: Log): SpanExporter {
  let complainedMs = Number.NEGATIVE_INFINITY;
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        if (result.error && performance.now() - complainedMs >= COMPLAIN_EVERY_MS) {
          complainedMs = performance.now();
          log.warn({ err: result.error, spans: spans.length }, 'the trace collector did not take spans; they are lost');
        }
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
  };
}
