/** The tool that shows what a question would send to the model provider, without sending it. */
import { z } from 'zod';
import { PRIVACY_MODES } from '../../../domain/privacy/minimise.ts';
import { PSEUDONYM } from '../../privacy/pseudonyms.ts';
import { defineTool } from '../../tool.ts';

/** Characters of a part that a text shows; JSON has all of them. */
const SHOWN_CHARS = 1500;

export const previewPromptTool = defineTool({
  name: 'preview_prompt',
  title: 'Preview a prompt',
  effect: 'read',
  reach: 'selection',
  toolset: 'admin',
  hiddenFrom: ['planner', 'job'],
  description:
    'What would leave for the model provider if this question were asked, word for word and with pseudonyms where the mode wants them: rules, question, tool descriptions, and what the tools answer that an agent asks first. Nothing is sent.',
  http: { method: 'GET', path: '/api/v1/privacy/preview' },
  command: {
    name: 'privacy preview',
    args: ['question'],
    sentence: true,
    example: 'privacy preview why is dev-machine-01 slow?',
  },
  input: z.strictObject({
    question: z.string().trim().min(1, 'say what would be asked').max(4000),
    agent_profile: z.string().max(64).optional().describe('A profile of config/agent_profiles.yaml'),
  }),
  output: z.object({
    mode: z.enum(PRIVACY_MODES),
    /** Null while no model is connected: then nothing leaves. */
    provider: z.object({ name: z.string(), where: z.string() }).nullable(),
    pseudonyms: z.number().int(),
    characters: z.number().int(),
    parts: z.array(z.object({ part: z.string(), characters: z.number().int(), text: z.string() })),
  }),
  async run({ question, agent_profile }, { ports, actor, signal }) {
    const parts = await ports.agents.preview({ question, profileName: agent_profile }, actor, signal);
    const all = parts.map(({ text }) => text).join('\n');
    return {
      mode: ports.privacy ? ('pseudonymous' as const) : ('named' as const),
      provider: ports.agents.provider(),
      pseudonyms: new Set(all.match(PSEUDONYM)).size,
      characters: parts.reduce((sum, { text }) => sum + text.length, 0),
      parts: parts.map(({ part, text }) => ({ part, characters: text.length, text })),
    };
  },
  summary({ mode, provider, pseudonyms, characters, parts }) {
    const to = provider
      ? `To ${provider.where} (${provider.name})`
      : 'No model is connected, so nothing leaves. To one';
    const names = mode === 'pseudonymous' ? `with ${pseudonyms} pseudonyms and no name` : 'with names as they are';
    return [
      `${to} would go ${characters} characters in ${parts.length} parts, ${names}. Nothing was sent.`,
      ...parts.map(
        ({ part, text, characters: length }) =>
          `\n${part} (${length} characters):\n${text.slice(0, SHOWN_CHARS)}${length > SHOWN_CHARS ? '…' : ''}`,
      ),
    ].join('\n');
  },
  rows: ({ parts }) => parts,
});
