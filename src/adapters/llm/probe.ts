/** Whether the model's provider answers, for the health page: asked seldom, and never with a token. */

import type { Llm } from '../../core/planner/llm.ts';
import type { Clock } from '../../core/ports/ports.ts';
import type { Probe } from '../../core/processes/health.ts';

/** Health pages are asked every few seconds, providers should not be. */
const ASK_EVERY_MS = 60_000;
/** Less than the health page waits for a probe. */
const PING_LIMIT_MS = 2500;

export function llmProbe(model: { llm: Llm; reason: null } | { llm: null; reason: string }, clock: Clock): Probe {
  const { llm, reason } = model;
  // A service without a model is whole: rules answer, and nothing else needs one.
  if (!llm) return async () => ({ status: 'ok', provider: null, detail: `no language model: ${reason}` });
  let askedMs = Number.NEGATIVE_INFINITY;
  let answer: ReturnType<Llm['ping']> | null = null;
  return async () => {
    const nowMs = clock.now().getTime();
    if (!answer || nowMs - askedMs >= ASK_EVERY_MS) {
      askedMs = nowMs;
      answer = llm.ping(AbortSignal.timeout(PING_LIMIT_MS));
    }
    const { ok, reason: problem } = await answer;
    return { status: ok ? 'ok' : 'degraded', ...llm.describe(), ...(problem !== null && { detail: problem }) };
  };
}
