/** The fixtures that the conformance suite of the revision 2026-07-28 calls by name; those of the suite before are the same. */
import {
  type CallToolResult,
  type ClientCapabilities,
  createRequestStateCodec,
  type InputRequest,
  type InputRequiredResult,
  inputRequired,
  MissingRequiredClientCapabilityError,
  type PromptMessage,
  Server,
  type ServerContext,
  type Tool,
} from '@modelcontextprotocol/server';
import { FIXTURES, PROMPT_ARGUMENTS, PROMPTS, readFixture } from './conformanceServer.ts';

type Answer = CallToolResult | InputRequiredResult;

const text = (words: string): CallToolResult => ({ content: [{ type: 'text', text: words }] });
const form = (message: string, field: string, type: 'string' | 'boolean' = 'string') =>
  inputRequired.elicit({
    message,
    requestedSchema: {
      type: 'object',
      properties: { [field]: type === 'string' ? { type: 'string' } : { type: 'boolean' } },
      required: [field],
    },
  });
const question = inputRequired.createMessage({
  messages: [{ role: 'user', content: { type: 'text', text: 'What is the capital of France?' } }],
  maxTokens: 100,
});

const states = createRequestStateCodec<{ round: number }>({ key: 'a key of the conformance fixtures only' });

/** Asks until everything is answered as `isGood` wants. */
function asking(requests: Record<string, InputRequest>, isGood: (answer: any) => boolean = () => true) {
  return ({ mcpReq }: ServerContext): Answer => {
    const answers = mcpReq.inputResponses ?? {};
    const missing = Object.keys(requests).filter((key) => !answers[key] || !isGood(answers[key]));
    return missing.length > 0 ? inputRequired({ inputRequests: requests }) : text(JSON.stringify(answers));
  };
}

/** Asks the rounds one after the other, with the round in the state. */
function inRounds(rounds: Record<string, InputRequest>[], done: string) {
  return async ({ mcpReq }: ServerContext): Promise<Answer> => {
    const round = mcpReq.inputResponses ? (mcpReq.requestState<{ round: number }>()?.round ?? 0) : 0;
    const requests = rounds[round];
    if (!requests) return text(done);
    return inputRequired({ inputRequests: requests, requestState: await states.mint({ round: round + 1 }) });
  };
}

const name = form('What is your name?', 'name');
const MODERN: Record<string, (context: ServerContext) => Answer | Promise<Answer>> = {
  test_input_required_result_elicitation: asking(
    { user_name: name },
    ({ content }) => typeof content?.name === 'string',
  ),
  test_input_required_result_sampling: asking({ capital_question: question }),
  test_input_required_result_list_roots: asking({ client_roots: inputRequired.listRoots() }),
  test_input_required_result_request_state: inRounds(
    [{ confirm: form('Please confirm', 'ok', 'boolean') }],
    'state-ok',
  ),
  test_input_required_result_tampered_state: inRounds([{ confirm: form('Please confirm', 'ok', 'boolean') }], 'done'),
  test_input_required_result_multiple_inputs: inRounds(
    [{ user_name: name, greeting: question, client_roots: inputRequired.listRoots() }],
    'done',
  ),
  test_input_required_result_multi_round: inRounds(
    [{ step1: form('Step 1: What is your name?', 'name') }, { step2: form('Step 2: What colour?', 'color') }],
    'done',
  ),
  test_input_required_result_capabilities: (context) => {
    const { elicitation, sampling } = capabilitiesOf(context);
    return inputRequired({
      inputRequests: { ...(elicitation && { user_name: name }), ...(sampling && { question }) },
    });
  },
  test_missing_capability: (context) => {
    if (capabilitiesOf(context).sampling) return text('done');
    throw new MissingRequiredClientCapabilityError({ requiredCapabilities: { sampling: {} } });
  },
  test_streaming_elicitation: asking({ user_name: name }),
  test_logging_tool: async ({ mcpReq }) => {
    await mcpReq.log('info', 'a line of the log');
    return text('done');
  },
};

const NO_TOOLS = [
  'test_sampling',
  'test_elicitation',
  'test_elicitation_sep1034_defaults',
  'test_elicitation_sep1330_enums',
];

function capabilitiesOf({ mcpReq: { envelope } }: ServerContext): ClientCapabilities {
  const declared = (envelope as Record<string, unknown> | undefined)?.['io.modelcontextprotocol/clientCapabilities'];
  return (declared ?? {}) as ClientCapabilities;
}

export function createModernConformanceServer(): Server {
  const server = new Server(
    { name: 'conformance-fixtures', version: '1' },
    {
      capabilities: {
        tools: {},
        resources: { subscribe: true, listChanged: true },
        prompts: {},
        completions: {},
        logging: {},
      },
      requestState: { verify: states.verify },
    },
  );
  const old = Object.entries(FIXTURES).filter(([tool]) => !NO_TOOLS.includes(tool));
  const tools: Tool[] = [
    ...old.map(([tool, { inputSchema }]) => ({
      name: tool,
      description: `Fixture ${tool}`,
      inputSchema: (inputSchema ?? { type: 'object' }) as Tool['inputSchema'],
    })),
    ...Object.keys(MODERN).map((tool) => ({
      name: tool,
      description: `Fixture ${tool}`,
      inputSchema: { type: 'object' as const },
    })),
  ];
  server.setRequestHandler('tools/list', () => ({ tools }));
  server.setRequestHandler('tools/call', async ({ params }, context): Promise<Answer> => {
    const modern = MODERN[params.name];
    if (modern) return modern(context);
    try {
      const extra = {
        _meta: context.mcpReq._meta,
        sendNotification: context.mcpReq.notify,
        sendRequest: () => Promise.reject(new Error('no requests to the client in this revision')),
      };
      return { content: (await FIXTURES[params.name]?.run(params.arguments ?? {}, extra)) ?? [] };
    } catch (error) {
      return { isError: true, ...text((error as Error).message) };
    }
  });

  const uris = ['test://static-text', 'test://static-binary', 'test://watched-resource'];
  server.setRequestHandler('resources/list', () => ({ resources: uris.map((uri) => ({ uri, name: uri })) }));
  server.setRequestHandler('resources/templates/list', () => ({
    resourceTemplates: [{ uriTemplate: 'test://template/{id}/data', name: 'template' }],
  }));
  server.setRequestHandler('resources/read', ({ params: { uri } }) => {
    if (uris.includes(uri) || uri.startsWith('test://template/')) return readFixture(uri);
    throw Object.assign(new Error(`There is no resource ${uri}.`), { code: -32602, data: { uri } });
  });

  const prompts = [...Object.keys(PROMPTS), 'test_input_required_result_prompt'];
  server.setRequestHandler('prompts/list', () => ({
    prompts: prompts.map((prompt) => ({
      name: prompt,
      description: `Fixture ${prompt}`,
      arguments: PROMPT_ARGUMENTS[prompt]?.map((argument) => ({
        name: argument,
        description: argument,
        required: true,
      })),
    })),
  }));
  server.setRequestHandler('prompts/get', ({ params }, { mcpReq }) => {
    if (params.name === 'test_input_required_result_prompt' && !mcpReq.inputResponses) {
      return inputRequired({ inputRequests: { user_context: form('What context should the prompt use?', 'context') } });
    }
    const content = PROMPTS[params.name]?.(params.arguments ?? {}) ?? [{ type: 'text' as const, text: 'done' }];
    return { messages: content.map((part) => ({ role: 'user', content: part }) as PromptMessage) };
  });
  server.setRequestHandler('completion/complete', () => ({ completion: { values: ['paris', 'park'] } }));
  return server;
}
