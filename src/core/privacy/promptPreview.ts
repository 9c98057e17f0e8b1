/** What would leave for the model provider: a question goes its usual way to a model that only writes down what it is sent. */
import type { Actor } from '../actor.ts';
import { AppError } from '../errors.ts';
import type { Invoke } from '../invoke.ts';
import type { Llm, LlmReply, LlmRequest } from '../planner/llm.ts';
import { runPlanner } from '../planner/planner.ts';
import { DEFAULT_PROFILE, type PlannerParts } from '../planner/plannerRuns.ts';
import { callsAbout } from '../planner/ruleAnswer.ts';
import type { Ports, PreviewedPart } from '../ports/ports.ts';

interface PreviewWorld {
  ports: Ports;
  invoke: Invoke;
  /** The planner's parts; their model is not asked. */
  parts: Omit<PlannerParts, 'model'>;
  /** What stands between agents and every model. */
  guard(llm: Llm): Llm;
}

/** Longer than the slowest tool takes. */
const TIME_MS = 30_000;

/**
 * Two turns: the question, and the answers of the tools that an agent would ask first about what the question names.
 * @throws AppError `not_found` for a profile that there is not, and what the tools' servers throw
 */
export async function previewPrompt(
  { ports, invoke, parts, guard }: PreviewWorld,
  { question, profileName = DEFAULT_PROFILE }: { question: string; profileName?: string | undefined },
  asker: Actor,
  signal: AbortSignal,
): Promise<PreviewedPart[]> {
  const profile = parts.profiles.current().get(profileName);
  if (!profile) throw new AppError('not_found', `There is no agent profile ${profileName}.`);
  // As the agent of whoever asks: with their role, their part of the fleet and what is their own.
  const actor: Actor = { ...asker, id: 'planner:preview', kind: 'model', via: 'planner' };
  const wanted = await callsAbout({ ports, actor }, { goal: question, context: {} });
  const sent: LlmRequest[] = [];
  const tools = await parts.openTools(profile, { actor, invoke });
  try {
    await runPlanner({
      llm: guard(writingDown(sent, wanted)),
      prices: [],
      tools,
      profile,
      goal: question,
      context: {},
      limits: { timeMs: TIME_MS },
      clock: ports.clock,
      tracing: ports.tracing,
      onStep: async () => {},
      signal,
    });
  } finally {
    await tools.close();
  }
  return partsOf(sent.at(-1));
}

/** Asks for the tools, once, and ends. */
function writingDown(sent: LlmRequest[], wanted: readonly { tool: string; input: Record<string, unknown> }[]): Llm {
  return {
    describe: () => ({ provider: 'preview', model: 'preview' }),
    ping: async () => ({ ok: true, reason: null }),
    async complete(request) {
      sent.push(request);
      const toolCalls = wanted.flatMap(({ tool, input }, at) => {
        const offered = request.tools.find(({ name }) => name.endsWith(`__${tool}`));
        return offered ? [{ id: `call-${at}`, name: offered.name, input, unparsedInput: null }] : [];
      });
      if (sent.length > 1 || toolCalls.length === 0) throw new AppError('refused', 'A preview asks no model.');
      const reply: LlmReply = {
        text: '',
        toolCalls,
        usage: { inputTokens: 0, outputTokens: 0 },
        stopReason: 'tools',
        carry: null,
      };
      return reply;
    },
  };
}

function partsOf(request: LlmRequest | undefined): PreviewedPart[] {
  if (!request) return [];
  const { system, messages, tools } = request;
  return [
    { part: 'rules of the agent', text: system },
    ...messages.flatMap((message): PreviewedPart[] => {
      if (message.role === 'user') return [{ part: 'question', text: message.text }];
      if (message.role === 'tool') return [{ part: `answer of ${message.name}`, text: message.text }];
      return message.toolCalls.map(({ name, input }) => ({ part: `call of ${name}`, text: JSON.stringify(input) }));
    }),
    { part: 'descriptions of tools', text: tools.map(({ name, description }) => `${name}: ${description}`).join('\n') },
  ];
}
