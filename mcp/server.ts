/** The MCP interface up to the revision of 2025-11-25: one server per client, offering what the policy lets its actor have; it knows core and no transport. */
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import {
  CompleteRequestSchema,
  GetPromptRequestSchema,
  ListPromptsRequestSchema,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ReadResourceRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { takeLooseArguments } from './lenientArguments.ts';
import { IDENTITY, instructionsFor, type McpServerOptions } from './options.ts';
import { promptAnswers } from './prompts.ts';
import { resourceAnswers } from './resources.ts';
import { serveTools } from './tools.ts';

/** @returns a server that is ready to be connected to a transport */
export function createMcpServer(options: McpServerOptions): Server {
  const server = new Server(
    { ...IDENTITY, version: options.version },
    {
      capabilities: { tools: {}, resources: {}, prompts: {}, completions: {}, logging: {} },
      instructions: instructionsFor(options),
    },
  );
  takeLooseArguments(server);
  serveTools(server, options);
  const resources = resourceAnswers(options);
  server.setRequestHandler(ListResourcesRequestSchema, ({ params }, { signal }) =>
    resources.list(params?.cursor, signal),
  );
  server.setRequestHandler(ListResourceTemplatesRequestSchema, resources.templates);
  server.setRequestHandler(ReadResourceRequestSchema, ({ params }, { signal }) => resources.read(params.uri, signal));
  server.setRequestHandler(CompleteRequestSchema, ({ params }, { signal }) =>
    resources.complete(params.argument, signal),
  );
  const prompts = promptAnswers(options);
  server.setRequestHandler(ListPromptsRequestSchema, prompts.list);
  server.setRequestHandler(GetPromptRequestSchema, ({ params }) => prompts.get(params));
  // What a peer does to its connection (garbled messages, answers to nothing, going away) is no failure of ours.
  server.onerror = (error) => options.log.debug({ err: error, actor: options.actor.id }, 'MCP protocol error');
  return server;
}
