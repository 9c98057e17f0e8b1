import { expect, it } from 'vitest';
import { createLlm, type LlmConfig } from '../../../src/adapters/llm/create.ts';

const none: LlmConfig = {
  provider: '',
  model: '',
  openai: { apiKey: '', baseUrl: '' },
  anthropic: { apiKey: '', baseUrl: '' },
  bedrock: { region: '', endpoint: '', credentials: null },
  ollama: { baseUrl: '' },
};

it.each([
  [{}, 'LLM_PROVIDER'],
  [{ provider: 'openai' }, 'OPENAI_API_KEY'],
  [{ provider: 'anthropic' }, 'ANTHROPIC_API_KEY'],
  [{ provider: 'bedrock' }, 'AWS_REGION'],
  [{ provider: 'bedrock', bedrock: { ...none.bedrock, region: 'eu-central-1' } }, 'LLM_MODEL'],
  [{ provider: 'ollama' }, 'LLM_MODEL'],
] as [Partial<LlmConfig>, string][])(
  'without what %o needs there is no model, and the reason names %s',
  (changes, named) => {
    expect(createLlm({ ...none, ...changes })).toEqual({ llm: null, reason: expect.stringContaining(named) });
  },
);

it.each([
  [{ provider: 'openai', openai: { apiKey: 'k', baseUrl: '' } }, 'openai'],
  [{ provider: 'openai', openai: { apiKey: '', baseUrl: 'http://127.0.0.1:1/v1' } }, 'openai'],
  [{ provider: 'anthropic', anthropic: { apiKey: 'k', baseUrl: '' } }, 'anthropic'],
  [{ provider: 'ollama', model: 'qwen3:8b' }, 'ollama'],
] as [Partial<LlmConfig>, string][])('with it there is one, with a model chosen: %o', (changes, provider) => {
  const { llm } = createLlm({ ...none, ...changes });
  expect(llm?.describe()).toEqual({ provider, model: expect.stringMatching(/./) });
});
