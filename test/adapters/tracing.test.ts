/** Traces of a real service, as a collector on a loopback port gets them. */

import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTracing } from '../../src/adapters/tracing.ts';
import { startHttpServer } from '../helpers/httpServer.ts';
import { keptLog } from '../helpers/log.ts';
import { machines } from '../helpers/machines.ts';
import { answer, type Model, startModel } from '../helpers/model.ts';
import { startTestService } from '../helpers/service.ts';

interface SentSpan {
  name: string;
  kind: number;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  attributes: Record<string, unknown>;
  failed: boolean;
}

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const SCAN_TRACE_ID = 'a3ce929d0e0e47364bf92f3577b34da6';
const CALLER_SPAN_ID = '00f067aa0ba902b7';

/** What the collector was sent while a service answered one request for a run, and then stopped. */
const sent: SentSpan[] = [];
const pages: { path: string; headers: Record<string, unknown>; resource: Record<string, unknown>; raw: string }[] = [];
let model: Model;
let runId = '';

beforeAll(async () => {
  const collector = await startHttpServer(async (request, response) => {
    const raw = await text(request);
    for (const { resource, scopeSpans } of JSON.parse(raw).resourceSpans) {
      pages.push({ path: request.url!, headers: request.headers, resource: valuesOf(resource.attributes), raw });
      for (const span of scopeSpans.flatMap(({ spans }: { spans: any[] }) => spans)) {
        sent.push({ ...span, attributes: valuesOf(span.attributes), failed: span.status?.code === 2 });
      }
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  model = await startModel();
  model.says(
    'traced-goal',
    { calls: [['dexops__get_score', { hostname: 'dev-01' }]] },
    { text: answer('The secret-answer is out.') },
  );
  const service = await startTestService(
    {
      ...model.env,
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.port}/`,
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20t,x-team=dex',
    },
    { collector: machines(new Map()), healing: null },
  );
  try {
    await service.call('POST', '/api/v1/dex/endpoints', {
      hostname: 'dev-01',
      collector: 'ssh',
      options: { username: 'dexops' },
    });
    const asked = await service.call(
      'POST',
      '/api/v1/runs',
      { goal: 'traced-goal' },
      {
        traceparent: `00-${TRACE_ID}-${CALLER_SPAN_ID}-01`,
        'X-Request-Id': 'request-7',
      },
    );
    runId = asked.body.run_id;
    expect((await service.finished(runId)).status).toBe('completed');
    const scan = await service.call('POST', '/api/v1/dex/fleet/scan', undefined, {
      traceparent: `00-${SCAN_TRACE_ID}-${CALLER_SPAN_ID}-01`,
    });
    expect((await service.finished(scan.body.run_id)).status).toBe('completed');
  } finally {
    await service.stop();
    await collector.stop();
  }
}, 60_000);
afterAll(() => model?.stop());

function valuesOf(attributes: { key: string; value: Record<string, any> }[]): Record<string, unknown> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => {
      const [plain] = Object.values(value);
      return [key, plain?.values ? plain.values.map((item: object) => Object.values(item)[0]) : plain];
    }),
  );
}

/** The names from the root of its trace down to this span. */
function lineage(span: SentSpan): string[] {
  const parent = sent.find(({ spanId }) => spanId === span.parentSpanId);
  return [...(parent ? lineage(parent) : []), span.name];
}

const traced = () => sent.filter(({ traceId }) => traceId === TRACE_ID);
const spanOf = (name: string) => traced().find((span) => span.name === name)!;

test('a stopping service has sent everything, to the configured place, under its own name', () => {
  expect(pages[0]).toMatchObject({
    path: '/v1/traces',
    headers: { authorization: 'Bearer t', 'x-team': 'dex' },
    resource: { 'service.name': 'dexops', 'service.instance.id': expect.stringMatching(/./) },
  });
});

test('a request goes on the trace of its caller and leads to the run, the model and the tools', () => {
  const toStart = ['POST /api/v1/runs'];
  const toRun = [...toStart, 'tool start_run', 'job execute_run', 'run planner', 'invoke_agent default'];
  const toCall = [...toRun, 'step', 'execute_tool dexops__get_score'];
  expect(spanOf('POST /api/v1/runs').parentSpanId).toBe(CALLER_SPAN_ID);
  expect(
    traced()
      .map((span) => lineage(span).join(' > '))
      .sort(),
  ).toEqual(
    [
      toStart,
      [...toStart, 'tool start_run'],
      [...toStart, 'tool start_run', 'job execute_run'],
      toRun.slice(0, -1),
      toRun,
      [...toRun, 'step'],
      [...toRun, 'step'],
      [...toRun, 'step', 'chat gpt-4.1-mini'],
      [...toRun, 'step', 'chat gpt-4.1-mini'],
      toCall,
      [...toCall, 'tool get_score'],
    ]
      .map((names) => names.join(' > '))
      .sort(),
  );
});

test('spans say what OpenTelemetry and we need to find them, and nothing of what was said', () => {
  expect(spanOf('POST /api/v1/runs')).toMatchObject({
    kind: 2,
    attributes: {
      'http.request.method': 'POST',
      'http.route': '/api/v1/runs',
      'http.response.status_code': 202,
      'dexops.request_id': 'request-7',
    },
  });
  expect(spanOf('chat gpt-4.1-mini')).toMatchObject({
    kind: 3,
    attributes: {
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': 'gpt-4.1-mini',
      'gen_ai.usage.input_tokens': 1000,
      'gen_ai.usage.output_tokens': 100,
      'gen_ai.response.finish_reasons': ['tools'],
    },
  });
  expect(spanOf('run planner').attributes).toMatchObject({ 'dexops.run.id': runId, 'dexops.run.status': 'completed' });
  expect(spanOf('invoke_agent default').attributes).toMatchObject({ 'gen_ai.conversation.id': runId });
  expect(spanOf('tool get_score')).toMatchObject({ failed: true, attributes: { 'error.type': 'not_found' } });
  expect(spanOf('run planner').failed).toBe(false);
  expect(pages.map(({ raw }) => raw).join()).not.toMatch(/traced-goal|secret-answer/);
});

test('a fleet scan has a span for its run and for each shard, none for an endpoint', () => {
  const scan = sent.filter(({ traceId }) => traceId === SCAN_TRACE_ID);
  const shard = scan.find(({ name }) => name === 'scan shard')!;
  expect(lineage(shard).join(' > ')).toMatch(
    /^POST .*fleet\/scan > tool \w+ > job execute_run > run fleet_scan > job \w+ > scan shard$/,
  );
  expect(shard.attributes).toMatchObject({ 'dexops.endpoints.scanned': 1, 'dexops.endpoints.unreachable': 0 });
  expect(scan.filter(({ attributes }) => attributes['dexops.hostname'] !== undefined)).toEqual([]);
});

test('what was not asked for within a trace starts its own', async () => {
  const others = sent.filter(({ traceId }) => traceId !== TRACE_ID);
  const register = others.find(({ name }) => name === 'POST /api/v1/dex/endpoints')!;
  expect(register.parentSpanId).toBeUndefined();
  expect(sent.map(({ attributes }) => attributes['url.path'])).not.toContain('/health');
});

const tracingTo = (port: number) => {
  const log = keptLog();
  const options = { headers: {}, serviceName: 's', version: '1', instanceId: 'i', log };
  return { log, tracing: createTracing({ endpoint: `http://127.0.0.1:${port}`, ...options }) };
};

test('a caller’s traceparent that cannot be read is as none', async () => {
  const { tracing } = tracingTo(9);
  const zeros = `00-${'0'.repeat(32)}-${CALLER_SPAN_ID}-01`;
  for (const bad of ['', 'x', zeros, `ff-${TRACE_ID}-${CALLER_SPAN_ID}-01`]) {
    expect(await tracing.under(bad, async () => tracing.here())).toBeNull();
  }
  const good = `00-${TRACE_ID}-${CALLER_SPAN_ID}-01`;
  expect(await tracing.under(good, async () => tracing.here())).toBe(good);
});

test('a collector that refuses is said in the log, and one that hangs holds up no stop', {
  timeout: 30_000,
}, async () => {
  const refusing = await startHttpServer((_request, response) => void response.writeHead(400).end());
  const refused = tracingTo(refusing.port);
  await refused.tracing.span('a', {}, async () => {});
  await refused.tracing.close();
  await refusing.stop();
  expect(refused.log.lines).toMatchObject([{ level: 'warn', message: expect.stringContaining('trace collector') }]);

  const hanging = await startHttpServer(() => {});
  const { tracing } = tracingTo(hanging.port);
  await tracing.span('a', {}, async () => {});
  const closed = tracing.close().then(() => 'closed');
  expect(await Promise.race([closed, delay(20_000)])).toBe('closed');
  await hanging.stop();
});
