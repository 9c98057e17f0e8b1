/** `index.json`: which tables of the runbook index serve, and what they hold. */
import { z } from 'zod';

/** All that is asked of an index of another version. */
export const formatShape = z.object({ format: z.number() });

export const stateShape = formatShape.extend({
  modelId: z.string(),
  dimensions: z.number(),
  mode: z.enum(['semantic', 'lexical']),
  name: z.string(),
  /** doc_id and hash of each page that the tables hold; null while a writer changes them, and ever after when it dies over that. */
  hashes: z
    .array(z.tuple([z.string(), z.string()]))
    .nullable()
    .default(null),
});

export type State = z.infer<typeof stateShape>;

/** Null for text that is no JSON. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
