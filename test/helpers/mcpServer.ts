/** A real MCP server with whatever tools a test wants; it stands for our own or for somebody else's. */
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { CallToolRequestSchema, ListToolsRequestSchema, type Tool } from '@modelcontextprotocol/sdk/types.js';

export interface TestTool {
  effect?: 'read' | 'write' | 'destructive';
  description?: string;
  properties?: Record<string, object>;
  run: (input: Record<string, unknown>, signal: AbortSignal) => unknown;
}

const ANNOTATIONS = {
  read: { readOnlyHint: true },
  write: { readOnlyHint: false, destructiveHint: false },
  destructive: { readOnlyHint: false, destructiveHint: true },
};

/** How an MCP server declares these tools; read anew at every listing, so a test can poison them in between. */
export function declarationsOf(tools: Record<string, TestTool>): Tool[] {
  return Object.entries(tools).map(([name, { effect = 'read', description = `Does ${name}.`, properties = {} }]) => ({
    name,
    description,
    inputSchema: { type: 'object', properties },
    annotations: ANNOTATIONS[effect],
  }));
}

/** A real MCP server; a tool answers with text, or throws to answer with an error. */
export function mcpServerOf(tools: Record<string, TestTool>): Server {
  const server = new Server({ name: 'test', version: '1' }, { capabilities: { tools: {} } });
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: declarationsOf(tools) }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, { signal }) => {
    try {
      const answer = await tools[params.name]!.run(params.arguments ?? {}, signal);
      return { content: [{ type: 'text', text: typeof answer === 'string' ? answer : JSON.stringify(answer) }] };
    } catch (error) {
      return { isError: true, content: [{ type: 'text', text: String(error) }] };
    }
  });
  return server;
}
