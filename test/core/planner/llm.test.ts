import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { costUsd, LlmPricesFile } from '../../../src/core/planner/llm.ts';

const prices = LlmPricesFile.parse(
  parse(readFileSync(new URL('../../../config/llm_prices.yaml', import.meta.url), 'utf8')),
);
const million = { inputTokens: 1_000_000, outputTokens: 1_000_000 };

it.each([
  ['anthropic', 'claude-sonnet-5-5', 12],
  ['openai', 'gpt-6.1-terra-2026-10-26', 6],
  ['bedrock', 'anthropic.claude-sonnet-4-5-20250929-v1:0', 18],
  ['ollama', 'qwen3:8b', 0],
])('prices %s %s at %d dollars for a million tokens each way', (provider, model, dollars) => {
  expect(costUsd(prices, { provider, model }, million)).toBeCloseTo(dollars);
});

it('takes the longest name that fits', () => {
  const two = [
    { model: 'gpt-6', inputUsd: 1, outputUsd: 1 },
    { model: 'gpt-6-luna', inputUsd: 5, outputUsd: 5 },
  ];
  expect(costUsd(two, { provider: 'openai', model: 'gpt-6-luna' }, million)).toBe(10);
  expect(costUsd([...two].reverse(), { provider: 'openai', model: 'gpt-6-luna' }, million)).toBe(10);
});

it('does not know what a model without an entry costs, rather than calling it free', () => {
  expect(costUsd(prices, { provider: 'openai', model: 'brand-new' }, million)).toBeNull();
});
