/** Clients of the library that speaks the revision 2026-07-28, as tests use them. */
import { Client, type ClientOptions, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

export const MODERN = '2026-07-28';

/** A client that speaks nothing older. */
export function modernClient(capabilities: ClientOptions['capabilities'] = {}): Client {
  return new Client({ name: 'test', version: '1' }, { capabilities, versionNegotiation: { mode: { pin: MODERN } } });
}

/** A modern client whose person answers every question with this; the questions are kept. */
export function modernClientThatAnswers(answer: {
  action: 'accept' | 'decline' | 'cancel';
  content?: Record<string, string | boolean>;
}): { client: Client; questions: string[] } {
  const questions: string[] = [];
  const client = modernClient({ elicitation: { form: {} } });
  client.setRequestHandler('elicitation/create', ({ params }) => {
    questions.push(params.message);
    return answer;
  });
  return { client, questions };
}

export async function connectModern(
  url: string,
  headers: Record<string, string> = {},
  client = modernClient(),
): Promise<Client> {
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
  return client;
}

export async function callModern(client: Client, name: string, input: Record<string, unknown> = {}) {
  const { content, isError, structuredContent } = await client.callTool({ name, arguments: input });
  const text = content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n');
  return { text, isError, structuredContent };
}
