/** Our own tools for an agent in this process: it is a client like any other, over a transport that leaves no process. */
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { McpServerOptions } from './options.ts';
import { createMcpServer } from './server.ts';

/** An agent's profile chooses among all tools, and what a scan measured is read by a program. */
export function connectAgent(options: Omit<McpServerOptions, 'view'>, transport: Transport): Promise<void> {
  return createMcpServer({ ...options, view: { toolsets: 'all', structured: true } }).connect(transport);
}
