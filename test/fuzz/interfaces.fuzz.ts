/** Every door that takes bytes: bodies, headers, signed deliveries, MCP messages and model streams that nobody would send on purpose. */
import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLlm, type LlmProvider } from '../../src/adapters/llm/create.ts';
import { AppError } from '../../src/core/errors.ts';
import { startHttpServer } from '../helpers/httpServer.ts';
import { keptLog } from '../helpers/log.ts';
import { machines } from '../helpers/machines.ts';
import { API_KEY, startTestService, type TestService } from '../helpers/service.ts';
import { httpTransport, SIGNING_SECRET } from '../helpers/slack.ts';
import { anyText } from './schemaValues.ts';

const SECRET = 'a-webhook-secret';
const PATIENCE_MS = 30_000;

/** A reply of a few megabytes, read and judged twice on a busy machine. */
const STREAM_MS = 10_000;

const log = keptLog();
let slackApi: Awaited<ReturnType<typeof startHttpServer>>;
let service: TestService;
beforeAll(async () => {
  // A Slack that says yes to everything: what is fuzzed here is what comes in.
  slackApi = await startHttpServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(
      '{"ok":true,"user_id":"U1","bot_id":"B1","team_id":"T1","channel":"C1","ts":"1.1","members":[],"channels":[]}',
    );
  });
  service = await startTestService(
    {
      WEBHOOK_SECRET: SECRET,
      API_RATE_LIMIT_PER_MINUTE: '0',
      SLACK_BOT_TOKEN: 'xoxb-test',
      SLACK_SIGNING_SECRET: SIGNING_SECRET,
      SLACK_API_URL: `http://127.0.0.1:${slackApi.port}/api/`,
    },
    { collector: machines(new Map()), log },
  );
  await service.call('POST', '/api/v1/dex/endpoints', { hostname: 'pc-1' });
});
afterAll(async () => {
  await service.stop();
  await slackApi.stop();
});

async function post(
  path: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string>,
): Promise<number> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const send = () => fetch(service.url + path, { method: 'POST', headers, body, signal });
  // A kept connection may be closed by the server just when it is used again; clients then ask once more.
  const response = await send().catch(send);
  await response.arrayBuffer();
  return response.status;
}

const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => new Uint8Array(array));
const json = fc.jsonValue().map((value) => JSON.stringify(value));
const deep = fc.nat(20_000).map((depth) => '['.repeat(depth) + ']'.repeat(depth));
const body = fc.oneof(bytes, json, anyText, deep, fc.constantFrom('{', '{"a":', 'null', '{"__proto__":{"x":1}}'));
const contentType = fc.constantFrom(
  'application/json',
  'application/json; charset=utf-16',
  'text/plain',
  'application/json;charset=nonsense',
  'multipart/form-data',
);

/** How the body claims to be encoded, and whose page it comes from: only pages that are not ours are named here. */
const browserSays = fc.record<Record<string, string>>(
  {
    'content-encoding': fc.constantFrom('gzip', 'deflate', 'br', 'zstd', 'identity', 'gzip, br', 'x'),
    origin: fc.oneof(
      fc.constantFrom('null', 'https://evil.example', 'http://localhost.evil.example', 'file://'),
      fc.webUrl().filter((url) => !/localhost|127\./.test(url)),
    ),
    'sec-fetch-site': fc.constantFrom('cross-site', 'same-site', 'none', 'x'),
  },
  { requiredKeys: [] },
);

test('any body to any path is answered with a reason, never with a bug', async () => {
  const path = fc.constantFrom(
    '/api/v1/dex/endpoints',
    '/api/v1/runs',
    '/api/v1/dex/agent/snapshot',
    '/nothing',
    '/api/v1/webhooks/tickets',
    '/api/v1/webhooks/fleet',
    '/api/v1/webhooks/alertmanager',
    '/mcp',
  );
  await fc.assert(
    fc.asyncProperty(path, body, contentType, browserSays, async (path, body, type, said) => {
      const status = await post(path, body, {
        ...said,
        'content-type': type,
        authorization: `Bearer ${path.includes('webhooks') ? SECRET : API_KEY}`,
        accept: 'application/json, text/event-stream',
        'x-webhook-timestamp': now(),
      });
      expect(status, JSON.stringify(said)).toBeLessThan(500);
      if (said.origin !== undefined) expect([400, 403]).toContain(status);
    }),
  );
});

const now = () => String(Math.floor(Date.now() / 1000));

test('any address and any header', async () => {
  const path = fc.array(
    fc.oneof(
      anyText.map((text) => encodeURIComponent(text.toWellFormed().slice(0, 500))),
      fc.constantFrom('api', 'v1', 'dex', 'alerts', '%ff', '%2e%2e', '..', ''),
    ),
    { maxLength: 6 },
  );
  const header = fc.constantFrom(
    'accept',
    'x-request-id',
    'x-api-key',
    'authorization',
    'content-length',
    'mcp-session-id',
    'last-event-id',
  );
  const headers = fc.dictionary(header, fc.stringMatching(/^[\x20-\x7e]{0,40}$/), { maxKeys: 3 });
  await fc.assert(
    fc.asyncProperty(
      path,
      fc.dictionary(fc.string(), anyText, { maxKeys: 3 }),
      headers,
      async (parts, query, { 'content-length': _set, ...given }) => {
        const search = new URLSearchParams(
          Object.entries(query).map(([name, value]): [string, string] => [name, value.slice(0, 500)]),
        );
        const response = await fetch(`${service.url}/${parts.join('/')}?${search}`, {
          headers: { 'x-api-key': API_KEY, ...given },
          signal: AbortSignal.timeout(PATIENCE_MS),
        });
        await response.arrayBuffer();
        expect(response.status).toBeLessThan(500);
      },
    ),
  );
});

describe('deliveries that are signed', () => {
  const signed = (text: string, before = '') =>
    createHmac('sha256', SECRET)
      .update(before + text)
      .digest('hex');

  test('of Alertmanager: any alerts are taken or left out, and the delivery is answered', async () => {
    const labels = fc.dictionary(
      fc.oneof(fc.constantFrom('alertname', 'instance', 'severity', '__proto__', 'constructor'), anyText),
      fc.oneof(anyText, fc.constantFrom('pc-1', 'pc-1:9100', 'HighLoad')),
      { maxKeys: 6 },
    );
    const alert = fc.record(
      {
        status: fc.constantFrom('firing', 'resolved'),
        labels,
        annotations: labels,
        startsAt: anyText,
        fingerprint: anyText,
      },
      { requiredKeys: ['status', 'labels'] },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(alert, fc.jsonValue()), { maxLength: 5 }), async (alerts) => {
        const text = JSON.stringify({ version: '4', alerts });
        expect(
          await post('/api/v1/webhooks/alertmanager', text, {
            'content-type': 'application/json',
            'x-webhook-token': signed(text),
          }),
        ).toBe(200);
      }),
    );
  });

  test('of the ticket system', async () => {
    const word = fc.record(
      {
        delivery_id: anyText,
        ticket_id: anyText,
        event: fc.oneof(fc.constantFrom('resolved', 'comment'), anyText),
        at: fc.oneof(fc.constant('2026-03-02T09:00:00Z'), anyText),
        comment: anyText,
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(word, async (word) => {
        const text = JSON.stringify(word);
        const at = now();
        const status = await post('/api/v1/webhooks/tickets', text, {
          'content-type': 'application/json',
          'x-webhook-timestamp': at,
          'x-webhook-token': signed(text, `${at}.`),
        });
        expect([200, 400, 404]).toContain(status);
      }),
    );
  });

  test('of Slack: any words, clicks and events are acknowledged or refused', async () => {
    const send = httpTransport(service.url);
    const words = fc.record({
      command: fc.constant('/dex'),
      text: fc.oneof(anyText, fc.constantFrom('alerts', 'score pc-1', 'ack x')),
      user_id: anyText,
      channel_id: anyText,
      response_url: fc.constant(`http://127.0.0.1:${slackApi.port}/respond`),
      trigger_id: anyText,
      team_id: fc.constant('T1'),
    });
    const click = fc.record(
      {
        type: fc.constantFrom('block_actions', 'view_submission'),
        user: fc.record({ id: anyText }),
        team: fc.record({ id: fc.constant('T1') }),
        actions: fc.array(fc.record({ action_id: anyText, type: fc.constant('button'), value: anyText }), {
          maxLength: 2,
        }),
        view: fc.jsonValue(),
      },
      { requiredKeys: ['type', 'user', 'team', 'actions'] },
    );
    const event = fc.record({
      type: fc.constant('event_callback'),
      event: fc.oneof(
        fc.record({
          type: fc.constantFrom('app_home_opened', 'message', 'app_mention'),
          user: anyText,
          text: anyText,
          channel: anyText,
        }),
      ),
      event_id: anyText,
      team_id: fc.constant('T1'),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          words.map((payload) => ['slash_commands', payload] as const),
          click.map((payload) => ['interactive', payload] as const),
          event.map((payload) => ['events_api', payload] as const),
        ),
        async ([type, payload]) => {
          const { status } = await send(type, payload as Record<string, unknown>);
          expect(status).toBeLessThan(500);
        },
      ),
    );
  });
});

test('MCP: any message is answered with a result or an error of the protocol', async () => {
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    authorization: `Bearer ${API_KEY}`,
  };
  const opened = await fetch(`${service.url}/mcp`, {
    method: 'POST',
    headers,
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'fuzz', version: '1' } },
    }),
  });
  const session = { ...headers, 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' };
  await opened.text();
  const method = fc.oneof(
    fc.constantFrom(
      'tools/call',
      'tools/list',
      'resources/read',
      'prompts/get',
      'logging/setLevel',
      'ping',
      'completion/complete',
    ),
    anyText,
  );
  const params = fc.oneof(
    fc.record(
      {
        name: fc.oneof(fc.constantFrom('get_alert', 'list_alerts', 'get_endpoint'), anyText),
        arguments: fc.jsonValue(),
        uri: anyText,
      },
      { requiredKeys: [] },
    ),
    fc.jsonValue(),
  );
  const message = fc.record(
    { jsonrpc: fc.constant('2.0'), id: fc.oneof(fc.integer(), fc.string()), method, params },
    { requiredKeys: ['jsonrpc', 'id', 'method'] },
  );
  await fc.assert(
    fc.asyncProperty(fc.oneof(message, fc.jsonValue()), async (message) => {
      expect(await post('/mcp', JSON.stringify(message), session)).toBeLessThan(500);
    }),
  );
});

describe.each(['openai', 'anthropic'] as LlmProvider[])('what %s streams', (provider) => {
  test('any stream is a reply or a failure that is named', async () => {
    let stream = '';
    let isCut = false;
    const server = await startHttpServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      if (isCut) response.write(stream, () => response.destroy());
      else response.end(stream);
    });
    const base = `http://127.0.0.1:${server.port}`;
    const { llm } = createLlm(
      {
        provider,
        model: 'gpt-4.1-mini',
        openai: { apiKey: 'k', baseUrl: `${base}/v1` },
        anthropic: { apiKey: 'k', baseUrl: base },
        bedrock: { region: '', endpoint: '', credentials: null },
        ollama: { baseUrl: '' },
      },
      { tries: 2, timeoutMs: PATIENCE_MS, sleep: async () => {} },
    );
    // Some of them what no list has room for.
    const place = fc.oneof(fc.nat(3), fc.constantFrom(4_294_967_290, -1, 1.5, Number.MAX_SAFE_INTEGER));
    const openai = fc.record({
      choices: fc.array(
        fc.record({
          index: place,
          delta: fc.record(
            {
              content: fc.oneof(anyText, fc.constant(null)),
              tool_calls: fc.array(
                fc.record(
                  {
                    index: place,
                    id: anyText,
                    function: fc.record({ name: anyText, arguments: anyText }, { requiredKeys: [] }),
                  },
                  { requiredKeys: ['index'] },
                ),
              ),
            },
            { requiredKeys: [] },
          ),
          finish_reason: fc.constantFrom(null, 'stop', 'tool_calls', 'length'),
        }),
      ),
    });
    const anthropic = fc.oneof(
      fc.constant({
        type: 'message_start',
        message: {
          id: 'm',
          type: 'message',
          role: 'assistant',
          content: [],
          model: 'm',
          stop_reason: null,
          usage: { input_tokens: 1, output_tokens: 1 },
        },
      }),
      fc.record({
        type: fc.constant('content_block_start'),
        index: place,
        content_block: fc.oneof(
          fc.record({ type: fc.constant('text'), text: anyText }),
          fc.record({ type: fc.constant('tool_use'), id: anyText, name: anyText, input: fc.constant({}) }),
        ),
      }),
      fc.record({
        type: fc.constant('content_block_delta'),
        index: place,
        delta: fc.oneof(
          fc.record({ type: fc.constant('text_delta'), text: anyText }),
          fc.record({ type: fc.constant('input_json_delta'), partial_json: anyText }),
        ),
      }),
      fc.record({
        type: fc.constant('message_delta'),
        delta: fc.record({ stop_reason: fc.constantFrom('end_turn', 'tool_use', 'max_tokens') }),
        usage: fc.record({ output_tokens: fc.nat() }),
      }),
      fc.constant({ type: 'message_stop' }),
    );
    const event = fc.oneof(provider === 'openai' ? openai : anthropic, fc.jsonValue());
    const line = event.map(
      (value) => `${isTyped(value) ? `event: ${value.type}\n` : ''}data: ${JSON.stringify(value)}\n\n`,
    );
    const lines = fc.array(
      fc.oneof(
        { weight: 9, arbitrary: line },
        fc.tuple(line, fc.integer({ min: 200, max: 3000 })).map(([text, times]) => text.repeat(times)),
        anyText.map((text) => `${text.slice(0, 300)}\n`),
      ),
      { maxLength: 8 },
    );
    try {
      await fc.assert(
        fc.asyncProperty(lines, fc.constantFrom('done', 'end', 'cut'), async (parts, ending) => {
          stream = parts.join('') + (ending === 'done' ? 'data: [DONE]\n\n' : '');
          isCut = ending === 'cut';
          const startedAt = performance.now();
          const outcome = await llm!
            .complete({
              system: 's',
              messages: [{ role: 'user', text: 'hi' }],
              tools: [],
              toolChoice: 'auto',
              maxTokens: 100,
              signal: AbortSignal.timeout(PATIENCE_MS),
            })
            .catch((error: unknown) => error);
          expect(performance.now() - startedAt).toBeLessThan(STREAM_MS);
          if (outcome instanceof Error) expect(outcome, stream.slice(0, 2000)).toBeInstanceOf(AppError);
          else expect(outcome).toMatchObject({ text: expect.any(String), toolCalls: expect.any(Array) });
        }),
      );
    } finally {
      await server.stop();
    }
  });
});

function isTyped(value: unknown): value is { type: string } {
  return typeof (value as { type?: unknown } | null)?.type === 'string';
}

test('nothing of it was a bug', async () => {
  expect((await service.call('GET', '/health')).body.checks.database).toMatchObject({ status: 'ok' });
  const bugs = log.lines.filter(
    ({ message, level }) => level === 'error' && /unexpected|job failed|audit line lost/.test(message ?? ''),
  );
  expect([...new Set(bugs.map(({ fields, message }) => `${message}: ${(fields as { err?: unknown }).err}`))]).toEqual(
    [],
  );
});
