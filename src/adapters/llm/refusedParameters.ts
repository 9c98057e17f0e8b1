/** Remembers which optional parameters a server refuses, and builds requests without them. */
import type { ChatCompletionCreateParamsStreaming } from 'openai/resources/chat/completions';

type Params = ChatCompletionCreateParamsStreaming;

/** Optional parameters, each with what is sent instead where another name means the same. */
const OPTIONAL = {
  max_tokens: 'max_completion_tokens',
  max_completion_tokens: 'max_tokens',
  stream_options: null,
  response_format: null,
  tool_choice: null,
  temperature: null,
} as const;
type Optional = keyof typeof OPTIONAL;

/** One server's refusals, by model: proxies have models behind them that differ. */
export function refusedParameters(): {
  fit(params: Params): Params;
  /** Takes note of an error; true when the request is worth another try because a parameter of it is left out from now on. */
  learn(error: { status?: number; param?: string | null; message: string; error?: unknown }, sent: Params): boolean;
} {
  const byModel = new Map<string, Set<Optional>>();
  return {
    fit(params) {
      const refused = byModel.get(params.model);
      if (!refused) return params;
      const fitting: Record<string, unknown> = { ...params };
      for (const name of refused) {
        const other = OPTIONAL[name];
        if (other !== null && !refused.has(other) && fitting[name] !== undefined) fitting[other] = fitting[name];
        delete fitting[name];
      }
      return fitting as unknown as Params;
    },

    learn({ status, param, message, error }, sent) {
      if (status !== 400 && status !== 422) return false;
      const names = Object.keys(OPTIONAL).filter((name) => Object.hasOwn(sent, name)) as Optional[];
      const text = `${message} ${JSON.stringify(error ?? null)}`;
      const named =
        names.find((name) => param === name) ?? names.find((name) => new RegExp(`\\b${name}\\b`).test(text));
      if (named === undefined) return false;
      const refused = byModel.get(sent.model) ?? new Set();
      byModel.set(sent.model, refused.add(named));
      return true;
    },
  };
}
