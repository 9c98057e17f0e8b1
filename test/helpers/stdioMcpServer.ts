/** A small MCP server over stdio, started by a test as its own process; it tells which environment it was given. */
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { mcpServerOf } from './mcpServer.ts';

await mcpServerOf({
  tell_env: { run: ({ name }) => process.env[String(name)] ?? '(not set)' },
  hang: { run: () => new Promise(() => {}) },
}).connect(new StdioServerTransport());
