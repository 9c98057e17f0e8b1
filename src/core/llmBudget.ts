/** Keeps what models cost a day within what was allowed, for everybody together and for each who asks. */
import { AppError } from './errors.ts';
import type { Llm } from './llm.ts';
import type { Ports } from './ports.ts';

/** US dollars a day, which begins at midnight UTC. */
export interface LlmBudget {
  dayUsd: number;
  /** For one key, person or job. */
  callerUsd: number;
}

/**
 * The model, asked only while the budget lasts: it is looked at before every turn, so runs side by side can overspend it
 * by one turn each. What is spent is what runs have stored; a model without a price costs nothing here.
 */
export function withinBudget(ports: Ports, budget: LlmBudget, caller: string, llm: Llm): Llm {
  return {
    describe: () => llm.describe(),
    ping: (signal) => llm.ping(signal),
    async complete(request) {
      await requireBudget(ports, budget, caller);
      return llm.complete(request);
    },
  };
}

/** @throws AppError `refused` when the day's budget, or the caller's part of it, is used up */
export async function requireBudget({ store, clock }: Ports, budget: LlmBudget, caller: string): Promise<void> {
  const dayStart = new Date(clock.now());
  dayStart.setUTCHours(0, 0, 0, 0);
  const [everybody, own] = await Promise.all([store.runs.spentUsd(dayStart), store.runs.spentUsd(dayStart, caller)]);
  if (everybody >= budget.dayUsd) throw usedUp("today's budget for language models", everybody, budget.dayUsd);
  if (own >= budget.callerUsd) throw usedUp(`today's budget of ${caller} for language models`, own, budget.callerUsd);
}

function usedUp(what: string, spent: number, of: number): AppError {
  return new AppError(
    'refused',
    `${what} is used up: ${spent.toFixed(2)} of ${of} US dollars. It starts anew at midnight UTC.`,
  );
}
