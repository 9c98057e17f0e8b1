/** Speaks Anthropic's messages. */
import Anthropic, { APIError } from '@anthropic-ai/sdk';
import type {
  ContentBlock,
  ContentBlockParam,
  MessageCreateParamsStreaming,
} from '@anthropic-ai/sdk/resources/messages';
import type { JsonSchema, LlmMessage, LlmReply, LlmRequest, StopReason } from '../../core/planner/llm.ts';
import {
  type AttemptOptions,
  attempt,
  failureOf,
  type LlmClient,
  type ProviderFailure,
  pingBy,
  withdrawing,
} from './attempt.ts';
import { boundedFetch, pacedEvents, REPLY_BOUNDS, ReplyParts, tokenCount } from './bounds.ts';
import { replyText } from './reasoningText.ts';
import { parseToolInput } from './toolInput.ts';
import { joinTurns } from './turns.ts';

interface AnthropicOptions {
  /** Null means Anthropic's own. */
  baseUrl: string | null;
  apiKey: string;
  model: string;
  attempts: AttemptOptions;
}

export function anthropicLlm({ baseUrl, apiKey, model, attempts }: AnthropicOptions): LlmClient {
  const client = new Anthropic({
    apiKey,
    baseURL: baseUrl,
    maxRetries: 0,
    timeout: attempts.timeoutMs,
    fetch: boundedFetch(attempts.bounds ?? REPLY_BOUNDS),
  });
  return {
    ping: (signal) => pingBy((within) => client.models.list({ limit: 1 }, { signal: within }), explain, signal),
    complete: (request) =>
      attempt(
        'anthropic',
        attempts,
        request.signal,
        (signal) => withdrawing(request, (heard) => send(client, paramsOf(request, model), heard, attempts, signal)),
        explain,
      ),
  };
}

/** The answer's schema stands in the instructions: the provider's own enforcement refuses schemas with bounds. */
function paramsOf(request: LlmRequest, model: string): MessageCreateParamsStreaming {
  return {
    model: request.model ?? model,
    system: request.system,
    messages: joinTurns(request.messages, blocksOf),
    ...(request.tools.length > 0 && {
      tools: request.tools.map(({ name, description, inputSchema }) => ({
        name,
        description,
        input_schema: objectSchema(inputSchema),
      })),
      tool_choice: { type: request.toolChoice },
    }),
    max_tokens: request.maxTokens,
    stream: true,
  };
}

const objectSchema = (schema: JsonSchema) => ({ ...schema, type: 'object' as const });

function blocksOf(message: LlmMessage): ContentBlockParam[] {
  switch (message.role) {
    case 'user':
      return [{ type: 'text', text: message.text }];
    case 'tool':
      return [
        { type: 'tool_result', tool_use_id: message.toolCallId, content: message.text, is_error: message.isError },
      ];
    case 'assistant':
      return [
        ...(isCarried(message.carry) ? message.carry : []),
        ...(message.text ? [{ type: 'text' as const, text: message.text }] : []),
        ...message.toolCalls.map(({ id, name, input }) => ({ type: 'tool_use' as const, id, name, input })),
      ];
  }
}

type Reasoning = Extract<ContentBlock, { type: 'thinking' | 'redacted_thinking' }>;
const isReasoning = (block: ContentBlock): block is Reasoning =>
  block.type === 'thinking' || block.type === 'redacted_thinking';
/** Signed reasoning goes back unchanged, or the provider refuses the calls that followed from it. */
const isCarried = (carry: unknown): carry is Reasoning[] => Array.isArray(carry);

async function send(
  client: Anthropic,
  params: MessageCreateParamsStreaming,
  request: LlmRequest,
  { bounds = REPLY_BOUNDS, timeoutMs }: AttemptOptions,
  signal: AbortSignal,
): Promise<LlmReply> {
  const stream = await client.messages.create(params, { signal });
  const blocks = new ReplyParts<{ block: ContentBlock; json: string }>(bounds);
  const usage = { inputTokens: 0, outputTokens: 0 };
  const text = replyText(request);
  let stop: string | null = null;
  let complete = false;
  for await (const event of pacedEvents(stream, signal, timeoutMs)) {
    switch (event.type) {
      case 'message_start': {
        const { input_tokens, cache_read_input_tokens, cache_creation_input_tokens, output_tokens } =
          event.message.usage;
        usage.inputTokens =
          tokenCount(input_tokens) + tokenCount(cache_read_input_tokens) + tokenCount(cache_creation_input_tokens);
        usage.outputTokens = tokenCount(output_tokens);
        break;
      }
      case 'content_block_start':
        blocks.set(event.index, { block: structuredClone(event.content_block), json: '' });
        break;
      case 'content_block_delta': {
        const open = blocks.get(event.index);
        const { delta } = event;
        if (!open) break;
        if (delta.type === 'input_json_delta') open.json += blocks.take(delta.partial_json);
        else if (delta.type === 'text_delta' && open.block.type === 'text') {
          text.add(blocks.take(delta.text));
        } else if (delta.type === 'thinking_delta' && open.block.type === 'thinking') {
          open.block.thinking += blocks.take(delta.thinking);
        } else if (delta.type === 'signature_delta' && open.block.type === 'thinking') {
          open.block.signature = blocks.take(delta.signature);
        }
        break;
      }
      case 'message_delta':
        stop = event.delta.stop_reason ?? stop;
        usage.outputTokens = tokenCount(event.usage.output_tokens);
        break;
      case 'message_stop':
        complete = true;
    }
  }
  if (!complete) throw new Error('the stream ended before the reply did');

  const whole = blocks.inOrder();
  const toolCalls = whole.flatMap(({ block, json }) =>
    block.type === 'tool_use' ? [{ id: block.id, name: block.name, ...parseToolInput(json) }] : [],
  );
  const reasoning = whole.map(({ block }) => block).filter(isReasoning);
  return {
    text: text.end(),
    toolCalls,
    usage,
    stopReason: stopReasonOf(stop, toolCalls.length > 0),
    carry: reasoning.length > 0 ? reasoning : null,
  };
}

function stopReasonOf(stop: string | null, hasCalls: boolean): StopReason {
  if (stop === 'max_tokens' || stop === 'model_context_window_exceeded') return 'max_tokens';
  if (stop === 'refusal') return 'refused';
  return hasCalls ? 'tools' : 'end';
}

function explain(error: unknown): ProviderFailure {
  if (!(error instanceof APIError)) return failureOf(error);
  return failureOf(error, error.status, (name) => error.headers?.get(name));
}
