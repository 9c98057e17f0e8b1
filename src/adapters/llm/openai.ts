/** Speaks OpenAI's chat completions, to OpenAI itself and to everything that imitates it (Ollama at /v1, vLLM, proxies). */
import OpenAI, { APIError } from 'openai';
import type {
  ChatCompletionCreateParamsStreaming,
  ChatCompletionMessageParam,
} from 'openai/resources/chat/completions';
import type { LlmMessage, LlmReply, LlmRequest, StopReason } from '../../core/planner/llm.ts';
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
import { refusedParameters } from './refusedParameters.ts';
import { collectToolCalls, type ToolCallDelta } from './toolCallDeltas.ts';

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
  const client = new OpenAI({
    apiKey,
    baseURL: baseUrl,
    maxRetries: 0,
    timeout: attempts.timeoutMs,
    fetch: boundedFetch(attempts.bounds ?? REPLY_BOUNDS),
  });
  const refused = refusedParameters();
  return {
    ping: (signal) => pingBy((within) => client.models.list({ signal: within }), explain, signal),
    complete: (request) =>
      attempt(
        provider,
        attempts,
        request.signal,
        (signal) =>
          withdrawing(request, (heard) =>
            send(client, refused, paramsOf(request, model, baseUrl === null), heard, attempts, signal),
          ),
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

type Refused = ReturnType<typeof refusedParameters>;

/** Each optional parameter that the server refuses is left out at once and ever after, so this ends. */
async function openStream(
  client: OpenAI,
  refused: Refused,
  params: ChatCompletionCreateParamsStreaming,
  signal: AbortSignal,
) {
  for (;;) {
    const fitting = refused.fit(params);
    try {
      return await client.chat.completions.create(fitting, { signal });
    } catch (error) {
      if (!(error instanceof APIError) || !refused.learn(error, fitting)) throw error;
    }
  }
}

async function send(
  client: OpenAI,
  refused: Refused,
  params: ChatCompletionCreateParamsStreaming,
  request: LlmRequest,
  { bounds = REPLY_BOUNDS, timeoutMs }: AttemptOptions,
  signal: AbortSignal,
): Promise<LlmReply> {
  const stream = await openStream(client, refused, params, signal);
  const parts = new ReplyParts<unknown>(bounds);
  const calls = collectToolCalls(parts);
  const text = replyText(request);
  let finish: string | null = null;
  let usage: LlmReply['usage'] | null = null;
  for await (const chunk of pacedEvents<LooseChunk>(stream, signal, timeoutMs)) {
    if (chunk.usage)
      usage = {
        inputTokens: tokenCount(chunk.usage.prompt_tokens),
        outputTokens: tokenCount(chunk.usage.completion_tokens),
      };
    const choice = chunk.choices?.[0];
    finish = choice?.finish_reason ?? finish;
    const delta = choice?.delta;
    if (!delta) continue;
    text.add(parts.take(textOf(delta.content)));
    for (const call of delta.tool_calls ?? []) calls.add(call);
  }
  if (finish === null) throw new Error('the stream ended before the reply did');
  const whole = text.end();
  const toolCalls = calls.calls();
  return {
    text: whole,
    toolCalls,
    usage: usage ?? estimatedUsage(params, whole + JSON.stringify(toolCalls)),
    stopReason: stopReasonOf(finish, toolCalls.length > 0),
    carry: null,
  };
}

/** A chunk as imitators send it: any part may be missing or null. */
interface LooseChunk {
  choices?: ({ delta?: LooseDelta | null; finish_reason?: string | null } | undefined)[] | null;
  usage?: { prompt_tokens?: number | null; completion_tokens?: number | null } | null;
}

interface LooseDelta {
  content?: string | ({ text?: string } | null)[] | null;
  tool_calls?: ToolCallDelta[] | null;
}

/** Some servers send the parts of a content, as in requests. */
function textOf(content: LooseDelta['content']): string {
  if (!Array.isArray(content)) return content ?? '';
  return content.map((part) => part?.text ?? '').join('');
}

/** A rule of thumb for English and JSON; what a server does not count must not be free for budgets. */
const CHARACTERS_PER_TOKEN = 4;

function estimatedUsage(params: ChatCompletionCreateParamsStreaming, reply: string): LlmReply['usage'] {
  const asked = JSON.stringify([params.messages, params.tools ?? []]);
  return {
    inputTokens: Math.ceil(asked.length / CHARACTERS_PER_TOKEN),
    outputTokens: Math.ceil(reply.length / CHARACTERS_PER_TOKEN),
  };
}

function stopReasonOf(finish: string, hasCalls: boolean): StopReason {
  if (finish === 'length') return 'max_tokens';
  if (finish === 'content_filter') return 'refused';
  return hasCalls ? 'tools' : 'end';
}

function explain(error: unknown): ProviderFailure {
  if (!(error instanceof APIError)) return failureOf(error);
  return failureOf(error, error.status, (name) => error.headers?.get(name));
}
