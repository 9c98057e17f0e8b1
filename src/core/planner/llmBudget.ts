/** Keeps what models cost a day within what was allowed, for everybody together and for each who asks. */

import { pause } from '../concurrency/pause.ts';
import { AppError } from '../errors.ts';
import type { Clock } from '../ports/ports.ts';
import type { Spending, Store } from '../ports/storePorts.ts';
import { costUsd, type Llm, type LlmPrice, type LlmRequest } from './llm.ts';

/** US dollars a day, which begins at midnight UTC. */
export interface LlmBudget {
  dayUsd: number;
  /** For one key, person or job. */
  callerUsd: number;
}

/** Under this name stands what all callers together have spent. */
const EVERYBODY = '';

/** English has about four characters a token, JSON and other languages fewer; too many tokens is the safe mistake. */
const CHARS_PER_TOKEN = 3;

/** How long a turn waits for others to give back what they set aside and did not need, and how often it checks; milliseconds. */
const WAIT_MS = 60_000;
const POLL_EVERY_MS = 250;

interface Spender {
  store: Store;
  clock: Clock;
  budget: LlmBudget;
  prices: LlmPrice[];
  caller: string;
}

/**
 * The model, asked only within the budget: the most a turn can cost is set aside in the store before it, by everybody's
 * and the caller's account or not at all, and what it did cost takes its place afterwards. So runs side by side, of
 * whatever processes, overspend by no more than the estimate of their input was too low. What a dead process had set
 * aside stays so for the day, since nobody knows what it spent. A model without a price costs nothing here.
 * `complete` throws AppError `refused` besides, when the budget has no room for the turn.
 */
export function withinBudget(spender: Spender, llm: Llm): Llm {
  return {
    ...llm,
    async complete(request) {
      const { store, clock, prices, caller } = spender;
      const { provider, model } = llm.describe();
      const priced = { provider, model: request.model ?? model };
      const mostUsd = costUsd(prices, priced, mostTokens(request)) ?? 0;
      const day = clock.now().toISOString().slice(0, 10);
      await setAside(spender, day, mostUsd, request.signal);
      // A turn that was cut off may have cost all of it; one that the provider did not give costs nothing.
      let spentUsd = mostUsd;
      try {
        const reply = await llm.complete(request);
        spentUsd = costUsd(prices, priced, reply.usage) ?? 0;
        return reply;
      } catch (error) {
        if (error instanceof AppError) spentUsd = 0;
        throw error;
      } finally {
        await store.transaction(async ({ llmSpending }) => {
          await llmSpending.hold(day, [EVERYBODY, caller]);
          await llmSpending.add(day, [EVERYBODY, caller], { spentUsd, reservedUsd: -mostUsd });
        });
      }
    },
  };
}

const mostTokens = ({ system, messages, tools, maxTokens }: LlmRequest) => ({
  inputTokens: Math.ceil(JSON.stringify({ system, messages, tools }).length / CHARS_PER_TOKEN),
  outputTokens: maxTokens,
});

async function setAside({ store, budget, caller }: Spender, day: string, usd: number, signal: AbortSignal) {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(WAIT_MS)]);
  for (;;) {
    const shortage = await store.transaction(async ({ llmSpending }) => {
      const accounts = await llmSpending.hold(day, [EVERYBODY, caller]);
      const shortage =
        shortageOf("today's budget for language models", accounts.get(EVERYBODY)!, budget.dayUsd, usd) ??
        shortageOf(`today's budget of ${caller} for language models`, accounts.get(caller)!, budget.callerUsd, usd);
      if (!shortage) await llmSpending.add(day, [EVERYBODY, caller], { spentUsd: 0, reservedUsd: usd });
      return shortage;
    });
    if (!shortage) return;
    signal.throwIfAborted();
    if (shortage.lasting || patience.aborted) throw new AppError('refused', shortage.message);
    await pause(POLL_EVERY_MS, patience);
  }
}

/** Why an account has no room; `lasting` when it has none even if all that is set aside comes back. */
function shortageOf(
  what: string,
  { spentUsd, reservedUsd }: Spending,
  limitUsd: number,
  usd: number,
): { message: string; lasting: boolean } | null {
  if (spentUsd + reservedUsd + usd <= limitUsd) return null;
  const gone = `${spentUsd.toFixed(4)} of ${limitUsd} US dollars are spent, ${reservedUsd.toFixed(4)} set aside`;
  return {
    message: `${what} is used up: ${gone}, and the next turn may cost ${usd.toFixed(4)}. It starts anew at midnight UTC.`,
    lasting: spentUsd + usd > limitUsd,
  };
}
