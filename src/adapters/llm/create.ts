/** Chooses the model provider from the configuration, or says why there is none. */
import type { Llm } from '../../core/planner/llm.ts';
import { DEFAULT_ATTEMPTS, type LlmClient } from './attempt.ts';
import type { BedrockOptions } from './bedrock.ts';

export const LLM_PROVIDERS = ['openai', 'anthropic', 'bedrock', 'ollama'] as const;
export type LlmProvider = (typeof LLM_PROVIDERS)[number];

/** Empty text means "not set" throughout. */
export interface LlmConfig {
  provider: LlmProvider | '';
  /** The provider's name of a model. */
  model: string;
  openai: { apiKey: string; baseUrl: string };
  anthropic: { apiKey: string; baseUrl: string };
  bedrock: { region: string; endpoint: string; credentials: BedrockOptions['credentials'] };
  ollama: { baseUrl: string };
}

/** General models of the middle price class, good at calling tools. */
const DEFAULT_MODEL = { openai: 'gpt-6.1-terra', anthropic: 'claude-sonnet-5-5' };
const OLLAMA_URL = 'http://127.0.0.1:11434';

export type CreatedLlm = { llm: Llm; reason: null } | { llm: null; reason: string };

/**
 * The model, or null and the reason, which is for the start-up log and `/health`. A missing key is not an error:
 * everything that needs no model works without one.
 */
export function createLlm(config: LlmConfig, attempts = DEFAULT_ATTEMPTS): CreatedLlm {
  const none = (reason: string) => ({ llm: null, reason });
  const some = (model: string, load: (model: string) => Promise<LlmClient>) => ({
    llm: onFirstUse({ provider: config.provider, model }, load),
    reason: null,
  });
  switch (config.provider) {
    case '':
      return none('LLM_PROVIDER is not set');
    case 'openai': {
      const { apiKey, baseUrl } = config.openai;
      // Compatible servers on one's own machines often take any key, so a base URL alone is enough.
      if (!apiKey && !baseUrl) return none('LLM_PROVIDER is openai, but OPENAI_API_KEY is not set');
      return some(config.model || DEFAULT_MODEL.openai, async (model) =>
        (await import('./openai.ts')).openAiLlm({
          provider: 'openai',
          apiKey: apiKey || 'none',
          baseUrl: baseUrl || null,
          model,
          attempts,
        }),
      );
    }
    case 'anthropic': {
      const { apiKey, baseUrl } = config.anthropic;
      if (!apiKey) return none('LLM_PROVIDER is anthropic, but ANTHROPIC_API_KEY is not set');
      return some(config.model || DEFAULT_MODEL.anthropic, async (model) =>
        (await import('./anthropic.ts')).anthropicLlm({ apiKey, baseUrl: baseUrl || null, model, attempts }),
      );
    }
    case 'bedrock': {
      const { region, endpoint, credentials } = config.bedrock;
      if (!region) return none('LLM_PROVIDER is bedrock, but AWS_REGION is not set');
      // What a region offers, and under which name, differs from account to account.
      if (!config.model) return none('LLM_PROVIDER is bedrock, but LLM_MODEL is not set');
      return some(config.model, async (model) =>
        (await import('./bedrock.ts')).bedrockLlm({ region, endpoint: endpoint || null, credentials, model, attempts }),
      );
    }
    case 'ollama': {
      if (!config.model) return none('LLM_PROVIDER is ollama, but LLM_MODEL does not say which pulled model to use');
      const baseUrl = `${(config.ollama.baseUrl || OLLAMA_URL).replace(/\/+$/, '')}/v1`;
      return some(config.model, async (model) =>
        (await import('./openai.ts')).openAiLlm({ provider: 'ollama', apiKey: 'ollama', baseUrl, model, attempts }),
      );
    }
  }
}

/** A provider's client library takes longer to load than the rest of the service: it is loaded when a model is first asked. */
function onFirstUse(described: { provider: string; model: string }, load: (model: string) => Promise<LlmClient>): Llm {
  let loading: Promise<LlmClient> | undefined;
  const loaded = () => (loading ??= load(described.model));
  return {
    describe: () => described,
    ping: async (signal) => (await loaded()).ping(signal),
    complete: async (request) => (await loaded()).complete(request),
  };
}
