/** The one port to language models, whichever company runs them, and what their tokens cost. */
import { z } from 'zod';

/** A JSON Schema, as tools and answers declare it. */
export type JsonSchema = Record<string, unknown>;

interface ToolCall {
  /** The provider's name for this call; its result must carry the same. */
  id: string;
  name: string;
  /** The arguments as parsed JSON; what the model wrote, so untrusted. */
  input: unknown;
  /** The arguments as written when they were not JSON; null when they were. */
  unparsedInput: string | null;
}

/**
 * One turn of the conversation. `carry` is what a provider wants back unchanged with its own turn (signed reasoning,
 * for instance): JSON that only the adapter which made it understands, null when there is none.
 */
export type LlmMessage =
  | { role: 'user'; text: string }
  | { role: 'assistant'; text: string; toolCalls: ToolCall[]; carry: unknown }
  | { role: 'tool'; toolCallId: string; name: string; text: string; isError: boolean };

interface LlmTool {
  name: string;
  description: string;
  inputSchema: JsonSchema;
}

export interface LlmUsage {
  inputTokens: number;
  outputTokens: number;
}

/** Why the model stopped: it was done, it wants tools, it ran out of room, or its provider refused to go on. */
export type StopReason = 'end' | 'tools' | 'max_tokens' | 'refused';

export interface LlmRequest {
  /** The provider's name of the model; the adapter's own default when left out. */
  model?: string;
  system: string;
  messages: LlmMessage[];
  tools: LlmTool[];
  /** `none` still shows the tools, because providers refuse a transcript of calls to tools they are not shown. */
  toolChoice: 'auto' | 'none';
  /** Asks for JSON of this schema where the provider can enforce it; the caller checks the answer in any case. */
  responseFormat?: { name: string; schema: JsonSchema };
  maxTokens: number;
  signal: AbortSignal;
  /** Text as it arrives. */
  onText?: (delta: string) => void;
  /** All text of this turn that was passed on is void: the stream broke, or it was reasoning. It may start again from nothing. */
  onTextWithdrawn?: () => void;
}

export interface LlmReply {
  text: string;
  toolCalls: ToolCall[];
  usage: LlmUsage;
  stopReason: StopReason;
  carry: unknown;
}

export interface Llm {
  describe(): { provider: string; model: string };
  /** Whether the provider answers and takes our key, found out without spending a token. Never throws. */
  ping(signal: AbortSignal): Promise<{ ok: boolean; reason: string | null }>;
  /**
   * One turn. Throws AppError: rate_limited, unavailable (both after retries), denied (the key), not_found (the model),
   * too_large, invalid (the request). When `signal` aborts, throws its reason.
   */
  complete(request: LlmRequest): Promise<LlmReply>;
}

/** US dollars per million tokens, by the beginning of a model's name. */
export interface LlmPrice {
  model: string;
  inputUsd: number;
  outputUsd: number;
}

/** `config/llm_prices.yaml`. */
export const LlmPricesFile = z
  .strictObject({
    as_of: z.iso.date(),
    prices: z.array(z.strictObject({ model: z.string().min(1), input: z.number().min(0), output: z.number().min(0) })),
  })
  .transform(({ prices }) =>
    prices.map(({ model, input, output }): LlmPrice => ({ model, inputUsd: input, outputUsd: output })),
  );

/**
 * What `usage` costs in US dollars by the longest price whose name begins `provider/model` or `model`; null when no
 * price fits, because an unknown cost is not zero.
 */
export function costUsd(
  prices: LlmPrice[],
  { provider, model }: { provider: string; model: string },
  usage: LlmUsage,
): number | null {
  const price = prices
    .filter((entry) => model.startsWith(entry.model) || `${provider}/${model}`.startsWith(entry.model))
    .reduce<LlmPrice | null>((best, entry) => (best && best.model.length >= entry.model.length ? best : entry), null);
  return price && (usage.inputTokens * price.inputUsd + usage.outputTokens * price.outputUsd) / 1_000_000;
}
