/** Our own tools for an agent in this process: it is a client like any other, over a transport that leaves no process. */
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { McpServerOptions } from './options.ts';
import { createMcpServer } from './server.ts';

/** An agent reads text, so that no time goes into drawing what it cannot see. */
export function connectAgent({ tools, ...options }: McpServerOptions, transport: Transport): Promise<void> {
  const undrawn = tools.map(({ chart: _picture, ...tool }) => tool);
  return createMcpServer({ ...options, tools: undrawn }).connect(transport);
}
