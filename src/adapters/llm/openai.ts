/** Speaks OpenAI's chat completions, to OpenAI itself and to everything that imitates it (Ollama at /v1, vLLM, proxies). */
import OpenAI, { APIError } from 'openai';
import type {
  ChatCompletionCreateParamsStreaming,
  ChatCompletionMessageParam,
} from 'openai/resources/chat/completions';
import type { LlmMessage, LlmReply, LlmRequest, StopReason } from '../../core/planner/llm.ts';
import { type AttemptOptions, attempt, type LlmClient, type ProviderFailure, pingBy, retryAfterMs } from './attempt.ts';
import { parseToolInput } from './toolInput.ts';

interface OpenAiOptions {
  /** Shown in errors: `openai` or `ollama`. */
  provider: string;
  /** Null means OpenAI's own. */
  baseUrl: string | null;
  apiKey: string;
  model: string;
  attempts: AttemptOptions;
}

export function openAiLlm({ provider, baseUrl, apiKey, model, attempts }: OpenAiOptions): LlmClient {
  const client = new OpenAI({ apiKey, baseURL: baseUrl, maxRetries: 0, timeout: attempts.timeoutMs });
  return {
    ping: (signal) => pingBy((within) => client.models.list({ signal: within }), explain, signal),
    complete: (request) =>
      attempt(
        provider,
        attempts,
        request.signal,
        (signal) => send(client, paramsOf(request, model, baseUrl === null), request, signal),
        explain,
      ),
  };
}

/** `genuine`: OpenAI's newer models insist on the newer name of the token limit, which imitators may not know. */
function paramsOf(request: LlmRequest, model: string, genuine: boolean): ChatCompletionCreateParamsStreaming {
  return {
    model: request.model ?? model,
    messages: [{ role: 'system', content: request.system }, ...request.messages.map(messageOf)],
    ...(request.tools.length > 0 && {
      tools: request.tools.map((tool) => ({
        type: 'function',
        function: { name: tool.name, description: tool.description, parameters: tool.inputSchema },
      })),
      tool_choice: request.toolChoice,
    }),
    ...(request.responseFormat && {
      response_format: {
        type: 'json_schema',
        json_schema: { name: request.responseFormat.name, schema: request.responseFormat.schema, strict: false },
      },
    }),
    ...(genuine ? { max_completion_tokens: request.maxTokens } : { max_tokens: request.maxTokens }),
    stream: true,
    stream_options: { include_usage: true },
  };
}

function messageOf(message: LlmMessage): ChatCompletionMessageParam {
  switch (message.role) {
    case 'user':
      return { role: 'user', content: message.text };
    case 'tool':
      return { role: 'tool', tool_call_id: message.toolCallId, content: message.text };
    case 'assistant':
      return {
        role: 'assistant',
        content: message.text || null,
        ...(message.toolCalls.length > 0 && {
          tool_calls: message.toolCalls.map((call) => ({
            id: call.id,
            type: 'function',
            function: { name: call.name, arguments: JSON.stringify(call.input) },
          })),
        }),
      };
  }
}

async function send(
  client: OpenAI,
  params: ChatCompletionCreateParamsStreaming,
  request: LlmRequest,
  signal: AbortSignal,
): Promise<LlmReply> {
  const stream = await client.chat.completions.create(params, { signal });
  const calls: { id: string; name: string; json: string }[] = [];
  let text = '';
  let finish: string | null = null;
  let usage = { inputTokens: 0, outputTokens: 0 };
  for await (const chunk of stream) {
    if (chunk.usage) usage = { inputTokens: chunk.usage.prompt_tokens, outputTokens: chunk.usage.completion_tokens };
    const choice = chunk.choices[0];
    if (!choice) continue;
    finish = choice.finish_reason ?? finish;
    if (choice.delta.content) {
      text += choice.delta.content;
      request.onText?.(choice.delta.content);
    }
    for (const delta of choice.delta.tool_calls ?? []) {
      calls[delta.index] ??= { id: '', name: '', json: '' };
      const call = calls[delta.index]!;
      call.id ||= delta.id ?? '';
      call.name ||= delta.function?.name ?? '';
      call.json += delta.function?.arguments ?? '';
    }
  }
  if (finish === null) throw new Error('the stream ended before the reply did');
  return {
    text,
    toolCalls: calls
      .filter((call) => call !== undefined)
      .map(({ id, name, json }, index) => ({ id: id || `call_${index}`, name, ...parseToolInput(json) })),
    usage,
    stopReason: stopReasonOf(finish, calls.length > 0),
    carry: null,
  };
}

function stopReasonOf(finish: string, hasCalls: boolean): StopReason {
  if (finish === 'length') return 'max_tokens';
  if (finish === 'content_filter') return 'refused';
  return hasCalls ? 'tools' : 'end';
}

function explain(error: unknown): ProviderFailure {
  return {
    status: error instanceof APIError ? (error.status ?? null) : null,
    message: error instanceof Error ? error.message : String(error),
    retryAfterMs: error instanceof APIError ? retryAfterMs((name) => error.headers?.get(name)) : null,
  };
}
