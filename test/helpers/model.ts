/** A language model on a loopback port, spoken to in OpenAI's wire format, that says the lines a test gives it. */
import { setTimeout as delay } from 'node:timers/promises';
import { type ChatCompletionRequest, LLMock } from '@copilotkit/aimock';

export interface Turn {
  calls?: [tool: string, input: object][];
  text?: string;
  /** Answers only after so long, milliseconds. */
  afterMs?: number;
  /** How long it says its answer was, in tokens. */
  outputTokens?: number;
}

export interface Model {
  /** What the service needs in its environment to use it; the model's name has a price. */
  env: Record<string, string>;
  /** The lines for runs whose goal contains this, in order. */
  says(goal: string, ...turns: Turn[]): void;
  /** What was asked for runs whose goal contains this, oldest first. */
  asked(goal: string): ChatCompletionRequest[];
  stop(): Promise<void>;
}

const INPUT_TOKENS = 1000;
const OUTPUT_TOKENS = 100;

export async function startModel(): Promise<Model> {
  const mock = new LLMock({ port: 0, host: '127.0.0.1', strict: true });
  const url = await mock.start();
  const asked: ChatCompletionRequest[] = [];
  const isAbout = (request: ChatCompletionRequest, goal: string) =>
    request.messages.some(({ role, content }) => role === 'user' && JSON.stringify(content).includes(goal));
  return {
    env: {
      LLM_PROVIDER: 'openai',
      LLM_MODEL: 'gpt-4.1-mini',
      OPENAI_API_KEY: 'test',
      OPENAI_BASE_URL: `${url}/v1`,
    },
    says(goal, ...turns) {
      for (const [
        index,
        { calls = [], text: content = '', afterMs = 0, outputTokens = OUTPUT_TOKENS },
      ] of turns.entries()) {
        const predicate = (request: ChatCompletionRequest) =>
          isAbout(request, goal) && request.messages.filter(({ role }) => role === 'assistant').length === index;
        const toolCalls = calls.map(([name, input], call) => ({
          name,
          arguments: JSON.stringify(input),
          id: `call_${index}_${call}`,
        }));
        const usage = {
          prompt_tokens: INPUT_TOKENS,
          completion_tokens: outputTokens,
          total_tokens: INPUT_TOKENS + outputTokens,
        };
        mock.on({ predicate }, async (request) => {
          asked.push(request);
          if (afterMs > 0) await delay(afterMs, undefined, { ref: false });
          return toolCalls.length > 0 ? { content, toolCalls, usage } : { content, usage };
        });
      }
    },
    asked: (goal) => asked.filter((request) => isAbout(request, goal)),
    stop: () => mock.stop(),
  };
}

/** An answer that fits the default profile. */
export const answer = (summary: string) => JSON.stringify({ summary, findings: [], actions_taken: [], next_steps: [] });
