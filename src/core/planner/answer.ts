/** Reads the structured answer out of what a model wrote. */
import { z } from 'zod';

type ParsedAnswer = { ok: true; answer: unknown } | { ok: false; problem: string };

/**
 * The JSON object in `text`, which may stand in a code fence or between sentences, checked by `schema`.
 * The problem is worded for the model that has to put it right.
 */
export function parseAnswer(text: string, schema: z.ZodType): ParsedAnswer {
  const found = findJson(text);
  if (found === undefined) return { ok: false, problem: 'The answer is not a JSON object.' };
  const checked = schema.safeParse(found);
  return checked.success
    ? { ok: true, answer: checked.data }
    : { ok: false, problem: `The answer does not fit the schema:\n${z.prettifyError(checked.error)}` };
}

function findJson(text: string): unknown {
  const start = text.indexOf('{');
  const end = text.lastIndexOf('}');
  if (start < 0 || end < start) return undefined;
  try {
    return JSON.parse(text.slice(start, end + 1));
  } catch {
    return undefined;
  }
}
