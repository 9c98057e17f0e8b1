/** Budgets for language models over both databases: set aside before a turn, settled after it, shared by all processes. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase } from '../../../src/adapters/db/open.ts';
import { createStore } from '../../../src/adapters/db/store.ts';
import { AppError } from '../../../src/core/errors.ts';
import type { Llm, LlmReply, LlmRequest } from '../../../src/core/planner/llm.ts';
import { withinBudget } from '../../../src/core/planner/llmBudget.ts';
import type { Store } from '../../../src/core/ports/storePorts.ts';
import { testClock } from '../../helpers/clock.ts';
import { openTestStore, STORE_KINDS, type TestStore } from '../../helpers/stores.ts';

/** A dollar for a token of output, none for input, so that what a turn may cost is the room it is given. */
const PRICES = [{ model: 'priced', inputUsd: 0, outputUsd: 1_000_000 }];

const question = (maxTokens: number, signal = new AbortController().signal): LlmRequest => ({
  system: 'You are tested.',
  messages: [{ role: 'user', text: 'Why?' }],
  tools: [],
  toolChoice: 'auto',
  maxTokens,
  signal,
});

/** A provider outside that charges for so many tokens, or does what the test says instead. */
function provider(
  charged: (request: LlmRequest) => number | Promise<number>,
  model = 'priced',
): Llm & { asked(): number } {
  let asked = 0;
  return {
    asked: () => asked,
    describe: () => ({ provider: 'test', model }),
    ping: async () => ({ ok: true, reason: null }),
    async complete(request): Promise<LlmReply> {
      asked++;
      const usage = { inputTokens: 10, outputTokens: await charged(request) };
      return { text: 'Because.', toolCalls: [], usage, stopReason: 'end', carry: null };
    },
  };
}

describe.each(STORE_KINDS)('%s', (kind) => {
  let opened: TestStore;
  let day = 0;
  const clock = testClock();
  beforeAll(async () => {
    opened = await openTestStore(kind);
  }, 60_000);
  afterAll(() => opened.close());

  /** Each test has a day of its own. */
  const tomorrow = () => {
    clock.advance(86_400_000 * ++day);
  };
  const spender = (limits: { dayUsd?: number; callerUsd?: number }, caller = 'key:a', store: Store = opened.store) => ({
    store,
    clock,
    prices: PRICES,
    caller,
    budget: { dayUsd: 100, callerUsd: 100, ...limits },
  });
  const accounts = () =>
    opened.store.transaction(({ llmSpending }) =>
      llmSpending.hold(clock.now().toISOString().slice(0, 10), ['', 'key:a', 'key:b']),
    );

  test('a turn is paid from both accounts with what it cost, and the rest of what was set aside comes back', async () => {
    tomorrow();
    const seen: unknown[] = [];
    const llm = provider(async () => {
      seen.push((await accounts()).get(''));
      return 3;
    });
    await withinBudget(spender({}), llm).complete(question(8));
    expect(seen).toEqual([{ spentUsd: 0, reservedUsd: 8 }]);
    expect(Object.fromEntries(await accounts())).toEqual({
      '': { spentUsd: 3, reservedUsd: 0 },
      'key:a': { spentUsd: 3, reservedUsd: 0 },
      'key:b': { spentUsd: 0, reservedUsd: 0 },
    });
  });

  test('a turn that may go beyond the budget is not asked for, and says whose budget it is', async () => {
    tomorrow();
    const llm = provider(() => 6);
    await withinBudget(spender({ callerUsd: 10 }), llm).complete(question(6));
    const again = withinBudget(spender({ callerUsd: 10 }), llm).complete(question(6));
    await expect(again).rejects.toMatchObject({ kind: 'refused', message: expect.stringContaining('key:a') });
    await withinBudget(spender({ callerUsd: 10 }, 'key:b'), llm).complete(question(6));
    const everybody = withinBudget(spender({ dayUsd: 12 }, 'key:b'), llm).complete(question(6));
    await expect(everybody).rejects.toThrow("today's budget for language models is used up: 12.0000 of 12");
    expect(llm.asked()).toBe(2);
    tomorrow();
    await withinBudget(spender({ callerUsd: 10 }), llm).complete(question(6));
  });

  test('turns side by side never spend more than there is, whoever’s process they are in', {
    timeout: 60_000,
  }, async () => {
    tomorrow();
    // A second process has connections of its own; SQLite's file takes one writer at a time, so one is all there is.
    const other = kind === 'postgresql' ? await openDatabase(opened.url) : null;
    const stores = [opened.store, other ? createStore(other.em) : opened.store];
    const llm = provider(({ maxTokens }) => maxTokens);
    const turns = await Promise.allSettled(
      Array.from({ length: 24 }, (_, index) =>
        withinBudget(spender({ dayUsd: 50 }, index % 3 ? 'key:a' : 'key:b', stores[index % 2]), llm).complete(
          question(8),
        ),
      ),
    );
    await other?.close();
    expect(turns.filter(({ status }) => status === 'fulfilled')).toHaveLength(6);
    expect(llm.asked()).toBe(6);
    expect((await accounts()).get('')).toEqual({ spentUsd: 48, reservedUsd: 0 });
  });

  test('a turn waits for what others set aside and give back, instead of being refused', async () => {
    tomorrow();
    const { promise: answered, resolve: answer } = Promise.withResolvers<number>();
    const slow = withinBudget(
      spender({ dayUsd: 10 }),
      provider(() => answered),
    ).complete(question(8));
    const quick = provider(() => 1);
    const waiting = withinBudget(spender({ dayUsd: 10 }), quick).complete(question(8));
    await expect.poll(async () => (await accounts()).get('')?.reservedUsd).toBe(8);
    answer(1);
    await Promise.all([slow, waiting]);
    expect((await accounts()).get('')).toEqual({ spentUsd: 2, reservedUsd: 0 });
  });

  test('whoever is stopped while waiting waits no longer', async () => {
    tomorrow();
    const { promise: answered, resolve: answer } = Promise.withResolvers<number>();
    const slow = withinBudget(
      spender({ dayUsd: 10 }),
      provider(() => answered),
    ).complete(question(8));
    await expect.poll(async () => (await accounts()).get('')?.reservedUsd).toBe(8);
    const stop = new AbortController();
    const waiting = withinBudget(
      spender({ dayUsd: 10 }),
      provider(() => 1),
    ).complete(question(8, stop.signal));
    setTimeout(() => stop.abort(new Error('stopped')), 50);
    await expect(waiting).rejects.toThrow('stopped');
    answer(1);
    await slow;
  });

  test('what the provider refused costs nothing; what was cut off counts as all that it may have cost', async () => {
    tomorrow();
    const refusing = provider(() => {
      throw new AppError('unavailable', 'down');
    });
    await expect(withinBudget(spender({}), refusing).complete(question(8))).rejects.toThrow('down');
    expect((await accounts()).get('')).toEqual({ spentUsd: 0, reservedUsd: 0 });
    const cut = provider(() => {
      throw new Error('cancelled');
    });
    await expect(withinBudget(spender({}), cut).complete(question(8))).rejects.toThrow('cancelled');
    expect((await accounts()).get('')).toEqual({ spentUsd: 8, reservedUsd: 0 });
  });

  test('a model without a price is not held up', async () => {
    tomorrow();
    await withinBudget(
      spender({ dayUsd: 0 }),
      provider(() => 9, 'unpriced'),
    ).complete(question(9));
    expect((await accounts()).get('')).toEqual({ spentUsd: 0, reservedUsd: 0 });
  });
});
