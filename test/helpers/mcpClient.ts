/** Real MCP clients for tests, and how to reach a server with them. */
import { Client, type ClientOptions } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { type CallToolResult, CallToolResultSchema, ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import type { Actor, Role } from '../../src/core/actor.ts';

export function assistant(role: Role): Actor {
  return { id: `test:${role}`, name: `an assistant (${role})`, kind: 'model', via: 'mcp', role };
}

export async function connectTo(server: Server, prepared = newClient()): Promise<Client> {
  const [here, there] = InMemoryTransport.createLinkedPair();
  await server.connect(there);
  await prepared.connect(here);
  return prepared;
}

export async function connectOverHttp(
  url: string,
  headers: Record<string, string> = {},
  prepared = newClient(),
): Promise<{ client: Client; transport: StreamableHTTPClientTransport }> {
  const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } });
  await prepared.connect(transport as Transport);
  return { client: prepared, transport };
}

export function newClient(capabilities: ClientOptions['capabilities'] = {}): Client {
  return new Client({ name: 'test', version: '1' }, { capabilities });
}

/** A client whose person answers every question with this; the questions are kept. */
export function clientThatAnswers(
  answer: { action: 'accept' | 'decline' | 'cancel'; content?: Record<string, string | boolean> } | Error,
): { client: Client; questions: string[] } {
  const questions: string[] = [];
  const client = newClient({ elicitation: { form: {} } });
  client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
    questions.push(params.message);
    if (answer instanceof Error) throw answer;
    return answer;
  });
  return { client, questions };
}

export async function callTool(
  client: Client,
  name: string,
  input: Record<string, unknown> = {},
): Promise<CallToolResult & { text: string }> {
  const result = CallToolResultSchema.parse(await client.callTool({ name, arguments: input }));
  const text = result.content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n');
  return { ...result, text };
}
