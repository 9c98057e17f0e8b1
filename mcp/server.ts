/** The MCP interface: one server per client, offering what the policy lets its actor have; it knows core and no transport. */
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { callTextFor, descriptionFor } from '../src/core/callText.ts';
import { MODEL_INSTRUCTIONS } from '../src/core/tools/modelGuide.ts';
import { takeLooseArguments } from './lenientArguments.ts';
import type { McpServerOptions } from './options.ts';
import { servePrompts } from './prompts.ts';
import { serveResources } from './resources.ts';
import { serveTools } from './tools.ts';

/** @returns a server that is ready to be connected to a transport */
export function createMcpServer(options: McpServerOptions): Server {
  const server = new Server(
    { name: 'dexops', title: 'DexOps', version: options.version },
    {
      capabilities: { tools: {}, resources: {}, prompts: {}, completions: {}, logging: {} },
      instructions: descriptionFor({ description: MODEL_INSTRUCTIONS }, callTextFor(options.tools, 'mcp')),
    },
  );
  takeLooseArguments(server);
  serveTools(server, options);
  serveResources(server, options);
  servePrompts(server, options);
  // What a peer does to its connection (garbled messages, answers to nothing, going away) is no failure of ours.
  server.onerror = (error) => options.log.debug({ err: error, actor: options.actor.id }, 'MCP protocol error');
  return server;
}
