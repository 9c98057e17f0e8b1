/** Where time goes, for those who collect traces: spans around pieces of work, one below the other. */
import type { Llm } from './planner/llm.ts';

/** Null is left out. `error.type` marks the span as failed. Neither prompts, answers nor inputs belong here. */
export type SpanAttributes = Record<string, string | number | boolean | readonly string[] | null>;

export type SpanKind = 'internal' | 'server' | 'client' | 'consumer';

/** A piece of work under way. */
export interface Span {
  add(attributes: SpanAttributes): void;
  rename(name: string): void;
}

export interface Tracing {
  /** Does work as a span below the one it is called in. What the work throws marks the span as failed and is thrown on. */
  span<T>(name: string, attributes: SpanAttributes, work: (span: Span) => Promise<T>, kind?: SpanKind): Promise<T>;
  /** The span we are in as W3C's `traceparent`, for work that goes on elsewhere or later; null in none. */
  here(): string | null;
  /** Does work below a span of another process or time; below none when there is no such, or it cannot be read. */
  under<T>(traceparent: string | null, work: () => Promise<T>): Promise<T>;
}

const SPAN_NOWHERE: Span = { add() {}, rename() {} };

/** While nobody collects traces. */
export const NO_TRACING: Tracing = {
  span: (_name, _attributes, work) => work(SPAN_NOWHERE),
  here: () => null,
  under: (_traceparent, work) => work(),
};

/** OpenTelemetry's names of providers, where they differ from ours. */
const PROVIDER_NAMES: Record<string, string> = { bedrock: 'aws.bedrock' };

/** The model with a span for each turn, by OpenTelemetry's conventions for generative AI. */
export function tracedLlm({ span }: Tracing, llm: Llm): Llm {
  return {
    ...llm,
    complete(request) {
      const { provider, model: own } = llm.describe();
      const model = request.model ?? own;
      const attributes = {
        'gen_ai.operation.name': 'chat',
        'gen_ai.provider.name': PROVIDER_NAMES[provider] ?? provider,
        'gen_ai.request.model': model,
        'gen_ai.request.max_tokens': request.maxTokens,
      };
      const ask = async ({ add }: Span) => {
        const reply = await llm.complete(request);
        add({
          'gen_ai.usage.input_tokens': reply.usage.inputTokens,
          'gen_ai.usage.output_tokens': reply.usage.outputTokens,
          'gen_ai.response.finish_reasons': [reply.stopReason],
        });
        return reply;
      };
      return span(`chat ${model}`, attributes, ask, 'client');
    },
  };
}
