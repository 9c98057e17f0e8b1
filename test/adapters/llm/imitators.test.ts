/** Servers that imitate OpenAI's interface, each in its own way, over the real client; and the same faults of the others. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { afterEach, describe, expect, test } from 'vitest';
import { createLlm } from '../../../src/adapters/llm/create.ts';
import { withoutReasoning } from '../../../src/adapters/llm/reasoningText.ts';
import type { LlmRequest } from '../../../src/core/planner/llm.ts';

type Script = (body: Record<string, any>, call: number) => { status: number; error: unknown } | unknown[];

let server: Server | null = null;
afterEach(() => server?.close());

/** A server whose every answer is scripted: an error with its status, or the chunks of a stream. */
async function imitator(script: Script) {
  const bodies: Record<string, any>[] = [];
  server = createServer(async (request, response) => {
    const body = (await json(request)) as Record<string, any>;
    bodies.push(body);
    const answer = script(body, bodies.length);
    if (!Array.isArray(answer)) {
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.error));
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const chunk of answer) {
      if (chunk === BROKEN) {
        // What was written has to be on its way first.
        setTimeout(() => response.destroy(), 50);
        return;
      }
      response.write(`data: ${JSON.stringify(chunk)}\n\n`);
    }
    response.end('data: [DONE]\n\n');
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { llm } = createLlm(
    {
      provider: 'ollama',
      model: 'model-1',
      openai: { apiKey: '', baseUrl: '' },
      anthropic: { apiKey: '', baseUrl: '' },
      bedrock: { region: '', endpoint: '', credentials: null },
      ollama: { baseUrl: url },
    },
    { tries: 3, timeoutMs: 5_000, sleep: async () => {} },
  );
  const shown: string[] = [];
  const ask = (changes: Partial<LlmRequest> = {}) =>
    llm!.complete({
      system: 'You are tested.',
      messages: [{ role: 'user', text: 'Why?' }],
      tools: [{ name: 'get_score', description: 'Shows a score.', inputSchema: { type: 'object', properties: {} } }],
      toolChoice: 'auto',
      maxTokens: 500,
      signal: new AbortController().signal,
      onText: (delta) => void shown.push(delta),
      onTextWithdrawn: () => void shown.splice(0, shown.length, '(withdrawn)'),
      ...changes,
    });
  return { ask, bodies, shown };
}

const BROKEN = Symbol('the connection breaks here');
const delta = (given: unknown, finish_reason: string | null = null) => ({
  choices: [{ index: 0, delta: given, finish_reason }],
});
const call = (given: object) => delta({ tool_calls: [given] });
const END = delta({}, 'stop');

describe('tool calls', () => {
  const one = { name: 'get_score', input: { hostname: 'pc-1' } };
  const two = { name: 'get_score', input: { hostname: 'pc-2' } };
  const text = (hostname: string) => JSON.stringify({ hostname });

  test.each([
    [
      'A second tool call with index 0 and a new id is a new call',
      [
        call({ index: 0, id: 'a', function: { name: 'get_score', arguments: text('pc-1') } }),
        call({ index: 0, id: 'b', function: { name: 'get_score', arguments: text('pc-2').slice(0, 9) } }),
        call({ index: 0, function: { arguments: text('pc-2').slice(9) } }),
      ],
    ],
    [
      'a name at a taken index is a new call',
      [
        call({ index: 0, function: { name: 'get_score', arguments: text('pc-1') } }),
        call({ index: 0, function: { name: 'get_score', arguments: text('pc-2') } }),
      ],
    ],
    [
      'no index: append',
      [
        call({ id: 'a', function: { name: 'get_score', arguments: '' } }),
        call({ function: { arguments: text('pc-1') } }),
        call({ id: 'b', function: { name: 'get_score' } }),
        call({ function: { arguments: text('pc-2') } }),
      ],
    ],
    [
      'arguments as an object',
      [
        call({ index: 0, id: 'a', function: { name: 'get_score', arguments: { hostname: 'pc-1' } } }),
        call({ index: 1, id: 'b', function: { name: 'get_score', arguments: { hostname: 'pc-2' } } }),
      ],
    ],
    [
      'the id and the name repeated in every chunk of a call are no new call',
      [
        call({ index: 0, id: 'a', function: { name: 'get_score', arguments: text('pc-1').slice(0, 5) } }),
        call({ index: 0, id: 'a', function: { name: 'get_score', arguments: text('pc-1').slice(5) } }),
        call({ index: 1, id: '', function: { name: 'get_score', arguments: text('pc-2').slice(0, 5) } }),
        call({ index: 1, id: '', function: { name: 'get_score', arguments: text('pc-2').slice(5) } }),
      ],
    ],
    [
      'two calls in one chunk, both with index 0 and one id',
      [
        delta({
          tool_calls: [
            { index: 0, id: 'call', function: { name: 'get_score', arguments: text('pc-1') } },
            { index: 1, id: 'call', function: { name: 'get_score', arguments: text('pc-2') } },
          ],
        }),
      ],
    ],
  ])('"%s"', async (_kind, chunks) => {
    const { ask } = await imitator(() => [...chunks, END]);
    const { toolCalls, stopReason } = await ask();
    expect(toolCalls).toMatchObject([one, two]);
    expect(new Set(toolCalls.map(({ id }) => id)).size).toBe(2);
    expect(stopReason).toBe('tools');
  });

  test('"chunks without `choices` or `delta` are skipped"', async () => {
    const { ask } = await imitator(() => [
      { object: 'ping' },
      { choices: null },
      { choices: [] },
      { choices: [{ index: 0, finish_reason: null }] },
      { choices: [{ index: 0, delta: null, finish_reason: null }] },
      delta({ content: 'Fine', tool_calls: null }),
      delta({ content: [{ type: 'text', text: ' here' }] }),
      END,
      { choices: null, usage: { prompt_tokens: 7, completion_tokens: null } },
    ]);
    expect(await ask()).toMatchObject({ text: 'Fine here', usage: { inputTokens: 7, outputTokens: 0 } });
  });
});

describe('"a 400/422 that names a parameter: drop or rename it, try once, remember"', () => {
  const good = [delta({ content: 'Fine' }), END];
  const refusing = (parameter: string, status: number, error: unknown): Script => {
    return (body) => (parameter in body ? { status, error } : good);
  };

  test.each([
    [
      'max_tokens',
      400,
      {
        error: {
          message:
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
          param: 'max_tokens',
          code: 'unsupported_parameter',
        },
      },
      { max_completion_tokens: 500 },
    ],
    [
      'stream_options',
      422,
      { detail: [{ type: 'extra_forbidden', loc: ['body', 'stream_options'], msg: 'Extra inputs are not permitted' }] },
      { max_tokens: 500 },
    ],
    ['response_format', 400, { error: 'response_format is not supported' }, { max_tokens: 500 }],
    [
      'tool_choice',
      400,
      { object: 'error', message: '"tool_choice" is not allowed here', code: 400 },
      { max_tokens: 500 },
    ],
  ])('%s with %i', async (parameter, status, error, expected) => {
    const { ask, bodies } = await imitator(refusing(parameter, status, error));
    const format = { responseFormat: { name: 'answer', schema: { type: 'object' } } };
    expect((await ask(format)).text).toBe('Fine');
    expect(bodies).toHaveLength(2);
    expect(bodies[1]).not.toHaveProperty(parameter);
    expect(bodies[1]).toMatchObject(expected);
    await ask(format);
    expect(bodies).toHaveLength(3);
  });

  test('both names of the token limit, one after the other', async () => {
    const { ask, bodies } = await imitator((body) =>
      'max_tokens' in body
        ? { status: 400, error: { error: { message: 'unknown field max_tokens' } } }
        : 'max_completion_tokens' in body
          ? { status: 422, error: { error: { message: 'unknown field max_completion_tokens' } } }
          : good,
    );
    expect((await ask()).text).toBe('Fine');
    expect(bodies).toHaveLength(3);
  });

  test('a 400 that names none is the answer at once', async () => {
    const { ask, bodies } = await imitator(() => ({
      status: 400,
      error: { error: { message: 'the prompt is too long' } },
    }));
    await expect(ask()).rejects.toMatchObject({ kind: 'invalid' });
    expect(bodies).toHaveLength(1);
  });

  test('what a server does not count is estimated, so that no budget takes it for free', async () => {
    const { ask } = await imitator(() => good);
    const { usage } = await ask();
    expect(usage.inputTokens).toBeGreaterThan(20);
    expect(usage.outputTokens).toBeGreaterThan(0);
  });
});

describe('"`<think>…</think>` is dropped"', () => {
  test.each([
    ['<think>Hm. The disk?</think>\n\nThe disk is full.', 'The disk is full.'],
    ['Before <think>hm</think>after', 'Before after'],
    ['Hm, the disk.\n</think>\nThe disk is full.', 'The disk is full.'],
    ['<think>never closed', ''],
    ['No tags: a < b, <b>bold</b>', 'No tags: a < b, <b>bold</b>'],
    ['<think></think>{"a":1}', '{"a":1}'],
  ])('%j, however it is cut', (whole, expected) => {
    for (let size = 1; size <= whole.length; size++) {
      const reasoning = withoutReasoning();
      let text = '';
      for (let at = 0; at < whole.length; at += size) {
        const given = reasoning.add(whole.slice(at, at + size));
        text = (given.withdraw ? '' : text) + given.text;
      }
      expect(text + reasoning.end()).toBe(expected);
    }
  });

  test('through the stream', async () => {
    const { ask, shown } = await imitator(() => [
      ...['<thi', 'nk>Let me', ' see</th', 'ink>\n', 'The disk', ' is full.'].map((content) => delta({ content })),
      END,
    ]);
    expect((await ask()).text).toBe('The disk is full.');
    expect(shown.join('')).toBe('The disk is full.');
  });
});

test('"a broken try\'s deltas are withdrawn"', async () => {
  const { ask, shown } = await imitator((_body, number) =>
    number === 1 ? [delta({ content: 'The disk of ' }), BROKEN] : [delta({ content: 'The disk is full.' }), END],
  );
  expect((await ask()).text).toBe('The disk is full.');
  expect(shown).toEqual(['(withdrawn)', 'The disk is full.']);
});
