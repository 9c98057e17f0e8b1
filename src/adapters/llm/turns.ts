/** A conversation as the turns that providers want: user and assistant by turns, each with its blocks. */
import type { LlmMessage } from '../../core/planner/llm.ts';

interface Turn<Block> {
  role: 'user' | 'assistant';
  content: Block[];
}

/** Results of calls made side by side must come back in one user turn, so neighbours of one role are joined. */
export function joinTurns<Block>(messages: LlmMessage[], blocksOf: (message: LlmMessage) => Block[]): Turn<Block>[] {
  const turns: Turn<Block>[] = [];
  for (const message of messages) {
    const role = message.role === 'assistant' ? 'assistant' : 'user';
    const last = turns.at(-1);
    if (last?.role === role) last.content.push(...blocksOf(message));
    else turns.push({ role, content: blocksOf(message) });
  }
  return turns;
}
