/** The MCP interface of the revision 2026-07-28: one server per request, with the same tools, resources and prompts as the revisions before. */
import {
  type CallToolResult,
  type InputRequiredResult,
  Server,
  type ServerContext,
  type Tool,
} from '@modelcontextprotocol/server';
import type { InvokeOptions } from '../../src/core/invoke.ts';
import type { Log } from '../../src/core/ports/ports.ts';
import { callTool, noToolNamed, toolNamed } from '../calls.ts';
import { catalogueFor } from '../catalogue.ts';
import { explain } from '../failures.ts';
import { IDENTITY, instructionsFor, type McpServerOptions } from '../options.ts';
import { promptAnswers } from '../prompts.ts';
import { resourceAnswers } from '../resources.ts';
import type { Questions } from './questions.ts';

/** What a connection is offered depends on its key and address, and changes with a release or a change of role. */
const OFFERS = { ttlMs: 5 * 60_000, cacheScope: 'private' } as const;
/** Machines come and go, and are scanned; whoever wants to know sooner subscribes. */
const FACTS = { ttlMs: 10_000, cacheScope: 'private' } as const;

/** @param questions those of the whole process: each request gets a server of its own, and an answer comes with another than its question */
export function createModernServer(options: McpServerOptions, questions: Questions): Server {
  const { log } = options;
  const server = new Server(
    { ...IDENTITY, version: options.version },
    {
      capabilities: { tools: {}, resources: { subscribe: true, listChanged: true }, prompts: {}, completions: {} },
      instructions: instructionsFor(options),
      requestState: { verify: (state) => questions.verify(state) },
      cacheHints: {
        'server/discover': OFFERS,
        'tools/list': OFFERS,
        'prompts/list': OFFERS,
        'resources/templates/list': OFFERS,
        'resources/list': FACTS,
        'resources/read': FACTS,
      },
    },
  );

  // The older library's type of a schema's properties is wider than JSON; what is in them is JSON.
  server.setRequestHandler('tools/list', () => ({ tools: catalogueFor(options) as Tool[] }));
  server.setRequestHandler('tools/call', async ({ params }, context): Promise<CallToolResult | InputRequiredResult> => {
    const known = toolNamed(options, params.name);
    if (!known) throw noToolNamed(params.name);
    const { signal } = context.mcpReq;
    const exchange = questions.about(context, options.actor.id, known.name, params.arguments);
    const how = { signal, progress: progressTo(context, log), confirm: exchange.confirm };
    try {
      return await callTool(options, known, params.arguments, how);
    } catch (error) {
      if (signal.aborted) throw error; // nobody waits for the answer any more
      const message = explain(error, log, known.name);
      return exchange.pending() ?? { isError: true, content: [{ type: 'text', text: message }] };
    }
  });

  const resources = resourceAnswers(options);
  server.setRequestHandler('resources/list', ({ params }, { mcpReq }) => resources.list(params?.cursor, mcpReq.signal));
  server.setRequestHandler('resources/templates/list', resources.templates);
  server.setRequestHandler('resources/read', ({ params }, { mcpReq }) => resources.read(params.uri, mcpReq.signal));
  server.setRequestHandler('completion/complete', ({ params }, { mcpReq }) =>
    resources.complete(params.argument, mcpReq.signal),
  );
  const prompts = promptAnswers(options);
  server.setRequestHandler('prompts/list', prompts.list);
  server.setRequestHandler('prompts/get', ({ params }) => prompts.get(params));
  // What a peer does to its connection is no failure of ours.
  server.onerror = (error) => log.debug({ err: error, actor: options.actor.id }, 'MCP protocol error');
  return server;
}

/** Undefined when the client did not ask for progress. */
function progressTo({ mcpReq }: ServerContext, log: Log): InvokeOptions['progress'] {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return undefined;
  let last = -1;
  return (share, message) => {
    if (share <= last) return; // the protocol wants each notification to be further on than the one before
    last = share;
    mcpReq
      .notify({ method: 'notifications/progress', params: { progressToken, progress: share, total: 1, message } })
      .catch((error: unknown) => log.debug({ err: error }, 'progress was not delivered'));
  };
}
