/** One scenario through the wire formats of all four providers, against a server that speaks them over HTTP. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { type FixtureOpts, type FixtureResponse, LLMock } from '@copilotkit/aimock';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { AttemptOptions } from '../../../src/adapters/llm/attempt.ts';
import { createLlm, LLM_PROVIDERS, type LlmProvider } from '../../../src/adapters/llm/create.ts';
import type { Llm, LlmMessage, LlmRequest } from '../../../src/core/planner/llm.ts';
import { plan, profileOf, toolsOf } from '../../helpers/plannerWorld.ts';

const mock = new LLMock({ port: 0, host: '127.0.0.1', chunkSize: 8, strict: true });
let url = '';
beforeAll(async () => {
  url = await mock.start();
  // aimock has no list of Bedrock's jobs, which the adapter asks for to see whether it is there.
  mock.mount('/async-invoke', {
    handleRequest: async (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"asyncInvokeSummaries":[]}');
      return true;
    },
  });
});
afterAll(() => mock.stop());
beforeEach(() => {
  mock.reset();
});

const USAGE = { prompt_tokens: 120, completion_tokens: 30, input_tokens: 120, output_tokens: 30 };
const PATH = {
  openai: '/v1/chat/completions',
  anthropic: '/v1/messages',
  bedrock: '/model/model-1/converse-stream',
  ollama: '/v1/chat/completions',
};
const ANSWER = '{"cause":"The disk of dev-01 is full."}';
const CALLS = {
  content: 'Let me look.',
  toolCalls: [
    { name: 'dexops__get_score', arguments: '{"hostname":"dev-01"}', id: 'call_score' },
    { name: 'dexops__get_trends', arguments: '{"hostname":"dev-01","days":7}', id: 'call_trends' },
  ],
  usage: USAGE,
};

function clientOf(provider: LlmProvider, at: string, attempts?: AttemptOptions): Llm {
  const { llm, reason } = createLlm(
    {
      provider,
      model: 'model-1',
      openai: { apiKey: 'key', baseUrl: `${at}/v1` },
      anthropic: { apiKey: 'key', baseUrl: at },
      bedrock: { region: 'eu-central-1', endpoint: at, credentials: { accessKeyId: 'id', secretAccessKey: 'key' } },
      ollama: { baseUrl: at },
    },
    attempts,
  );
  if (!llm) throw new Error(reason);
  return llm;
}

const question = (): LlmRequest => ({
  system: 'You are tested.',
  messages: [{ role: 'user', text: 'Why?' }],
  tools: [],
  toolChoice: 'auto',
  maxTokens: 500,
  signal: new AbortController().signal,
});

describe.each(LLM_PROVIDERS)('%s', (provider) => {
  const waits: number[] = [];
  beforeEach(() => {
    waits.length = 0;
  });

  const connect = (changes: Partial<AttemptOptions> = {}, at = url): Llm =>
    clientOf(provider, at, { tries: 4, timeoutMs: 5_000, sleep: async (ms) => void waits.push(ms), ...changes });

  const ask = (llm: Llm, changes: Partial<LlmRequest> = {}) => llm.complete({ ...question(), ...changes });

  /** The first answers in order, then the good one for ever. */
  const scenario = (...faults: [FixtureResponse, FixtureOpts?][]) => {
    faults.forEach(([response, options], sequenceIndex) => {
      mock.on({ sequenceIndex, userMessage: /./ }, response, options);
    });
    mock.on({ hasToolResult: false }, CALLS);
    mock.on({ hasToolResult: true }, { content: ANSWER, usage: USAGE });
  };

  const investigate = async (llm: Llm, onText?: (delta: string) => void) => {
    const asked: unknown[] = [];
    const answering = (said: string) => ({
      properties: { hostname: { type: 'string' } },
      run: (input: unknown) => {
        asked.push(input);
        return said;
      },
    });
    const tools = await toolsOf({
      get_score: answering('score 31, disk 97 %'),
      get_trends: answering('disk full in 5 h'),
    });
    return { asked, result: await plan({ llm, tools, profile: profileOf(), onText }) };
  };

  it('investigates with two tools and answers, streaming, with usage', async () => {
    scenario();
    const deltas: string[] = [];
    const { asked, result } = await investigate(connect(), (delta) => deltas.push(delta));

    expect(result).toMatchObject({ status: 'completed', answer: { cause: 'The disk of dev-01 is full.' } });
    expect(asked).toEqual([{ hostname: 'dev-01' }, { hostname: 'dev-01', days: 7 }]);
    expect(result.usage).toEqual({ inputTokens: 240, outputTokens: 60 });
    expect(deltas.length).toBeGreaterThan(4);
    expect(deltas.join('')).toBe(`Let me look.${ANSWER}`);

    expect(mock.getRequests().map(({ path }) => path)).toEqual([PATH[provider], PATH[provider]]);
    const second = mock.getRequests()[1]!.body as {
      messages: { role: string; content: string; tool_call_id?: string }[];
    };
    const told = second.messages.filter(({ role }) => role === 'tool');
    expect(told.map(({ tool_call_id }) => tool_call_id)).toEqual(['call_score', 'call_trends']);
    expect(told[0]!.content).toContain('disk 97 %');
  });

  it('waits as long as a 429 says and gets through', async () => {
    scenario([{ error: { message: 'slow down', type: 'rate_limit_error' }, status: 429, retryAfter: 7 }]);
    expect((await investigate(connect())).result.status).toBe('completed');
    expect(waits).toEqual([7_000]);
  });

  it('gives up after four tries, each wait longer, and at once when the provider asks for too much patience', async () => {
    mock.on({}, { error: { message: 'overloaded' }, status: 503 });
    await expect(ask(connect())).rejects.toMatchObject({ kind: 'unavailable', details: { status: 503, tries: 4 } });
    expect(waits).toHaveLength(3);
    expect(waits).toEqual([...waits].sort((a, b) => a - b));
    mock.reset();
    mock.on({}, { error: { message: 'slow down' }, status: 429, retryAfter: 2 });
    await expect(ask(connect())).rejects.toMatchObject({ kind: 'rate_limited', details: { status: 429, tries: 4 } });
    mock.reset();
    mock.on({}, { error: { message: 'come back tomorrow' }, status: 429, retryAfter: 86_400 });
    await expect(ask(connect())).rejects.toMatchObject({ kind: 'rate_limited', details: { tries: 1 } });
  });

  it.each([
    ['a 500', [{ error: { message: 'oops' }, status: 500 }] as [FixtureResponse]],
    ['a stream that breaks off', [CALLS, { truncateAfterChunks: 3 }] as [FixtureResponse, FixtureOpts]],
    ['a connection that is closed', [CALLS, { chaos: { disconnectRate: 1 } }] as [FixtureResponse, FixtureOpts]],
    ['a garbled answer', [CALLS, { chaos: { malformedRate: 1 } }] as [FixtureResponse, FixtureOpts]],
  ])('tries again after %s', async (_name, fault) => {
    scenario(fault);
    const { asked, result } = await investigate(connect());
    expect(result.status).toBe('completed');
    expect(asked).toHaveLength(2);
    expect(waits).toHaveLength(1);
  });

  it('is unavailable when every answer is garbled', async () => {
    mock.on({}, CALLS, { chaos: { malformedRate: 1 } });
    await expect(ask(connect())).rejects.toMatchObject({ kind: 'unavailable' });
  });

  it.each([
    [400, 'invalid'],
    [401, 'denied'],
    [404, 'not_found'],
  ])('does not repeat a %i, which is %s', async (status, kind) => {
    mock.on({}, { error: { message: 'no' }, status });
    await expect(ask(connect())).rejects.toMatchObject({ name: 'AppError', kind });
    expect(waits).toEqual([]);
  });

  it('gives up on an answer that takes too long', async () => {
    mock.on({}, CALLS, { chaos: { latencyMs: 2_000 } });
    await expect(ask(connect({ tries: 1, timeoutMs: 60 }))).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('60 ms'),
    });
  });

  it('stops in the middle of a stream when the caller aborts', async () => {
    mock.on({}, { content: ANSWER.repeat(20) }, { streamingProfile: { tps: 20 } });
    const abort = new AbortController();
    const reason = new Error('enough');
    const reply = ask(connect(), { signal: abort.signal, onText: () => abort.abort(reason) });
    await expect(reply).rejects.toBe(reason);
  });

  it('reports a reply that was cut at the token limit', async () => {
    mock.on({}, { content: '{"cause":', finishReason: 'length' });
    expect(await ask(connect())).toMatchObject({ stopReason: 'max_tokens', text: '{"cause":' });
  });

  it('tells whether the provider is there without asking a model anything', async () => {
    const { signal } = new AbortController();
    expect(await connect().ping(signal)).toEqual({ ok: true, reason: null });
    expect(mock.getRequests().filter(({ method }) => method === 'POST')).toEqual([]);
    expect(await connect({}, 'http://127.0.0.1:9').ping(signal)).toMatchObject({
      ok: false,
      reason: expect.stringContaining('no answer'),
    });
  });
});

describe('signed reasoning', () => {
  const thinking = { type: 'thinking', thinking: 'The disk, perhaps.', signature: 'c2lnbmVk' };

  it('of Anthropic’s models is kept with the reply', async () => {
    mock.on({}, { ...CALLS, reasoning: thinking.thinking, reasoningSignature: thinking.signature });
    const reply = await clientOf('anthropic', url).complete(question());
    expect(reply).toMatchObject({ carry: [thinking], stopReason: 'tools' });
  });

  it.each([
    ['anthropic', [thinking], thinking],
    [
      'bedrock',
      [{ text: 'The disk, perhaps.', signature: 'c2lnbmVk' }],
      { reasoningContent: { reasoningText: { text: 'The disk, perhaps.', signature: 'c2lnbmVk' } } },
    ],
    ['bedrock', [{ redactedBase64: 'AAEC' }], { reasoningContent: { redactedContent: 'AAEC' } }],
  ] as const)(
    'goes back to %s unchanged, before the calls that followed from it',
    async (provider, carry, onTheWire) => {
      let sent = '';
      const server = createServer(async (request, response) => {
        sent = await text(request);
        response.writeHead(400, { 'content-type': 'application/json' }).end('{"message":"seen enough"}');
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      onTestFinished(() => void server.close());
      const { port } = server.address() as AddressInfo;
      const call = { id: 'c1', name: 'dexops__get_score', input: { hostname: 'dev-01' }, unparsedInput: null };
      const messages: LlmMessage[] = [
        { role: 'user', text: 'Why?' },
        { role: 'assistant', text: '', toolCalls: [call], carry },
        { role: 'tool', toolCallId: 'c1', name: call.name, text: 'score 31', isError: false },
      ];
      const reply = clientOf(provider, `http://127.0.0.1:${port}`).complete({ ...question(), messages });
      await expect(reply).rejects.toMatchObject({ kind: 'invalid' });
      const [, assistant] = JSON.parse(sent).messages;
      expect(assistant.content[0]).toEqual(onTheWire);
      expect(assistant.content).toHaveLength(2);
    },
  );
});

it.each(['openai', 'ollama'] as const)(
  '%s: arguments that are no JSON are kept for the model to see',
  async (provider) => {
    mock.on({}, { toolCalls: [{ name: 'dexops__get_score', arguments: '{"hostname":' }] });
    const reply = await clientOf(provider, url).complete(question());
    expect(reply.toolCalls).toMatchObject([{ input: {}, unparsedInput: '{"hostname":' }]);
  },
);
