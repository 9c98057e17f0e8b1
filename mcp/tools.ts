/** Tools over MCP: the catalogue from the declarations, and calls through the invoker. */
import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import {
  CallToolRequestSchema,
  type CallToolResult,
  ElicitResultSchema,
  ErrorCode,
  ListToolsRequestSchema,
  McpError,
  type ServerNotification,
  type ServerRequest,
  type Tool as WireTool,
} from '@modelcontextprotocol/sdk/types.js';
import { callTextFor, descriptionFor } from '../src/core/callText.ts';
import type { ChartRenderer } from '../src/core/chart.ts';
import { AppError } from '../src/core/errors.ts';
import { type Answer, type InvokeOptions, jsonSchema } from '../src/core/invoke.ts';
import { offers } from '../src/core/policy.ts';
import type { Log } from '../src/core/ports/ports.ts';
import type { AnyTool, CallText } from '../src/core/tool.ts';
import { explain } from './failures.ts';
import { readArguments } from './lenientArguments.ts';
import type { McpServerOptions } from './options.ts';

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

/** How long a person may think about a question before silence counts as no. */
const CONFIRM_TIMEOUT_MS = 5 * 60_000;

export function serveTools(server: Server, options: McpServerOptions): void {
  const { tools, invoke, actor, charts, log } = options;
  const callText = callTextFor(tools, actor.via);
  const catalogue = tools.filter((tool) => offers(tool, actor)).map((tool) => describeTool(tool, callText));
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: catalogue }));

  server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra): Promise<CallToolResult> => {
    const known = tools.find(({ name, hiddenFrom }) => name === params.name && !hiddenFrom?.includes(actor.via));
    if (!known) {
      throw new McpError(
        ErrorCode.InvalidParams,
        `There is no tool named ${params.name}; tools/list names those there are.`,
      );
    }
    try {
      const answer = await invoke(known.name, readArguments(known, params.arguments), actor, {
        signal: extra.signal,
        progress: progressTo(extra, log),
        confirm: confirmBy(server, extra, log),
      });
      return { content: await contentOf(answer, charts), structuredContent: answer.output };
    } catch (error) {
      if (extra.signal.aborted) throw error; // nobody waits for the answer any more
      const message = explain(error, log, known.name);
      if (!(error instanceof AppError)) {
        await server.sendLoggingMessage({ level: 'error', logger: 'dexops', data: message }, extra.sessionId);
      }
      return { isError: true, content: [{ type: 'text', text: message }] };
    }
  });
}

/** One tool as MCP lists it. */
export function describeTool(tool: AnyTool, callText: CallText): WireTool {
  return {
    name: tool.name,
    title: tool.title,
    description: descriptionFor(tool, callText),
    inputSchema: jsonSchema(tool.input, 'input') as WireTool['inputSchema'],
    outputSchema: jsonSchema(tool.output, 'output') as WireTool['outputSchema'],
    annotations: {
      title: tool.title,
      readOnlyHint: tool.effect === 'read',
      // Read-only tools leave it out, since the hint says nothing about them.
      ...(tool.effect !== 'read' && { destructiveHint: tool.effect === 'destructive' }),
      openWorldHint: false,
    },
  };
}

/** A time series says more as a picture; bars only repeat the numbers of the text, and every picture costs a model about a thousand tokens. */
async function contentOf(
  { text: summary, chart, page }: Answer,
  charts: ChartRenderer,
): Promise<CallToolResult['content']> {
  const text = page === null ? summary : `${summary}\nPage: ${page}`;
  if (chart?.kind !== 'time_series') return [{ type: 'text', text }];
  const png = Buffer.from(await charts.png(chart));
  return [
    { type: 'text', text: `${text}\n${chart.alt}` },
    { type: 'image', data: png.toString('base64'), mimeType: 'image/png' },
  ];
}

/** Undefined when the client did not ask for progress. */
function progressTo(extra: Extra, log: Log): InvokeOptions['progress'] {
  const progressToken = extra._meta?.progressToken;
  if (progressToken === undefined) return undefined;
  let last = -1;
  return (share, message) => {
    if (share <= last) return; // the protocol wants each notification to be further on than the one before
    last = share;
    extra
      .sendNotification({
        method: 'notifications/progress',
        params: { progressToken, progress: share, total: 1, message },
      })
      .catch((error: unknown) => log.debug({ err: error }, 'progress was not delivered'));
  };
}

/**
 * Puts the invoker's question to the person in front of the client. Undefined when the client has no way to show it; a
 * refusal, a closed window, an unticked box, silence and a failure all count as no.
 */
function confirmBy(server: Server, extra: Extra, log: Log): InvokeOptions['confirm'] {
  if (!server.getClientCapabilities()?.elicitation?.form) return undefined;
  return async (question) => {
    const reply = await extra
      .sendRequest(
        {
          method: 'elicitation/create',
          params: {
            mode: 'form',
            message: question,
            requestedSchema: {
              type: 'object',
              properties: { confirm: { type: 'boolean', title: 'Yes, do it', default: false } },
              required: ['confirm'],
            },
          },
        },
        ElicitResultSchema,
        { timeout: CONFIRM_TIMEOUT_MS, signal: extra.signal },
      )
      .catch((error: unknown) => {
        log.warn({ err: error }, 'a question to the person behind an MCP client was not answered');
        return null;
      });
    return reply?.action === 'accept' && reply.content?.confirm === true;
  };
}
