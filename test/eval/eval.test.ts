/** Runs every scenario: over recorded model traffic always, and over a real model when EVAL_LLM_PROVIDER names one. */
import { readFileSync } from 'node:fs';
import { type ChatCompletionRequest, LLMock } from '@copilotkit/aimock';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { createLlm, LLM_PROVIDERS, type LlmConfig } from '../../src/adapters/llm/create.ts';
import { AgentProfilesFile } from '../../src/core/planner/agentProfiles.ts';
import type { Llm } from '../../src/core/planner/llm.ts';
import { LlmPricesFile } from '../../src/core/planner/llm.ts';
import { plan, toolsOf } from '../helpers/plannerWorld.ts';
import { fleetTools } from './fleetTools.ts';
import { loadScenarios, type Scenario } from './scenario.ts';
import { scoreRun } from './score.ts';

const yaml = (name: string): unknown => parse(readFileSync(new URL(`../../config/${name}`, import.meta.url), 'utf8'));
const profiles = AgentProfilesFile.parse(yaml('agent_profiles.yaml'));
const prices = LlmPricesFile.parse(yaml('llm_prices.yaml'));
/** A real model may word one thing unlike the matcher; what must never happen is checked apart from the score. */
const REAL_MODEL_MIN_SCORE = 0.8;

const { env } = process;
const config = (changes: Partial<LlmConfig>): LlmConfig => ({
  provider: '',
  model: env.EVAL_LLM_MODEL ?? '',
  openai: { apiKey: env.OPENAI_API_KEY ?? '', baseUrl: env.OPENAI_BASE_URL ?? '' },
  anthropic: { apiKey: env.ANTHROPIC_API_KEY ?? '', baseUrl: '' },
  bedrock: { region: env.AWS_REGION ?? '', endpoint: '', credentials: null },
  ollama: { baseUrl: env.OLLAMA_BASE_URL ?? '' },
  ...changes,
});

async function run(scenario: Scenario, llm: Llm) {
  return plan({
    llm,
    prices,
    tools: await toolsOf(fleetTools(scenario.fleet)),
    profile: profiles.get(scenario.profile)!,
    goal: scenario.goal,
    context: scenario.context,
    clock: { now: () => new Date() },
  });
}

const mock = new LLMock({ port: 0, host: '127.0.0.1', strict: true });
let url = '';
beforeAll(async () => {
  url = await mock.start();
});
afterAll(() => mock.stop());

describe.each(loadScenarios().map((scenario) => [scenario.name, scenario] as const))('%s', (_name, scenario) => {
  it.each(scenario.recordings.map((recording) => [recording.name, recording] as const))(
    'recorded: %s',
    async (_recording, { replies, misses }) => {
      mock.reset();
      replies.forEach(({ text, answer, calls }, turn) => {
        const content = answer ? JSON.stringify(answer) : text;
        const toolCalls = calls.map(({ tool, input }) => ({ name: tool, arguments: JSON.stringify(input) }));
        mock.on(
          {
            predicate: ({ messages }: ChatCompletionRequest) =>
              messages.filter(({ role }) => role === 'assistant').length === turn,
          },
          toolCalls.length > 0 ? { content, toolCalls } : { content },
        );
      });
      const { llm } = createLlm(
        config({ provider: 'openai', model: 'recorded', openai: { apiKey: 'k', baseUrl: `${url}/v1` } }),
      );
      expect(scoreRun(await run(scenario, llm!), scenario.expect).missed).toEqual(misses);
    },
  );

  it('real model', { timeout: 300_000 }, async (context) => {
    const provider = LLM_PROVIDERS.find((name) => name === env.EVAL_LLM_PROVIDER);
    const { llm, reason } = createLlm(config({ provider: provider ?? '' }));
    if (!llm) return context.skip(`no real model: set EVAL_LLM_PROVIDER and its key (${reason})`);
    const result = await run(scenario, llm);
    const { score, missed } = scoreRun(result, scenario.expect);
    const { usage, costUsd } = result;
    console.log(JSON.stringify({ eval: scenario.name, ...llm.describe(), score, missed, usage, cost_usd: costUsd }));
    expect(missed.filter((about) => about.startsWith('never '))).toEqual([]);
    expect(score).toBeGreaterThanOrEqual(REAL_MODEL_MIN_SCORE);
  });
});
