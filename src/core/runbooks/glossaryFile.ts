/** The schema of config/runbook_glossary.yaml: how people say things, and the words that runbooks use for them. */
import { z } from 'zod';
import { conceptOf, folded, type Glossary } from '../../domain/runbooks/glossary.ts';

const phrase = z.string().min(1).max(100);
const phrases = z.array(phrase).max(200);

export const GlossaryFile = z
  .strictObject({
    ignored: z.record(z.string(), z.array(phrase).max(1000)).default({}),
    concepts: z
      .array(z.object({ means: phrase }).catchall(phrases))
      .max(2000)
      .default([]),
  })
  .transform(
    ({ ignored, concepts }): Glossary => ({
      ignored: new Set(Object.values(ignored).flat().map(folded)),
      concepts: concepts.map(({ means, en = [], ...languages }) =>
        conceptOf(means, en, Object.values(languages).flat()),
      ),
    }),
  );
