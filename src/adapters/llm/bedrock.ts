/** Speaks Amazon Bedrock's Converse, which is one wire format for every model there. */
import { Readable } from 'node:stream';
import {
  BedrockRuntimeClient,
  BedrockRuntimeServiceException,
  type ContentBlock,
  ConverseStreamCommand,
  type ConverseStreamCommandInput,
  ListAsyncInvokesCommand,
} from '@aws-sdk/client-bedrock-runtime';
import { NodeHttpHandler } from '@smithy/node-http-handler';
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
import { boundedBytes, pacedEvents, REPLY_BOUNDS, type ReplyBounds, ReplyParts, tokenCount } from './bounds.ts';
import { replyText } from './reasoningText.ts';
import { parseToolInput } from './toolInput.ts';
import { joinTurns } from './turns.ts';

export interface BedrockOptions {
  region: string;
  /** Null means the region's own. */
  endpoint: string | null;
  /** Null means AWS's usual chain: environment, shared files, the machine's role. */
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string } | null;
  model: string;
  attempts: AttemptOptions;
}

export function bedrockLlm({ region, endpoint, credentials, model, attempts }: BedrockOptions): LlmClient {
  const client = new BedrockRuntimeClient({
    region,
    ...(endpoint && { endpoint }),
    ...(credentials && { credentials }),
    maxAttempts: 1,
    // The client's default is HTTP/2 only, which proxies and stand-ins in front of Bedrock often do not speak.
    requestHandler: new BoundedHandler(attempts),
  });
  return {
    ping: (signal) =>
      pingBy(
        (within) =>
          client.send(new ListAsyncInvokesCommand({ maxResults: 1 }), { abortSignal: within }).catch(letRefusalPass),
        explain,
        signal,
      ),
    complete: (request) =>
      attempt(
        'bedrock',
        attempts,
        request.signal,
        (signal) => withdrawing(request, (heard) => send(client, paramsOf(request, model), heard, attempts, signal)),
        explain,
      ),
  };
}

/** The provider's HTTP client, whose answers end with an error where they break the limits. */
class BoundedHandler extends NodeHttpHandler {
  private readonly bounds: ReplyBounds;

  constructor({ timeoutMs, bounds = REPLY_BOUNDS }: AttemptOptions) {
    super({ requestTimeout: timeoutMs });
    this.bounds = bounds;
  }

  override async handle(...call: Parameters<NodeHttpHandler['handle']>): ReturnType<NodeHttpHandler['handle']> {
    const { response } = await super.handle(...call);
    if (response.body) response.body = Readable.from(boundedBytes(response.body, this.bounds), { objectMode: false });
    return { response };
  }
}

/** A role that may call models but not list their jobs learns so only after its credentials were found good. */
function letRefusalPass(error: unknown): void {
  if (!(error instanceof BedrockRuntimeServiceException) || error.name !== 'AccessDeniedException') throw error;
}

/** Converse knows no "do not call tools": the instructions say it, and the planner carries out no call then. */
function paramsOf(request: LlmRequest, model: string): ConverseStreamCommandInput {
  return {
    modelId: request.model ?? model,
    system: [{ text: request.system }],
    messages: joinTurns(request.messages, blocksOf),
    ...(request.tools.length > 0 && {
      toolConfig: {
        tools: request.tools.map(({ name, description, inputSchema }) => ({
          toolSpec: { name, description, inputSchema: { json: asDocument(inputSchema) } },
        })),
      },
    }),
    inferenceConfig: { maxTokens: request.maxTokens },
  };
}

type Document = NonNullable<NonNullable<ContentBlock.ToolUseMember['toolUse']>['input']>;
/** JSON values are AWS documents; their type just cannot say so about `unknown`. */
const asDocument = (value: unknown): Document => JSON.parse(JSON.stringify(value ?? {}));

function blocksOf(message: LlmMessage): ContentBlock[] {
  switch (message.role) {
    case 'user':
      return [{ text: message.text }];
    case 'tool':
      return [
        {
          toolResult: {
            toolUseId: message.toolCallId,
            content: [{ text: message.text }],
            status: message.isError ? 'error' : 'success',
          },
        },
      ];
    case 'assistant':
      return [
        ...(isCarried(message.carry) ? message.carry.map(reasoningBlock) : []),
        ...(message.text ? [{ text: message.text }] : []),
        ...message.toolCalls.map(({ id, name, input }) => ({
          toolUse: { toolUseId: id, name, input: asDocument(input) },
        })),
      ];
  }
}

/** Signed reasoning as JSON; it goes back unchanged, or the model refuses the calls that followed from it. */
type Reasoning = { text: string; signature: string } | { redactedBase64: string };
const isCarried = (carry: unknown): carry is Reasoning[] => Array.isArray(carry);
const reasoningBlock = (reasoning: Reasoning): ContentBlock => ({
  reasoningContent:
    'redactedBase64' in reasoning
      ? { redactedContent: Buffer.from(reasoning.redactedBase64, 'base64') }
      : { reasoningText: reasoning },
});

interface Block {
  tool: { id: string; name: string; json: string } | null;
  reasoning: { text: string; signature: string; redacted: Buffer };
}

async function send(
  client: BedrockRuntimeClient,
  params: ConverseStreamCommandInput,
  request: LlmRequest,
  { bounds = REPLY_BOUNDS, timeoutMs }: AttemptOptions,
  signal: AbortSignal,
): Promise<LlmReply> {
  const { stream = Readable.from([]) } = await client.send(new ConverseStreamCommand(params), { abortSignal: signal });
  const blocks = new ReplyParts<Block>(bounds);
  const blockAt = (index = 0): Block =>
    blocks.get(index) ??
    blocks.set(index, { tool: null, reasoning: { text: '', signature: '', redacted: Buffer.alloc(0) } });
  let usage = { inputTokens: 0, outputTokens: 0 };
  const text = replyText(request);
  let stop: string | null = null;
  for await (const event of pacedEvents(stream, signal, timeoutMs)) {
    signal.throwIfAborted();
    const failed =
      event.internalServerException ??
      event.modelStreamErrorException ??
      event.serviceUnavailableException ??
      event.throttlingException ??
      event.validationException;
    if (failed) throw failed;
    if (event.contentBlockStart?.start?.toolUse) {
      const { toolUseId, name } = event.contentBlockStart.start.toolUse;
      blockAt(event.contentBlockStart.contentBlockIndex).tool = {
        id: blocks.take(toolUseId),
        name: blocks.take(name),
        json: '',
      };
    }
    if (event.contentBlockDelta) {
      const block = blockAt(event.contentBlockDelta.contentBlockIndex);
      const delta = event.contentBlockDelta.delta;
      text.add(blocks.take(delta?.text));
      if (block.tool) block.tool.json += blocks.take(delta?.toolUse?.input);
      block.reasoning.text += blocks.take(delta?.reasoningContent?.text);
      block.reasoning.signature += blocks.take(delta?.reasoningContent?.signature);
      const redacted = delta?.reasoningContent?.redactedContent;
      if (redacted) block.reasoning.redacted = Buffer.concat([block.reasoning.redacted, redacted]);
    }
    stop = event.messageStop?.stopReason ?? stop;
    if (event.metadata?.usage) {
      const {
        inputTokens = 0,
        outputTokens = 0,
        cacheReadInputTokens = 0,
        cacheWriteInputTokens = 0,
      } = event.metadata.usage;
      usage = {
        inputTokens: tokenCount(inputTokens) + tokenCount(cacheReadInputTokens) + tokenCount(cacheWriteInputTokens),
        outputTokens: tokenCount(outputTokens),
      };
    }
  }
  if (stop === null) throw new Error('the stream ended before the reply did');

  const whole = blocks.inOrder();
  const toolCalls = whole.flatMap(({ tool }) =>
    tool ? [{ id: tool.id, name: tool.name, ...parseToolInput(tool.json) }] : [],
  );
  const reasoning = whole.flatMap(({ reasoning: { text, signature, redacted } }): Reasoning[] => {
    if (redacted.length > 0) return [{ redactedBase64: redacted.toString('base64') }];
    return signature ? [{ text, signature }] : [];
  });
  return {
    text: text.end(),
    toolCalls,
    usage,
    stopReason: stopReasonOf(stop, toolCalls.length > 0),
    carry: reasoning.length > 0 ? reasoning : null,
  };
}

function stopReasonOf(stop: string, hasCalls: boolean): StopReason {
  if (stop === 'max_tokens' || stop === 'model_context_window_exceeded') return 'max_tokens';
  if (stop === 'guardrail_intervened' || stop === 'content_filtered') return 'refused';
  return hasCalls ? 'tools' : 'end';
}

function explain(error: unknown): ProviderFailure {
  if (!(error instanceof BedrockRuntimeServiceException)) return failureOf(error);
  const headers = error.$response?.headers;
  const status = error.$metadata.httpStatusCode ?? statusInStream(error.name);
  return failureOf(error, status, (name) => headers?.[name]);
}

/** An error that comes inside the stream has no HTTP status of its own, only the name of one. */
function statusInStream(name: string): number | null {
  if (name === 'ThrottlingException') return 429;
  return name === 'ValidationException' ? 400 : null;
}
