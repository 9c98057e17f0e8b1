/** Tools over MCP up to the revision of 2025-11-25: the list, calls with progress and cancelling, and questions to the person. */
import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import {
  CallToolRequestSchema,
  type CallToolResult,
  ElicitResultSchema,
  ListToolsRequestSchema,
  type ServerNotification,
  type ServerRequest,
} from '@modelcontextprotocol/sdk/types.js';
import { AppError } from '../src/core/errors.ts';
import type { InvokeOptions } from '../src/core/invoke.ts';
import type { Log } from '../src/core/ports/ports.ts';
import { callTool, noToolNamed, toolNamed } from './calls.ts';
import { catalogueFor } from './catalogue.ts';
import { decisionOf, questionForm } from './confirmation.ts';
import { explain } from './failures.ts';
import type { McpServerOptions } from './options.ts';

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

/** How long a person may think about a question; silence then decides nothing. */
const CONFIRM_TIMEOUT_MS = 5 * 60_000;

export function serveTools(server: Server, options: McpServerOptions): void {
  const { log } = options;
  const catalogue = catalogueFor(options);
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: catalogue }));

  server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra): Promise<CallToolResult> => {
    const known = toolNamed(options, params.name);
    if (!known) throw noToolNamed(params.name);
    try {
      return await callTool(options, known, params.arguments, {
        signal: extra.signal,
        progress: progressTo(extra, log),
        confirm: confirmBy(server, extra, log),
      });
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

/** Puts the invoker's question to the person in front of the client. Undefined when the client has no way to show it. */
function confirmBy(server: Server, extra: Extra, log: Log): InvokeOptions['confirm'] {
  if (!server.getClientCapabilities()?.elicitation?.form) return undefined;
  return async (question) => {
    const reply = await extra
      .sendRequest({ method: 'elicitation/create', params: questionForm(question) }, ElicitResultSchema, {
        timeout: CONFIRM_TIMEOUT_MS,
        signal: extra.signal,
      })
      .catch((error: unknown) => {
        log.warn({ err: error }, 'a question to the person behind an MCP client was not answered');
        return null;
      });
    return decisionOf(reply);
  };
}
