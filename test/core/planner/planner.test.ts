import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/core/errors.ts';
import type { LlmMessage, LlmRequest } from '../../../src/core/planner/llm.ts';
import { ANSWER, plan, profileOf, START, scriptedLlm, toolsOf } from '../../helpers/plannerWorld.ts';

const results = (request: Pick<LlmRequest, 'messages'>) =>
  request.messages.filter((message): message is LlmMessage & { role: 'tool' } => message.role === 'tool');

describe('the loop', () => {
  it('runs the reads of one step side by side and answers from what they said', async () => {
    const both = Promise.withResolvers<void>();
    let begun = 0;
    const meet = async () => {
      if (++begun === 2) both.resolve();
      await both.promise;
      return 'met';
    };
    const llm = scriptedLlm(
      {
        calls: [
          ['dexops__a', {}],
          ['dexops__b', {}],
        ],
      },
      ANSWER,
    );
    const result = await plan({ llm, tools: await toolsOf({ a: { run: meet }, b: { run: meet } }) });

    expect(result).toMatchObject({ status: 'completed', answer: { cause: 'disk' }, error: null });
    expect(result.usage).toEqual({ inputTokens: 200, outputTokens: 20 });
    expect(results(llm.requests[1]!).map(({ text }) => text.includes('met'))).toEqual([true, true]);
  });

  it('tells the model its errors: a tool that failed, one that does not exist, arguments that are no JSON', async () => {
    const llm = scriptedLlm(
      {
        calls: [
          ['dexops__broken', {}],
          ['dexops__invented', {}],
        ],
      },
      (request) => ({
        toolCalls: [{ id: 'x', name: 'dexops__broken', input: {}, unparsedInput: '{"half":' }],
        stopReason: 'tools',
        text: String(request.messages.length),
      }),
      ANSWER,
    );
    const tools = await toolsOf({
      broken: {
        run: () => {
          throw new Error('no route to host');
        },
      },
    });
    const result = await plan({ llm, tools });

    expect(result.status).toBe('completed');
    const told = results(llm.requests[2]!);
    expect(told.every(({ isError }) => isError)).toBe(true);
    expect(told[0]!.text).toContain('no route to host');
    expect(told[1]!.text).toContain('There are: dexops__broken');
    expect(told[2]!.text).toContain('not valid JSON');
  });

  it('does not send an identical read a third time, and ends a run that keeps asking', async () => {
    let sent = 0;
    const tools = await toolsOf({ get_score: { run: () => `score ${++sent}` } });
    const llm = scriptedLlm(
      { calls: [['dexops__get_score', { b: 1, a: 2 }]] },
      { calls: [['dexops__get_score', { a: 2, b: 1 }]] },
    );
    const result = await plan({ llm, tools });

    expect(sent).toBe(2);
    expect(result.error?.kind).toBe('repeated_calls');
    expect(llm.requests).toHaveLength(5);
  });

  it('makes an identical write once, however often it is asked for', async () => {
    let sent = 0;
    const tools = await toolsOf({ ack: { effect: 'write', run: () => `done ${++sent}` } });
    const write = { calls: [['dexops__ack', { id: 1 }]] } satisfies Parameters<typeof scriptedLlm>[0];
    const profile = profileOf({ allow_writes: ['dexops__ack'] });
    const result = await plan({ llm: scriptedLlm(write, write, ANSWER), tools, profile });

    expect(sent).toBe(1);
    expect(result.steps[1]!.calls[0]).toMatchObject({ status: 'refused', refusal: 'repeated' });
  });

  it('shows only what the profile allows, and an unlisted tool cannot be called by name', async () => {
    let sent = 0;
    const tools = await toolsOf({ get_a: { run: () => 'a' }, secret: { run: () => ++sent } });
    const llm = scriptedLlm({ calls: [['dexops__secret', {}]] }, ANSWER);
    await plan({ llm, tools, profile: profileOf({ tools: ['dexops__get_*'] }) });

    expect(llm.requests[0]!.tools.map(({ name }) => name)).toEqual(['dexops__get_a']);
    expect(sent).toBe(0);
  });

  it('says so when no allowed tool is there', async () => {
    const result = await plan({ llm: scriptedLlm(ANSWER), tools: await toolsOf({}) });
    expect(result.error).toMatchObject({ kind: 'no_tools' });
  });
});

describe('the answer', () => {
  it.each(['{"cause":"disk"}', '```json\n{"cause":"disk"}\n```', 'Here it is: {"cause":"disk"} — done.'])(
    'is found in %s',
    async (text) => {
      const result = await plan({ llm: scriptedLlm({ text }), tools: await toolsOf({ a: { run: () => '' } }) });
      expect(result.answer).toEqual({ cause: 'disk' });
    },
  );

  it('gets one repair, told what was wrong and without tools', async () => {
    const llm = scriptedLlm({ text: '{"reason":"disk"}' }, ANSWER);
    const result = await plan({ llm, tools: await toolsOf({ a: { run: () => '' } }) });

    expect(result).toMatchObject({ status: 'completed', answer: { cause: 'disk' } });
    expect(result.steps).toHaveLength(1);
    expect(result.steps[0]!.rejected).toMatchObject({ text: '{"reason":"disk"}', repaired: true });
    expect(llm.requests[1]!.toolChoice).toBe('none');
    expect(llm.requests[1]!.messages.at(-1)!.text).toContain('does not fit the schema');
  });

  it('is unparseable_answer after a repair that failed too', async () => {
    const llm = scriptedLlm({ text: 'It is the disk.' });
    const result = await plan({ llm, tools: await toolsOf({ a: { run: () => '' } }) });
    expect(result).toMatchObject({ status: 'failed', answer: null, error: { kind: 'unparseable_answer' } });
    expect(llm.requests).toHaveLength(2);
  });
});

describe('bounds', () => {
  const numbered = (request: LlmRequest) => ({
    calls: [['dexops__a', { n: request.messages.length }]] as [string, unknown][],
  });

  it('stops at 15 steps, and offers no tools in the last', async () => {
    const llm = scriptedLlm(numbered);
    const result = await plan({ llm, tools: await toolsOf({ a: { run: () => 'x' } }) });
    expect(result.error?.kind).toBe('step_limit');
    expect(result.steps).toHaveLength(15);
    expect(llm.requests.map(({ toolChoice }) => toolChoice)).toEqual([...Array(14).fill('auto'), 'none', 'none']);
  });

  it('asks for the answer at 80 % of the tokens and never starts a call beyond all of them', async () => {
    const tools = await toolsOf({ a: { run: () => 'x' } });
    const limits = { tokens: 500 };
    const wise = await plan({
      llm: scriptedLlm((r) => (r.toolChoice === 'none' ? ANSWER : numbered(r))),
      tools,
      limits,
    });
    expect(wise.status).toBe('completed');
    expect(wise.usage.inputTokens + wise.usage.outputTokens).toBe(550);

    const greedy = scriptedLlm((r) => ({ ...numbered(r), usage: { inputTokens: 400, outputTokens: 101 } }));
    const result = await plan({ llm: greedy, tools, limits });
    expect(result.error?.kind).toBe('token_limit');
    expect(greedy.requests).toHaveLength(1);
  });

  it('counts the cost by the price list and stops at the limit', async () => {
    const llm = scriptedLlm(numbered);
    const prices = [{ model: 'script', inputUsd: 1000, outputUsd: 10_000 }];
    const result = await plan({
      llm,
      prices,
      limits: { costUsd: 0.2 },
      tools: await toolsOf({ a: { run: () => 'x' } }),
    });
    expect(result.error?.kind).toBe('cost_limit');
    expect(result.costUsd).toBeCloseTo(0.2);
  });

  it('stops when its time is over, by the clock between steps and by a timer within one', async () => {
    const tools = await toolsOf({ a: { run: () => 'x' } });
    let minutes = 0;
    const clock = { now: () => new Date(START.getTime() + minutes++ * 60_000) };
    const slow = await plan({ llm: scriptedLlm(numbered), tools, clock, limits: { timeMs: 300_000 } });
    expect(slow.error?.kind).toBe('time_limit');

    const hanging = scriptedLlm(async ({ signal }) => {
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      return ANSWER;
    });
    const hung = await plan({ llm: hanging, tools, limits: { timeMs: 30 } });
    expect(hung.error?.kind).toBe('time_limit');
  });

  it('gives the provider’s failure as its own', async () => {
    const llm = scriptedLlm(() => Promise.reject(new AppError('rate_limited', 'openai answered 429: slow down')));
    const result = await plan({ llm, tools: await toolsOf({ a: { run: () => '' } }) });
    expect(result.error).toEqual({ kind: 'llm_failed', message: 'openai answered 429: slow down' });
  });

  it('drops the oldest tool results first when the transcript grows too long', async () => {
    const tools = await toolsOf({ a: { run: () => 'x'.repeat(12_000) } });
    const many = (request: LlmRequest) => ({
      calls: Array.from(
        { length: 8 },
        (_, i) => ['dexops__a', { n: request.messages.length + i }] as [string, unknown],
      ),
    });
    const llm = scriptedLlm(many, many, many, many, ANSWER);
    await plan({ llm, tools });
    const last = results(llm.requests.at(-1)!).map(({ text }) => text.includes('dropped to save room'));
    expect(last).toHaveLength(32);
    expect(last).toEqual([...last].sort().reverse());
    expect(last[0]).toBe(true);
    expect(last.at(-1)).toBe(false);
    expect(JSON.stringify(llm.requests.at(-1)!.messages).length).toBeLessThan(270_000);
  });

  it('refuses another target than its own and fills its own in', async () => {
    const asked: unknown[] = [];
    const tools = await toolsOf({
      get_score: { properties: { hostname: { type: 'string' } }, run: (input) => asked.push(input) },
    });
    const llm = scriptedLlm(
      {
        calls: [
          ['dexops__get_score', { hostname: 'other-01' }],
          ['dexops__get_score', {}],
        ],
      },
      ANSWER,
    );
    const profile = profileOf({ pin: ['hostname'] });
    const result = await plan({ llm, tools, profile, context: { hostname: 'dev-01' } });
    expect(asked).toEqual([{ hostname: 'dev-01' }]);
    expect(result.steps[0]!.calls[0]!.text).toContain('only');
    expect((await plan({ llm, tools, profile })).error?.kind).toBe('bad_context');
  });
});
