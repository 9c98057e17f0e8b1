/** Model servers that send too much, too long or nothing: each reply ends soon, with a word on what was wrong. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { AttemptOptions } from '../../../src/adapters/llm/attempt.ts';
import { REPLY_BOUNDS } from '../../../src/adapters/llm/bounds.ts';
import { createLlm, type LlmProvider } from '../../../src/adapters/llm/create.ts';
import { parseToolInput } from '../../../src/adapters/llm/toolInput.ts';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

interface Server {
  url: string;
  requests: number;
  /** Connections that are still open. */
  open(): Promise<number>;
}

async function serving(answer: (response: ServerResponse) => void): Promise<Server> {
  const server = createServer((request, response) => {
    served.requests++;
    request.resume();
    response.on('error', () => {});
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    answer(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const served: Server = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: 0,
    open: () => new Promise((resolve) => server.getConnections((_error, count) => resolve(count))),
  };
  stops.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return served;
}

function ask(
  provider: LlmProvider,
  url: string,
  changes: Partial<AttemptOptions> = {},
  said: (text: string) => void = () => {},
) {
  const { llm } = createLlm(
    {
      provider,
      model: 'm',
      openai: { apiKey: 'key', baseUrl: `${url}/v1` },
      anthropic: { apiKey: 'key', baseUrl: url },
      bedrock: { region: 'eu-central-1', endpoint: url, credentials: { accessKeyId: 'id', secretAccessKey: 'key' } },
      ollama: { baseUrl: url },
    },
    { tries: 4, timeoutMs: 20_000, sleep: async () => {}, ...changes },
  );
  return llm!.complete({
    system: 's',
    messages: [{ role: 'user', text: 'Why?' }],
    tools: [],
    toolChoice: 'auto',
    maxTokens: 500,
    signal: new AbortController().signal,
    onText: said,
  });
}

const sse = (...events: unknown[]) => events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('');
const chunk = (delta: unknown, finish: string | null = null) => ({ choices: [{ delta, finish_reason: finish }] });
const call = (index: number, json = '{}') => ({
  tool_calls: [{ index, id: `c${index}`, function: { name: 'get_score', arguments: json } }],
});
const end = () => `${sse(chunk({}, 'stop'))}data: [DONE]\n\n`;

/** Writes the same piece for ever, as fast as the reader takes it. */
function forEver(response: ServerResponse, piece: Buffer | string): void {
  const more = (): void => {
    while (!response.destroyed && response.write(piece));
    if (!response.destroyed) response.once('drain', more);
  };
  more();
}

describe('Streams are bounded: bytes, calls, index, time. A hostile stream', () => {
  it('of thousands of calls is refused, once', async () => {
    const server = await serving((response) => {
      for (let index = 0; index < 5_000; index++) response.write(sse(chunk(call(index))));
      response.end(end());
    });
    await expect(ask('openai', server.url)).rejects.toThrow('more than 128 parts');
    expect(server.requests).toBe(1);
  });

  it('with an index of billions costs no more than one of few', async () => {
    const server = await serving((response) => {
      response.end(sse(chunk(call(4_294_967_290)), chunk(call(3))) + end());
    });
    const reply = await ask('openai', server.url);
    expect(reply.toolCalls.map(({ id }) => id)).toEqual(['c4294967290', 'c3']);
  });

  it.each([-1, 0.5, 1e300])('with the index %s is refused', async (index) => {
    const server = await serving((response) => {
      response.end(sse(chunk(call(index as number))) + end());
    });
    await expect(ask('openai', server.url)).rejects.toThrow('no usable index');
  });

  it.each(['openai', 'anthropic', 'bedrock'] as const)(
    'to %s that never ends is cut, and its connection closed',
    async (provider) => {
      // No line and no frame of any of the three ever ends in it.
      const server = await serving((response) => forEver(response, Buffer.alloc(65_536, 'x')));
      const bounds = { ...REPLY_BOUNDS, bytes: 2 * 1024 * 1024 };
      await expect(ask(provider, server.url, { bounds })).rejects.toThrow(
        /larger than 2097152 bytes|gave no usable answer/,
      );
      expect(server.requests).toBeLessThanOrEqual(4);
      await expect.poll(server.open).toBe(0);
    },
  );

  it('of text without end is cut at what any reply may say', async () => {
    const piece = sse(chunk({ content: 'y'.repeat(1000) }));
    const server = await serving((response) => forEver(response, piece));
    let characters = 0;
    const asking = ask('openai', server.url, {}, (text) => {
      characters += text.length;
    });
    await expect(asking).rejects.toThrow('longer than 1000000 characters');
    expect(characters).toBeLessThanOrEqual(1_000_000);
  });

  it('lets other work through while it comes', async () => {
    const server = await serving((response) => {
      response.end(sse(chunk({ content: 'z' })).repeat(20_000) + end());
    });
    let turns = 0;
    let running = true;
    const turn = (): void => {
      turns++;
      if (running) setImmediate(turn);
    };
    turn();
    await ask('openai', server.url);
    running = false;
    expect(turns).toBeGreaterThan(150);
  });

  it('that falls silent is given up before the whole time is over', async () => {
    const server = await serving((response) => response.write(sse(chunk({ content: 'I' }))));
    const bounds = { ...REPLY_BOUNDS, idleMs: 100 };
    await expect(ask('openai', server.url, { bounds, tries: 1 })).rejects.toThrow('nothing came for 100 ms');
    await expect.poll(server.open).toBe(0);
  });

  it('cannot break a budget by its counts', async () => {
    const server = await serving((response) => {
      const usage = { prompt_tokens: -5, completion_tokens: '7' };
      response.end(sse(chunk({ content: 'ok' }), { choices: [], usage }) + end());
    });
    expect((await ask('openai', server.url)).usage).toEqual({ inputTokens: 0, outputTokens: 0 });
  });
});

it('arguments nested without end are no input', () => {
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  expect(parseToolInput(deep)).toEqual({ input: {}, unparsedInput: deep });
  expect(parseToolInput('{"text":"[[[[\\"{{{"}')).toMatchObject({ input: { text: '[[[["{{{' } });
  expect(parseToolInput(`{"a":"${'['.repeat(100)}"}`).unparsedInput).toBeNull();
});
