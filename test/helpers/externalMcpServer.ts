/** An external MCP server over HTTP on a loopback port, as agents may be given one. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { onTestFinished } from 'vitest';
import { toolHash } from '../../src/adapters/mcpTools.ts';
import { declarationsOf, mcpServerOf, type TestTool } from './mcpServer.ts';

/** Its tools may be changed while it runs; it keeps the headers it was sent, and ends with the test. */
export async function startExternalMcpServer(tools: Record<string, TestTool>) {
  const authorizations: (string | undefined)[] = [];
  const http = createServer(async (request, response) => {
    authorizations.push(request.headers.authorization);
    const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined });
    response.on('close', () => void transport.close());
    await mcpServerOf(tools).connect(transport);
    await transport.handleRequest(request, response);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    http.closeAllConnections();
    http.close();
  });
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`, authorizations };
}

/** The approval of each of these tools as it is now. */
export const pinsOf = (tools: Record<string, TestTool>) =>
  Object.fromEntries(declarationsOf(tools).map((tool) => [tool.name, toolHash(tool)]));
